#!/usr/bin/python3
"""What a read sees at each level of consistency, while a replica replays nothing: D10, D11, D22."""
import contextlib
import sys
import time
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None


def login(**options):
    return wire.Connection.login(STAND.address, timeout=20, **options)


def where(client):
    """(target, reason) of the last statement."""
    target, _, reason = client.run("show fairlead.last_route")[0][:3]
    return target, reason


@only_proxied
class Consistency(unittest.TestCase):
    def setUp(self):
        with login() as client:
            client.run("drop table if exists seen; create table seen (n int); insert into seen values (0)")
        with login() as client:
            eventually(lambda: self.read(client)[1] == "replica", 10, "reads go to the replica")

    def read(self, client, hint=""):
        """(rows that it sees, where)."""
        seen = int(client.value(f"{hint} select count(*) from seen"))
        return seen, where(client)[0]

    def test_each_level_sees_what_it_promises(self):
        with login() as writer, login() as reader, STAND.paused_replay():
            writer.run("insert into seen values (1)")
            for level, own, others in (
                ("eventual", (1, "replica"), (1, "replica")),
                ("session", (2, "primary"), (1, "replica")),
                ("app", (2, "primary"), (2, "primary")),
                ("strict", (2, "primary"), (2, "primary")),
            ):
                with self.subTest(level=level):
                    for client, expected in ((writer, own), (reader, others)):
                        client.run(f"set fairlead.consistency = '{level}'")
                        self.assertEqual(self.read(client), expected)
                        client.run("reset fairlead.consistency")
                        self.assertEqual(self.read(client, f"/* fairlead.consistency={level} */"), expected)
                    with login(**{"fairlead.consistency": level}) as newcomer:
                        self.assertEqual(self.read(newcomer), others)

    def test_only_strict_sees_what_others_commit_past_the_proxy(self):
        with login() as reader, STAND.superuser(database="tests") as elsewhere, STAND.paused_replay():
            elsewhere.run("insert into seen values (1)")
            for level, expected in (("app", (1, "replica")), ("strict", (2, "primary"))):
                reader.run(f"set fairlead.consistency = '{level}'")
                self.assertEqual(self.read(reader), expected, level)

    def test_strict_reads_are_the_replicas_while_it_replays(self):
        with login() as reader, STAND.superuser(database="tests") as elsewhere:
            reader.run("set fairlead.consistency = 'strict'")
            targets = []
            for number in range(2, 52):
                elsewhere.run(f"insert into seen values ({number})")
                seen, target = self.read(reader)
                self.assertEqual(seen, number)
                targets.append(target)
        self.assertGreater(targets.count("replica"), 25)

    def test_a_session_can_be_more_demanding_about_lag_than_the_database(self):  # E14
        with login() as reader, STAND.paused_replay():
            with login() as writer:
                writer.run("insert into seen values (1)")
            reader.run("set fairlead.consistency = 'eventual'")
            self.assertEqual(self.read(reader), (1, "replica"))
            reader.run("set fairlead.max_lag = '300ms'")
            eventually(lambda: self.read(reader) == (2, "primary"), 10, "the replica lags too much for this session")
            self.assertEqual(self.read(reader, "/* fairlead.max_lag=1min */"), (1, "replica"))

    def test_a_token_carries_a_floor_to_another_connection_and_another_proxy(self):  # D24
        other = Proxy(STAND, {"database": {"max_lag": "1min"}})
        self.addCleanup(other.stop)
        with wire.Connection.login(other.address) as far:
            eventually(lambda: self.read(far)[1] == "replica", 10, "the other proxy knows the replica")
        with wire.Connection.login(other.address) as far, login() as writer, login() as reader, STAND.paused_replay():
            for client in (far, reader):
                client.run("set fairlead.consistency = 'eventual'")
            writer.run("insert into seen values (1)")
            token = writer.value("show fairlead.token")
            self.assertRegex(token, r"^[1-9][0-9]*:1:[0-9A-F]+/[0-9A-F]+$")
            self.assertEqual(writer.prepared("show fairlead.token")[0][0].rsplit("/", 1)[0], token.rsplit("/", 1)[0])
            for client in (far, reader):
                self.assertEqual(self.read(client), (1, "replica"))
                client.run(f"set fairlead.min_lsn = '{token}'")
                self.assertEqual(self.read(client), (2, "primary"))
                client.run("reset fairlead.min_lsn")
                self.assertEqual(self.read(client), (1, "replica"))
                self.assertEqual(self.read(client, f"/* fairlead.min_lsn={token.rsplit(':', 1)[1]} */"), (2, "primary"))
        with wire.Connection.login(other.address) as far:
            far.run(f"set fairlead.min_lsn = '{token}'")
            eventually(lambda: self.read(far) == (2, "replica"), 10, "the replica has what the token asks for")

    def test_a_token_that_cannot_be_is_refused_at_the_read_and_the_session_goes_on(self):  # D24
        with login() as client:
            system, timeline, position = client.value("show fairlead.token").split(":")
            for token, message in (
                (f"{system}:{timeline}:FFFFFFFF/0", "ahead of the primary"), (f"1:{timeline}:0/10", "of another cluster"),
                (f"{system}:7:{position}", "of timeline 7"),
            ):
                client.run(f"set fairlead.min_lsn = '{token}'")
                [error] = client.query("select 1").errors
                self.assertEqual(error["C"], "22023", token)
                self.assertIn(message, error["M"])
                self.assertIn("RESET fairlead.min_lsn", error["H"])
            self.assertEqual(client.query("set fairlead.min_lsn = 'soon'").errors[0]["C"], "22023")
            client.run("reset fairlead.min_lsn")
            self.assertEqual(client.run("select 1"), [("1",)])

    def test_a_notice_says_where_each_statement_went_and_why(self):
        def noticed(client):
            seen, client.notices = client.notices, []
            return [(notice["S"], notice["M"].split()[0], notice["M"].split()[-1]) for notice in seen]

        with login() as client:
            client.run("select count(*) from seen")
            self.assertEqual(noticed(client), [])
            client.run("set fairlead.explain = on")
            for statement, *told in (
                ("select count(*) from seen", "replica", "read"), ("insert into seen values (2)", "primary", "write"),
                ("begin",), ("select 1", "primary", "transaction"), ("select 2", "primary", "in_transaction"),
                ("rollback", "primary", "in_transaction"), ("select 1 from seen for update", "primary", "row_lock"),
            ):
                client.run(statement)
                self.assertEqual(noticed(client), [("NOTICE", *told)] if told else [], statement)
            client.prepared("insert into seen values ($1::int)", 3)
            self.assertEqual(noticed(client), [("NOTICE", "primary", "write")])
            # Each before its own answer, also when they are sent at once.
            client.send(wire.query("begin") + wire.query("insert into seen values (4)") + wire.query("commit"))
            order = []
            while order.count(b"Z") < 3:
                order.append(client.read()[0])
            self.assertEqual([kind for kind in order if kind in (b"N", b"Z")], [b"Z"] + [b"N", b"Z"] * 2)
            client.run("set fairlead.explain = off")
            client.run("/* fairlead.explain=on */ select 1")
            client.run("select 1")
            self.assertEqual(len(noticed(client)), 1)

    def test_what_a_replica_refused_once_goes_to_the_primary_from_then_on(self):  # A44
        with login() as client, login() as other:
            client.run("create or replace function note(int, int) returns int volatile language sql"
                       " as 'insert into seen values ($1) returning n'")
            client.run("create or replace function still(int, int) returns int stable language plpgsql"  # A43
                       " as 'begin return note($1, $2); end'")

            def route():
                client.run("select still(7, 8)")
                return client.run("show fairlead.last_route")[0][2:4]

            eventually(lambda: route() == ("replica_error_retry", "2"), 10, "the function is known, and refused")
            self.assertEqual(route(), ("replica_error_retry", "1"))
            other.prepared("select still(7, 8)")
            self.assertEqual(where(other)[0], "primary")

    def test_relations_that_replicas_do_not_have_are_read_from_the_primary(self):  # A45, A50, A52
        with login() as client:
            client.run("drop table if exists made cascade; create unlogged table made (n int)")
            client.run("create or replace view over_made as select n from made")
            client.run("drop table if exists parted; create table parted (n int) partition by list (n)")
            client.run("create unlogged table parted_1 partition of parted for values in (1)")
            client.run("create sequence if not exists numbers")
            relations = ("made", "over_made", "parted", "numbers")

            def routed():
                found = set()
                for relation in relations:
                    client.run(f"select count(*) from {relation}")
                    found.add(where(client))
                return found

            eventually(lambda: routed() == {("primary", "primary_relation")}, 10, "the catalog is known")
            client.run("alter table made set logged; drop table parted_1")
            relations = ("made", "over_made", "parted")
            eventually(lambda: routed() == {("replica", "read")}, 10, "they are the replicas', too")

    def test_a_read_waits_for_the_writes_to_its_own_tables_only(self):  # D11
        with login() as client, login() as other:
            client.run("drop table if exists fresh, quiet, child cascade; create table fresh (n int primary key)")
            client.run("create table quiet (n int); create table child (n int references fresh on delete cascade)")
            client.run("create or replace view over_fresh as select n from fresh")
            client.run("create or replace function fills() returns int volatile language sql as"
                       " 'insert into quiet values (7) returning n'; create or replace view filling as select fills() as n")
            client.run("insert into fresh values (1); insert into child values (1)")
            names = ("fresh", "over_fresh", "child", "quiet", "(with w as (select 1 as n) select n from w) as w")

            def targets():
                found = []
                for name in names:
                    other.run(f"select count(*) from {name}")
                    found.append(where(other)[0])
                return found

            def is_told_by_table():
                eventually(lambda: targets() == ["replica"] * 5, 10, "the replica has all of it")
                with STAND.paused_replay():
                    client.run("insert into quiet values (0)")
                    return targets()[0] == "replica"

            eventually(is_told_by_table, 20, "it is known which tables belong together")
            for writes, expected in (
                (("insert into fresh values (2)",), ["primary", "primary", "primary", "replica", "primary"]),
                (("begin", "update child set n = 2", "commit"), ["replica", "replica", "primary", "replica", "primary"]),
                (("delete from fresh where n = 1",), ["primary", "primary", "primary", "replica", "primary"]),
                (("truncate child",), ["primary"] * 5),
                (("select n from filling",), ["primary"] * 5),
            ):
                with STAND.paused_replay():
                    for write in writes:
                        client.run(write)
                    self.assertEqual(targets(), expected, writes)
                eventually(lambda: targets() == ["replica"] * 5, 10, "the replica has caught up")
            # For a moment after DDL that is not known, and then every write counts for every read.
            client.run("create or replace function touch() returns trigger language plpgsql as"
                       " 'begin insert into quiet values (new.n); return new; end'")
            trigger = "create trigger touches before insert on fresh for each row execute function touch()"
            for number, ddl in enumerate((trigger, f"do $$begin {trigger}; end$$"), 3):  # As migrations do.
                client.run("drop trigger if exists touches on fresh")
                eventually(is_told_by_table, 20, "it is known which tables belong together")
                client.run(ddl)
                eventually(lambda: targets() == ["replica"] * 5, 10, "the replica has caught up")
                with self.subTest(ddl), STAND.paused_replay():
                    client.run(f"insert into fresh values ({number})")
                    self.assertEqual(targets(), ["primary"] * 5)
                eventually(lambda: targets() == ["replica"] * 5, 10, "the replica has caught up")

    def test_what_is_called_beside_a_command_is_a_write_as_any_other(self):  # A41, A45, D11
        call = "transfer(1, 2)"
        with login() as client, login() as other:
            client.run("create or replace function transfer(int, int) returns int volatile language plpgsql as"
                       " 'begin insert into seen values ($1); return $2; end'")
            client.run(f"create or replace view transferring as select {call} as n")
            eventually(lambda: client.run(f"select {call}") and where(client) == ("primary", "volatile_function"), 10, "it is known")
            for texts in (
                (f"begin; select {call}; commit",), ("begin; select * from transferring; commit",),
                (f"select set_config('app.user', '7', true), {call}",), (f"select pg_advisory_xact_lock(1), {call}",),
                (f"set local x.y = 1; select {call}",), (f"select {call}, current_setting('x.y', true)",),
                (f"select relname, {call} from pg_class limit 1",),
                (f"begin; declare c cursor with hold for select {call}; commit", "close c"),
                ("begin", f"declare c cursor with hold for select {call}", "commit", "close c"),
            ):
                eventually(lambda: self.read(other)[1] == "replica", 10, "the replica has caught up")
                with self.subTest(texts), STAND.paused_replay():
                    before = self.read(other, "/* fairlead.route=primary */")[0]
                    self.assertEqual(self.read(other), (before, "replica"))
                    for text in texts:
                        client.run(text)
                    self.assertEqual(self.read(other), (before + 1, "primary"))

    def test_who_waits_for_a_replica_holds_no_server(self):
        proxy = Proxy(STAND, {"database": {"max_lag": "1min", "pool_size": 1, "freshness_wait": "4s"}})
        self.addCleanup(proxy.stop)
        with contextlib.ExitStack() as stack:
            writer, *readers = (stack.enter_context(wire.Connection.login(proxy.address)) for _ in range(5))
            eventually(lambda: self.read(writer)[1] == "replica", 10, "reads go to the replica")
            with STAND.paused_replay():
                writer.run("insert into seen values (1)")
                began = time.monotonic()
                for reader in readers:
                    reader.send(wire.query("select count(*) from seen"))
                for number in range(50):
                    writer.run(f"insert into seen values ({number})")
                self.assertLess(time.monotonic() - began, 3)
            # The replica goes on before their patience ends, and answers.
            self.assertEqual([reader.answer().rows for reader in readers], [[("52",)]] * 4)
            self.assertEqual({where(reader) for reader in readers}, {("replica", "read")})

    def test_a_server_that_is_too_new_does_not_send_all_who_queue_to_the_primary(self):  # D16 b
        database = {"max_lag": "1min", "pool_size": 2, "freshness_wait": "300ms"}
        proxy = Proxy(STAND, {"database": database, "proxy": {"workers": 1}})  # One, which serves them in their order.
        self.addCleanup(proxy.stop)
        kill = ("select pg_terminate_backend(pid) from (select pid from pg_stat_activity where state = 'active'"
                " and query like 'select pg_sleep%' limit 1) as busy")
        with contextlib.ExitStack() as stack:
            writer, *readers = (stack.enter_context(wire.Connection.login(proxy.address)) for _ in range(25))
            writer.run("insert into seen values (1)")
            eventually(lambda: self.read(writer) == (2, "replica"), 10, "reads go to the replica")
            for reader in readers:
                reader.send(wire.query("select pg_sleep(0.1 * count(*)) from seen"))
            for reader in readers[2:8]:  # For the second one a server is opened, which is too new for it, too.
                reader.answer().checked()
            with STAND.superuser(1) as replica:
                eventually(lambda: replica.run(kill), 10, "a server is killed while it is at work")
            for reader in readers[:2] + readers[8:]:  # They wait for longer than a read waits for a replica to be fresh.
                reader.answer().checked()
            # Whose server has died is the one that may not go back there.
            self.assertLessEqual(sum(where(reader)[0] == "primary" for reader in readers), 1)

    def test_the_words_of_other_poolers_are_understood(self):
        with login() as client:
            for command, target in (
                ("set server role to 'primary'", "primary"), ("set server role to 'replica'", "replica"),
                ("set server role to 'default'", "replica"), ("set pgdog.role = 'primary'", "primary"),
                ("reset pgdog.role", "replica"),
            ):
                client.run(command)
                self.assertEqual(self.read(client)[1], target, command)
            for comment, target in (("/* pgdog_role: primary */", "primary"), ("/*NO LOAD BALANCE*/", "primary"), ("", "replica")):
                self.assertEqual(self.read(client, comment)[1], target, comment)
            client.run("set server role to 'primary'")
            self.assertEqual(client.run("show server role"), [("primary",)])
            self.assertEqual(client.query("set server role to 'both'").errors[0]["C"], "42601")

    def test_words_that_mean_nothing_are_refused_and_change_nothing(self):
        with login() as client:
            client.run("set fairlead.consistency = 'session'")
            for statement, sqlstate, told in (
                ("set fairlead.consistency = 'strong'", "22023", "strict"), ("set fairlead.max_lag = 'soon'", "22023", ""),
                ("set fairlead.consistensy = 'app'", "42704", "fairlead.consistency"),
                ("/* fairlead.consistency=strong */ select 1", "22023", "strict"),
            ):
                [error] = client.query(statement).errors
                self.assertEqual(error["C"], sqlstate, statement)
                self.assertIn(told, error.get("H", ""), statement)
            self.assertEqual(client.run("show fairlead.consistency"), [("session",)])
            self.assertEqual(client.run("select '/* fairlead.consistency=strong */'"), [("/* fairlead.consistency=strong */",)])


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"max_lag": "1min", "freshness_wait": "200ms"})
