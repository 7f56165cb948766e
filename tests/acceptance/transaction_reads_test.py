#!/usr/bin/python3
"""Transactions of which servers are told with their first statement, and reads that stay on a replica until the
first write: B7, B30-B36."""
import contextlib
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None
IDLE = "select count(*) from pg_stat_activity where datname = 'tests' and state like 'idle in transaction%'"


def login(**options):
    return wire.Connection.login(STAND.address, timeout=20, **options)


def until_write():
    return login(**{"fairlead.transaction_reads": "until_write"})


def where(client):
    """(target, reason) of the last statement."""
    target, _, reason = client.run("show fairlead.last_route")[0][:3]
    return target, reason


def sqlstate(client, sql):
    return client.query(sql).errors[0]["C"]


class Case(unittest.TestCase):
    def setUp(self):
        with login() as client:
            client.run("drop table if exists account; create table account (n int, balance int)")
            client.run("insert into account values (1, 0)")
            self.settle(client)

    def settle(self, client):
        def reads_from_a_replica():
            client.run("select count(*) from account")
            return where(client)[0] == "replica"

        eventually(reads_from_a_replica, 10, "reads go to the replica")

    def routes(self, client, *statements):
        found = []
        for statement in statements:
            client.run(statement)
            found.append(where(client))
        return found


@only_proxied
class DeferredBegin(Case):
    def test_begin_holds_no_server_and_its_end_needs_none(self):  # B30
        with login() as client, STAND.superuser() as primary:
            for begin, tag in (("begin", "BEGIN"), ("start transaction isolation level repeatable read", "START TRANSACTION")):
                for end, end_tag in (("commit", "COMMIT"), ("rollback", "ROLLBACK")):
                    answer = client.query(begin)
                    self.assertEqual((answer.tags, answer.status), ([tag], "T"))
                    self.assertEqual(primary.value(IDLE), "0")
                    answer = client.query(end)
                    self.assertEqual((answer.tags, answer.status, answer.errors), ([end_tag], "I", []))
            client.run("begin")
            client.run("select 1")
            self.assertEqual(primary.value(IDLE), "1")
            client.run("rollback")

    def test_what_is_said_behind_begin_still_decides(self):  # B7
        with login() as client:
            for words, expected in (
                ("", ("primary", "transaction")), ("set transaction read only", ("replica", "transaction_read_only")),
                ("set transaction isolation level serializable, read only", ("primary", "serializable")),
                ("set transaction read write", ("primary", "read_write_transaction")),
            ):
                client.run("begin")
                if words:
                    self.assertEqual(client.query(words).tags, ["SET"])
                self.assertEqual(self.routes(client, "select count(*) from account"), [expected], words)
                client.run("commit")
            client.run("begin; select 1")
            self.assertEqual(sqlstate(client, "set transaction isolation level serializable"), "25001")
            client.run("rollback")

    def test_modes_reach_the_server(self):
        with login() as client:
            client.run("begin isolation level repeatable read read only deferrable")
            for name, value in (("isolation", "repeatable read"), ("read_only", "on"), ("deferrable", "on")):
                self.assertEqual(client.value(f"show transaction_{name}"), value)
            client.run("commit")
            client.run("start transaction")
            client.run("insert into account values (2, 0)")
            client.run("rollback")
            self.assertEqual(client.value("select count(*) from account"), "1")

    def test_the_extended_protocol_says_the_same(self):
        with login() as client:
            begin = client.extended(wire.parse("begin"), wire.bind(), wire.describe(b"P"), wire.execute())
            self.assertEqual((begin.tags, begin.status), (["BEGIN"], "T"))
            client.prepared("insert into account values ($1::int, 0)", 2)
            self.assertEqual(where(client), ("primary", "write"))
            end = client.extended(wire.parse("rollback"), wire.bind(), wire.execute())
            self.assertEqual((end.tags, end.status), (["ROLLBACK"], "I"))
            self.assertEqual(client.value("select count(*) from account"), "1")

    def test_what_only_the_primary_can_answer_keeps_a_read_only_transaction_there(self):  # B3
        with login() as client:
            client.run("create unlogged table if not exists scratch (n int)")
            eventually(lambda: self.routes(client, "select count(*) from scratch") == [("primary", "primary_relation")], 10,
                       "the catalog is known")
            client.run("begin read only")
            self.assertEqual(self.routes(client, "select count(*) from scratch"), [("primary", "primary_relation")])
            client.run("commit")

    def test_a_transaction_that_gets_no_server_has_failed_until_its_end(self):  # B13, B36
        proxy = Proxy(STAND, {"database": {"pool_size": 1, "pool_timeout": "300ms"}})
        self.addCleanup(proxy.stop)
        with wire.Connection.login(proxy.address) as holder, wire.Connection.login(proxy.address) as client:
            holder.run("begin")
            holder.run("update account set balance = 1")
            client.run("begin")
            answer = client.query("insert into account values (2, 0)")
            self.assertEqual((answer.errors[0]["C"], answer.status), ("53300", "E"))
            holder.run("commit")
            for refused in ("insert into account values (3, 0)", "show fairlead.version", "set transaction read only"):
                answer = client.query(refused)
                self.assertEqual((answer.errors[0]["C"], answer.status), ("25P02", "E"), refused)
            self.assertEqual(client.extended(wire.parse("select 1"), wire.bind(), wire.execute()).errors[0]["C"], "25P02")
            answer = client.query("commit")
            self.assertEqual((answer.tags, answer.status), (["ROLLBACK"], "I"))
            self.assertEqual(client.value("select count(*) from account"), "1")


@only_proxied
class UntilWrite(Case):
    @contextlib.contextmanager
    def reading(self, client):
        """In a transaction that has read on a replica."""
        client.run("begin")
        self.assertEqual(self.routes(client, "select count(*) from account"), [("replica", "until_write")])
        yield
        client.run("rollback")

    def test_it_reads_on_a_replica_and_writes_on_the_primary(self):  # B31, B35
        with until_write() as client, STAND.superuser(1) as replica:
            client.run("begin")
            self.assertEqual(
                self.routes(client, "select * from account", "select 1", "update account set balance = 7 where n = 1",
                            "select * from account"),
                [("replica", "until_write"), ("replica", "in_transaction"), ("primary", "upgrade"),
                 ("primary", "in_transaction")],
            )
            self.assertEqual(replica.value(IDLE), "0")
            self.assertEqual(client.run("select balance from account"), [("7",)])
            self.assertEqual(client.query("commit").status, "I")
            self.assertEqual(client.run("select balance from account"), [("7",)])

    def test_a_read_that_the_replica_cannot_show_yet_moves_to_the_primary(self):  # B34, D11
        for level, expected in (("app", ("primary", "upgrade")), ("strict", ("primary", "upgrade")),
                                ("eventual", ("replica", "in_transaction"))):
            with self.subTest(level), until_write() as client, STAND.superuser(1) as replica, login() as other:
                client.run(f"set fairlead.consistency = '{level}'")
                self.settle(client)
                with self.reading(client):
                    replica.run("select pg_wal_replay_pause()")
                    try:
                        other.run("insert into account values (2, 0)")
                        found = client.value("select count(*) from account where n = 2")
                        self.assertEqual(where(client), expected)
                        self.assertEqual(found, "0" if level == "eventual" else "1")
                    finally:
                        self.resume()
                other.run("delete from account where n = 2")

    def test_one_that_only_reads_never_sees_the_primary(self):
        with until_write() as client, STAND.superuser(1) as replica:
            for end in ("commit", "rollback"):
                client.run("begin")
                client.prepared("select $1::int", 5)
                self.assertEqual(where(client), ("replica", "until_write"))
                self.assertEqual(replica.value(IDLE), "1")
                self.assertEqual(self.routes(client, end), [("replica", "in_transaction")])
                self.assertEqual(replica.value(IDLE), "0")

    def test_it_is_asked_for_by_set_by_comment_and_by_the_database(self):
        read = "select count(*) from account"
        proxy = Proxy(STAND, {"database": {"transaction_reads": "until_write"}})
        self.addCleanup(proxy.stop)
        with login() as client, wire.Connection.login(proxy.address) as configured:
            eventually(lambda: self.routes(configured, "begin", read, "commit")[1] == ("replica", "until_write"), 10, "it reads")
            configured.run("set fairlead.transaction_reads = 'primary'")
            self.assertEqual(self.routes(configured, "begin", read, "commit")[1], ("primary", "transaction"))
            self.assertEqual(self.routes(client, "begin", read, "commit")[1], ("primary", "transaction"))
            client.run("set fairlead.transaction_reads = 'until_write'")
            self.assertEqual(self.routes(client, "begin", read, "commit")[1], ("replica", "until_write"))
            client.run("reset fairlead.transaction_reads")
            client.run("begin")
            client.run("set local fairlead.transaction_reads = 'until_write'")
            self.assertEqual(self.routes(client, read, "commit")[0], ("replica", "until_write"))
            hinted = "/* fairlead.transaction_reads=until_write */ begin"
            self.assertEqual(self.routes(client, hinted, read, "commit")[1], ("replica", "until_write"))
            self.assertEqual(self.routes(client, "begin", read, "commit")[1], ("primary", "transaction"))
            self.assertEqual(sqlstate(client, "set fairlead.transaction_reads = 'always'"), "22023")

    def test_a_user_may_differ_from_the_database(self):
        options = {"transaction_reads": "until_write", "consistency": "strict"}
        proxy = Proxy(STAND, {f"user.{STAND.address.user}": options, "user.somebody": {"transaction_reads": "primary"}})
        self.addCleanup(proxy.stop)
        with wire.Connection.login(proxy.address) as client, STAND.superuser(1) as replica:
            self.settle(client)
            self.assertEqual(self.routes(client, "begin", "select 1", "commit")[1], ("replica", "until_write"))
            replica.run("select pg_wal_replay_pause()")
            self.addCleanup(self.resume)
            with STAND.superuser(database="tests") as primary:
                primary.run("insert into account values (8, 8)")
            self.assertEqual(self.routes(client, "select 1"), [("primary", "own_write")])
            client.run("set fairlead.consistency = 'eventual'")
            self.assertEqual(self.routes(client, "select 1"), [("replica", "read")])

    def test_what_cannot_move_goes_to_the_primary_at_once(self):  # B31
        with until_write() as client:
            for statement in (
                "savepoint s", "declare c cursor for select 1", "set local work_mem = '1MB'", "lock table account in share mode",
                "select pg_advisory_xact_lock(1)", "select pg_export_snapshot()", "prepare moved as select 1",
                "select 1 from account for update", "create temp table moved (n int) on commit drop",
            ):
                with self.subTest(statement=statement), self.reading(client):
                    self.assertEqual(self.routes(client, statement), [("primary", "upgrade")])
                client.query("deallocate all")
            with self.reading(client):
                client.extended(wire.parse("select n from generate_series(1, 9) n"), wire.bind(portal="p"), wire.execute("p", 3))
                self.assertEqual(where(client), ("primary", "upgrade"))
                more = client.extended(wire.execute("p", 3))
                self.assertEqual(len(more.rows), 3)
            client.run("begin")
            self.assertEqual(self.routes(client, "savepoint s", "select 1")[1], ("primary", "in_transaction"))
            client.run("rollback")

    def test_only_read_committed_may_move(self):  # B33
        with STAND.superuser(database="tests") as primary, until_write() as client:
            for begin in ("begin isolation level repeatable read", "begin isolation level serializable"):
                client.run(begin)
                self.assertEqual(self.routes(client, "select 1")[0][0], "primary", begin)
                client.run("commit")
            client.run("set default_transaction_isolation = 'repeatable read'")
            self.assertEqual(self.routes(client, "begin", "select 1", "commit")[1], ("primary", "transaction"))
            client.run("reset default_transaction_isolation")
            # A default that only the server knows.
            primary.run("alter database tests set default_transaction_isolation = 'repeatable read'")
            self.addCleanup(self.reset_isolation)
            proxy = Proxy(STAND, {"database": {"transaction_reads": "until_write"}})
            self.addCleanup(proxy.stop)
            with wire.Connection.login(proxy.address) as strict:
                self.settle(strict)
                self.assertEqual(self.routes(strict, "begin", "select 1")[1], ("primary", "transaction"))
                self.assertEqual(strict.value("show transaction_isolation"), "repeatable read")
                strict.run("commit")

    def reset_isolation(self):
        with STAND.superuser(database="tests") as primary:
            primary.run("alter database tests reset default_transaction_isolation")

    def test_an_error_on_the_replica_fails_the_transaction_until_its_end(self):  # B36
        with until_write() as client, self.reading(client):
            answer = client.query("select 1/0")
            self.assertEqual((answer.errors[0]["C"], answer.status), ("22012", "E"))
            for statement in ("select 1", "insert into account values (2, 0)", "savepoint s"):
                answer = client.query(statement)
                self.assertEqual((answer.errors[0]["C"], answer.status), ("25P02", "E"), statement)
            self.assertEqual(client.query("commit").tags, ["ROLLBACK"])
            self.assertEqual(client.value("select count(*) from account"), "1")
            client.run("begin")

    def test_its_replica_may_leave_between_two_statements(self):
        with until_write() as client, STAND.superuser(1) as replica, self.reading(client):
            terminate = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where state like 'idle in tr%'"
            self.assertEqual(replica.value(terminate), "1")
            self.assertEqual(self.routes(client, "select 1", "insert into account values (2, 0)"),
                             [("primary", "upgrade"), ("primary", "in_transaction")])

    def test_a_first_statement_that_the_replica_refuses_is_repeated_on_the_primary(self):  # A60
        with until_write() as client:
            write = "'insert into account values (9, 9) returning n'"
            client.run(f"create or replace function note() returns int language sql as {write}")
            client.run("create or replace function quiet() returns int stable language plpgsql as 'begin return note(); end'")

            def is_repeated():
                client.run("begin")
                try:
                    return self.routes(client, f"select quiet() as as_{self.number}")[0][1] == "replica_error_retry"
                finally:
                    self.number += 1
                    self.assertEqual(client.query("commit").tags, ["COMMIT"])

            self.number = 0
            eventually(is_repeated, 10, "the functions are known")
            self.assertGreater(int(client.value("select count(*) from account where n = 9")), 0)

    def test_a_read_waits_for_the_writes_that_it_must_see(self):  # D11
        with until_write() as client, STAND.superuser(1) as replica:
            replica.run("select pg_wal_replay_pause()")
            self.addCleanup(self.resume)
            client.run("insert into account values (2, 0)")
            client.run("begin")
            self.assertEqual(self.routes(client, "select count(*) from account"), [("primary", "own_write")])
            self.assertEqual(client.value("select count(*) from account"), "2")
            self.assertEqual(self.routes(client, "insert into account values (3, 0)"), [("primary", "in_transaction")])
            client.run("commit")

    def resume(self):
        with STAND.superuser(1) as replica:
            replica.run("select pg_wal_replay_resume()")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"freshness_wait": "2s"})
