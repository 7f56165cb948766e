#!/usr/bin/python3
"""What clients send without waiting for answers, and what servers lose amid it: one server for all, so that whatever goes astray
reaches the next client. B8, B11, B13, C2, C12, C12b, C12e, C24, D11, E20, E21, E27, F20, F22, F23, F25, F32."""
import sys
import unittest

import psycopg

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually, memory_kib
from stand.proxy import Proxy

STAND = None
LARGE = 300 * 1024  # A message of which only the head is looked at.


def login(**options):
    return wire.Connection.login(STAND.address, timeout=20, **options)


def extended(sql, *values):
    """By the unnamed statement, without a Sync."""
    return wire.parse(sql) + wire.bind(values) + wire.execute()


def end_servers():
    """Every server of the tests' user on the primary, and until they are gone."""
    theirs = "from pg_stat_activity where usename = 'tester'"
    with STAND.superuser() as primary:
        primary.run(f"select pg_terminate_backend(pid) {theirs}")
        eventually(lambda: primary.value(f"select count(*) {theirs}") == "0", 10, "they have ended")


def wait_for_statement(text):
    with STAND.superuser() as primary:
        runs = f"select count(*) from pg_stat_activity where usename = 'tester' and state = 'active' and query like '%{text}%'"
        eventually(lambda: primary.value(runs) == "1", 10, f"{text} runs")


class Case(unittest.TestCase):
    def setUp(self):
        with login() as client:
            client.run("drop table if exists marks; create table marks (n int primary key)")

    def marks(self):
        with STAND.superuser(0, "tests") as primary:
            return [int(n) for (n,) in primary.run("select n from marks order by n")]


@only_proxied
class Pipelines(Case):
    def test_what_is_explained_waits_for_the_answers_before_it(self):
        with login() as client:
            for hint, setting in (("/* fairlead.explain=on */ ", "off"), ("", "on")):
                client.run("delete from marks")
                client.run(f"set fairlead.explain = '{setting}'")
                client.send(wire.query("insert into marks values (1)") + wire.query(f"{hint}select 2"))
                self.assertEqual(client.answer().checked().tags, ["INSERT 0 1"])
                self.assertEqual(client.answer().checked().rows, [("2",)])

    def test_what_fairlead_answers_itself_comes_in_its_place(self):
        with login() as client:
            client.send(wire.query("insert into marks select 1 from pg_sleep(0.2)") + wire.query("show fairlead.token") +
                        wire.query("set fairlead.consistency = 'strict'") + wire.query("show fairlead.consistency") +
                        wire.query("show fairlead.routes") + wire.query("select 5"))
            self.assertEqual(client.answer().checked().tags, ["INSERT 0 1"])
            [(token,)] = client.answer().checked().rows
            self.assertRegex(token, r"^\d+:\d+:[0-9A-F]+/[0-9A-F]+$")
            self.assertEqual(client.answer().checked().tags, ["SET"])
            self.assertEqual(client.answer().checked().rows, [("strict",)])
            self.assertEqual(client.answer().checked().tags, ["SHOW"])
            self.assertEqual(client.answer().checked().rows, [("5",)])

    def test_a_segment_that_has_failed_is_skipped_whatever_stands_in_it(self):  # F22
        with login() as client:
            for rest in ("show fairlead.token", "show fairlead.routes", "/* fairlead.explain=on */ select 1", "select 1"):
                client.send(extended("select 1/0") + wire.FLUSH + extended(rest) + wire.SYNC)
                answer = client.answer()
                self.assertEqual([error["C"] for error in answer.errors], ["22012"])
                self.assertEqual((answer.kinds, answer.status), ("1EZ", "I"))
            self.assertEqual(client.value("select 1"), "1")

    def test_what_is_skipped_of_a_large_message_never_reaches_the_server(self):  # F20, F22
        """Its body would be read as messages. These end the segment and write, wherever the cut is."""
        harm = wire.SYNC + wire.query("insert into marks values (666)")
        for shift in range(len(wire.FLUSH)):
            with self.subTest(shift=shift), login() as client:
                value = b"x" * shift + wire.FLUSH * (LARGE // len(wire.FLUSH)) + harm
                client.send(wire.parse("select 1/length($1)", "s") + wire.bind([""], "s") + wire.execute() + wire.FLUSH)
                while client.next()[0] != b"E":
                    pass
                client.send(wire.bind([value], "s") + wire.execute() + wire.SYNC)
                self.assertEqual(client.answer().kinds, "Z")
                self.assertEqual(client.value("select 2"), "2")
                self.assertEqual(self.marks(), [])

    def test_a_read_only_transaction_takes_nothing_along_to_a_replica(self):  # A5, B3, B10
        with login() as client:
            def reads_there():
                client.run("select count(*) from marks")
                return client.run("show fairlead.last_route")[0][0] == "replica"

            inserts = (f"insert into marks values ({number})" for number in range(1, 10))
            for texts, written in (
                (("begin", next(inserts), "commit", "begin read only", "select 1", "commit"), [1]),
                (("select 1", next(inserts), "begin read only"), [1, 2]),
                (("begin read only", "select 1", "commit", next(inserts)), [1, 2, 3]),
            ):
                with self.subTest(texts=texts):
                    eventually(reads_there, 10, "the replica has caught up")
                    client.extended(*(extended(text) for text in texts)).checked()
                    client.run("commit")
                    self.assertEqual(self.marks(), written)
            for text, written in ((f"select 1; commit; {next(inserts)}", 4), (f"begin read only; select 1; commit; {next(inserts)}", 5)):
                with self.subTest(text=text):
                    eventually(reads_there, 10, "the replica has caught up")
                    client.run("begin read only")
                    client.run(text)
                    self.assertEqual(self.marks()[-1], written)

    def test_who_never_reads_and_leaves_holds_nobody_up(self):  # F32
        for size in range(0, 3 * 1024 * 1024, 96 * 1024):
            client = login()
            client.send(wire.query(f"begin; set a.b = 1; select repeat('x', {size})") + wire.query("show fairlead.version") +
                        wire.TERMINATE)
            try:
                with login() as other:
                    self.assertEqual(other.value("select 1"), "1", size)
            finally:
                client.close()

    def test_who_leaves_while_it_waits_for_a_server_takes_none_along(self):  # C25, F29
        backend = "/* fairlead.route=primary */ select pg_backend_pid()"
        with login() as busy, login() as other:
            before = busy.value(backend)
            busy.send(wire.query("/* fairlead.route=primary */ select pg_sleep(2)"))
            wait_for_statement("pg_sleep")
            for n in range(5):
                with login() as impatient:  # Says Terminate at its end.
                    impatient.send(wire.query(f"insert into marks values ({n})"))
                    other.run("show fairlead.version")  # There is one worker: it has taken the INSERT before.
            busy.answer().checked()
            self.assertEqual(busy.value(backend), before)
        self.assertEqual(self.marks(), [])

    def test_reports_are_not_made_for_who_does_not_read_them(self):  # F20
        proxy = Proxy(STAND, {"database": {"mode": "observe"}, "proxy": {"workers": 1}})
        self.addCleanup(proxy.stop)
        report, asked = wire.query("show fairlead.observe_shapes"), 2000
        with wire.Connection.login(proxy.address, timeout=60) as reader, wire.Connection.login(proxy.address) as other:
            for n in range(300):
                other.run(f"select {n} as column_{n}")
            before = memory_kib(proxy.pid, "VmRSS")
            reader.send(report * asked)
            for _ in range(asked):  # One for each that could be made for the one who does not read.
                other.run("show fairlead.observe_shapes")
            self.assertLess(memory_kib(proxy.pid, "VmRSS") - before, 8 * 1024)  # KiB
            for _ in range(asked):
                self.assertGreaterEqual(len(reader.answer().checked().rows), 300)


@only_proxied
class Effects(Case):
    """What one text of several statements did to settings, as far as it got."""

    def expect_settings(self, *texts, tenant):
        with login() as client:
            for text in texts:
                status = client.query(text).status
            if status == "E":
                client.run("rollback")
            self.assertEqual(client.run("select current_setting('app.tenant', true)")[0][0] or "", tenant, texts)
        with login() as next_client:
            self.assertEqual(next_client.run("select current_setting('app.tenant', true)")[0][0] or "", "", texts)

    def test_what_was_committed_stays_and_what_was_not_goes(self):  # B8, C2
        setting = "set app.tenant = 't1'"
        for texts, tenant in (
            ([f"begin; {setting}; commit; select 1/0"], "t1"),
            ([f"begin; {setting}; select 1/0"], ""),
            ([f"{setting}; select 1/0"], ""),
            (["begin", setting, "commit; select 1/0"], "t1"),
            (["begin", setting, f"rollback; {setting.replace('t1', 't2')}"], "t2"),
            ([f"begin; savepoint a; {setting}; rollback to a; commit"], ""),
            (["begin", f"savepoint a; {setting}; rollback to a", "commit"], ""),
            (["begin", f"savepoint a; {setting}; select 1/0", "rollback to a", "commit"], ""),
            (["begin", f"{setting}; savepoint a; select 1/0", "rollback to a", "commit"], "t1"),
            (["begin; select set_config('app.tenant', 't1', false); commit; select 1/0"], "t1"),
            (["begin", "select 1/0", f"commit; {setting}"], "t1"),
            ([f"begin; {setting}; rollback; select set_config('app.tenant', 't3', false)"], "t3"),
        ):
            with self.subTest(texts=texts):
                self.expect_settings(*texts, tenant=tenant)

    def test_each_commit_of_a_pipeline_counts_for_itself(self):  # B11
        with login() as client:
            client.run("begin")
            client.query("select 1/0")
            parts = ("commit", "begin", "set app.tenant = 't1'", "commit")
            answer = client.extended(*(extended(part) for part in parts)).checked()
            self.assertEqual(answer.tags, ["ROLLBACK", "BEGIN", "SET", "COMMIT"])
            self.assertEqual(client.value("select current_setting('app.tenant')"), "t1")
        with login() as next_client:
            self.assertEqual(next_client.run("select current_setting('app.tenant', true)")[0][0] or "", "")


@only_proxied
class Copies(Case):
    def test_a_copy_that_is_sent_in_one_go(self):  # F25
        with login() as client:
            client.send(extended("copy marks from stdin") + wire.SYNC + wire.copy_data(b"1\n") + wire.COPY_DONE + wire.SYNC)
            self.assertEqual(client.answer().kinds, "12GCZ")
            self.assertEqual(client.value("select 1"), "1")
        self.assertEqual(self.marks(), [1])

    def test_a_copy_whose_server_dies_is_answered_once(self):  # E27, F25
        with login() as client:
            client.send(extended("copy marks from stdin") + wire.SYNC)
            self.assertEqual([client.next()[0] for _ in range(3)], [b"1", b"2", b"G"])
            client.send(wire.copy_data(b"1\n") * 2)
            end_servers()
            with login() as other:  # The only slot is free: the loss was noticed.
                other.run("/* fairlead.route=primary */ select 1")
            client.send(wire.COPY_DONE + wire.SYNC)
            self.assertEqual(client.answer().kinds, "EZ")
            self.assertEqual(client.value("select 1"), "1")
        self.assertEqual(self.marks(), [])


@only_proxied
class Statements(Case):
    """What a server has of prepared statements, when it is not what was sent last."""

    def test_discard_all_takes_nothing_of_what_stands_behind_it(self):  # C12b
        with login() as client, login() as other:
            client.run("select 1 /* fairlead.route=primary */")
            text = "insert into marks values (%d) returning n"
            client.extended(wire.parse(text % 2, "s1")).checked()
            answer = client.extended(extended("discard all"), wire.parse(text % 2, "s1"), wire.parse(text % 3, "s2"))
            self.assertEqual(answer.checked().kinds, "12C11Z")
            for name, row in (("s1", "2"), ("s2", "3")):
                self.assertEqual(client.extended(wire.bind([], name), wire.execute()).checked().rows, [(row,)])
            other.extended(wire.parse(text % 2, "mine"), wire.parse(text % 3, "other")).checked()
            refused = other.extended(wire.bind([], "mine"), wire.execute())
            self.assertEqual([error["C"] for error in refused.errors], ["23505"])

    def test_what_discard_all_took_is_gone_for_what_stands_behind_it(self):  # C12b
        with login() as client:
            client.extended(wire.parse("select 1", "s1")).checked()
            answer = client.extended(extended("discard all"), wire.bind([], "s1"), wire.execute())
            self.assertEqual([error["C"] for error in answer.errors], ["26000"])
            self.assertIn('"s1"', answer.errors[0]["M"])
            self.assertEqual(client.extended(wire.parse("select 1", "s1"), wire.bind([], "s1"), wire.execute()).checked().rows,
                             [("1",)])

    def test_an_error_behind_discard_all_takes_nothing_of_it_back(self):  # B8, C24
        with STAND.superuser() as primary:
            primary.run("drop role if exists borrowed; create role borrowed; grant borrowed to tester")
        settings = "/* fairlead.route=primary */ select current_user, current_setting('app.tenant', true)"
        with login() as client, login() as other:
            for one in (client, other):
                one.run("set app.tenant = 't1'")
                one.run("set role borrowed")
            self.assertEqual(client.run(settings), [("borrowed", "t1")])
            answer = client.extended(extended("discard all"), extended("select 1/0"))
            self.assertEqual([error["C"] for error in answer.errors], ["22012"])
            self.assertEqual(other.run(settings), [("borrowed", "t1")])
            self.assertEqual(client.run(settings), [("tester", "")])

    def test_what_is_taken_behind_discard_all_is_held(self):  # C16
        with login() as client, login() as other:
            client.extended(extended("discard all"), extended("listen news")).checked()
            with STAND.superuser(database="tests") as primary:
                primary.run("notify news, 'first'")
            self.assertEqual(client.value("/* fairlead.route=primary */ select 1"), "1")
            self.assertEqual(client.notifications, [("news", "first")])
            client.run("unlisten *")
            other.run("/* fairlead.route=primary */ select 1")
            self.assertEqual(other.notifications, [])

    def test_nothing_behind_a_reset_runs_without_the_start_up_settings(self):  # C24
        with STAND.superuser(database="tests") as primary:
            primary.run("drop schema if exists own cascade; create schema own; grant all on schema own to tester;"
                        "drop role if exists borrowed; create role borrowed; grant borrowed to tester")
        insert, reset_local = "insert into marks values ({})", "set local search_path to default"
        with login(options="-c search_path=own") as client, login() as other:
            client.run("create table marks (n int primary key, by_user name default current_user)")
            written = []

            def inserts(*before):
                written.append(len(written))
                return [*before, insert.format(written[-1])]

            resets = ("reset all", "reset search_path", "set search_path to default", reset_local, "discard all")
            for reset in resets:  # Amid a segment; and in parts of it.
                with self.subTest(reset=reset):
                    client.extended(*(extended(text) for text in inserts(reset))).checked()
                    client.extended(*(extended(text) + wire.FLUSH for text in inserts(reset))).checked()
                    if reset != "discard all":
                        client.run("begin")
                        client.extended(*(extended(text) for text in inserts("set local search_path = public", reset))).checked()
                        client.run("commit")
                    self.assertEqual(client.value("show search_path"), "own")
            for reset in resets[:-1]:  # In one Query.
                for begin in (None, "begin"):
                    with self.subTest(reset=reset, begin=begin):
                        client.query(begin or "")
                        answer = client.query(f"{reset}; {insert.format(1000)}")
                        self.assertEqual([error["C"] for error in answer.errors], ["0A000"])
                        self.assertEqual(answer.status, "E" if begin else "I")
                        client.query("rollback")
            client.run("; ".join(inserts("reset search_path", "set search_path = own")))
            client.run("; ".join(inserts("reset work_mem")))
            client.run("reset all; unlisten *; close all; select pg_advisory_unlock_all()")
            client.run("begin; savepoint s; reset all; rollback to s; commit")
            client.run("; ".join(inserts()))
            self.assertEqual(client.run("select n::int from own.marks order by n"), [(str(n),) for n in written])
            other.run("reset all; " + insert.format(7))  # Who asks for nothing is not in the way of anything.
            self.assertEqual(self.marks(), [7])

    def test_a_role_of_the_start_up_packet_is_left_by_no_reset_amid_a_pipeline(self):  # C6, C24
        with STAND.superuser(database="tests") as primary:
            primary.run("drop role if exists borrowed; create role borrowed; grant borrowed to tester")
        who = "select current_user"
        with login(options="-c role=borrowed") as client:
            for reset in ("reset role", "reset session authorization", "set role to default", "discard all"):
                with self.subTest(reset=reset):
                    self.assertEqual(client.extended(extended(reset), extended(who)).checked().rows, [("borrowed",)])
                    self.assertEqual(client.value(who), "borrowed")
            self.assertEqual(client.query(f"reset role; {who}").errors[0]["C"], "0A000")

    def test_an_unnamed_statement_whose_parse_has_failed_is_gone(self):  # C12
        text = "insert into comes_and_goes values (1)"
        with login() as client, login() as other, STAND.superuser(database="tests") as primary:
            def make():
                primary.run("create table comes_and_goes (n int); grant all on comes_and_goes to tester")
            primary.run("drop table if exists comes_and_goes")
            make()
            client.prepared(text)
            primary.run("drop table comes_and_goes")
            self.assertEqual([error["C"] for error in client.extended(extended(text)).errors], ["42P01"])
            make()
            other.extended(wire.parse(text)).checked()
            self.assertEqual(other.extended(wire.bind([]), wire.execute()).checked().tags, ["INSERT 0 1"])

    def test_statements_that_a_function_has_dropped_are_made_anew(self):  # C12e, F32
        drops = "do 'begin execute ''deallocate all''; end'"
        with login() as client, login() as other:
            for one in (client, other):
                one.extended(wire.parse("insert into marks values ($1)", "s")).checked()
            use = [wire.bind([n], "s") + wire.execute() for n in range(4)]
            client.extended(use[0]).checked()
            client.run(drops)
            other.extended(use[1]).checked()
            other.run(drops)
            client.extended(use[2]).checked()
            other.extended(use[3]).checked()
        self.assertEqual(self.marks(), [0, 1, 2, 3])


@only_proxied
class Losses(Case):
    def test_a_rollback_ends_a_lost_transaction_whatever_stands_behind_it(self):  # B13, E20
        insert = extended("insert into marks values (3)")
        for behind, tags, left in (
            ([extended("deallocate all")], ["ROLLBACK", "DEALLOCATE ALL"], []),
            ([extended("begin"), insert, extended("commit")], ["ROLLBACK", "BEGIN", "INSERT 0 1", "COMMIT"], [3]),
            ([wire.close(b"P")], ["ROLLBACK"], []),
        ):
            for is_told in (True, False):
                with self.subTest(tags=tags, is_told=is_told), login() as client:
                    client.run("delete from marks")
                    client.run("begin")
                    client.run("insert into marks values (1)")
                    end_servers()
                    with login() as other:  # The only slot is free: the loss was noticed.
                        other.run("/* fairlead.route=primary */ select 1")
                    if is_told:
                        self.assertEqual([error["C"] for error in client.query("select 1").errors], ["08006"])
                    self.assertEqual(client.extended(extended("rollback"), *behind).checked().tags, tags)
                    self.assertEqual(self.marks(), left)

    def test_a_driver_rolls_back_a_lost_transaction_in_its_pipeline(self):  # B13, E20
        address = STAND.address
        for is_told in (True, False):
            with self.subTest(is_told=is_told), psycopg.connect(
                    host=address.host, port=address.port, user=address.user, password=address.password,
                    dbname=address.database, prepare_threshold=0) as client:
                client.execute("delete from marks where n > %s", [0])
                client.commit()
                client.execute("insert into marks values (%s)", [1])
                end_servers()
                with login() as other:  # The only slot is free: the loss was noticed.
                    other.run("/* fairlead.route=primary */ select 1")
                if is_told:
                    self.assertRaises(psycopg.OperationalError, client.execute, "insert into marks values (%s)", [2])
                with client.pipeline():
                    client.rollback()
                    client.execute("insert into marks values (%s)", [3])
                    client.commit()
                self.assertEqual(self.marks(), [3])

    def test_a_large_query_whose_server_dies_is_answered_to_its_end(self):  # E20, E21
        with login() as client:
            text = wire.query("insert into marks select 1 where 'x' = '" + "y" * (2 * 1024 * 1024) + "'")
            client.send(text[: len(text) // 2])
            with STAND.superuser() as primary:
                mine = "select count(*) from pg_stat_activity where usename = 'tester' and backend_xmin is null"
                eventually(lambda: primary.value(mine) == "1", 10, "it has a server")
            end_servers()
            client.send(text[len(text) // 2 :])
            answer = client.answer()
            # Whether the rest went out before the loss was noticed is a race.
            self.assertIn([error["C"] for error in answer.errors], (["08006"], ["08007"]))
            self.assertEqual(client.value("select 1"), "1")

    def test_nothing_behind_a_lost_transaction_is_executed_outside_of_it(self):  # E20
        with login() as client:
            client.run("begin")
            client.run("insert into marks values (1)")
            client.send(wire.query("insert into marks select 2 from pg_sleep(30)"))
            wait_for_statement("pg_sleep(30)")
            end_servers()
            answers = [client.answer()]
            client.send(wire.query("insert into marks values (3)") + wire.query("commit") + wire.query("insert into marks values (4)"))
            answers += [client.answer() for _ in range(3)]
            self.assertEqual([[error["C"] for error in answer.errors] for answer in answers], [["08006"], ["25P02"], [], []])
            self.assertEqual([answer.status for answer in answers], ["E", "E", "I", "I"])
            self.assertEqual(answers[2].tags, ["ROLLBACK"])
        self.assertEqual(self.marks(), [4])

    def test_nor_behind_one_that_begins_within_a_query(self):  # E20, G3
        sleep = "select from pg_sleep(30)"
        for begin, code, waits in (
            (f"begin; set local app.tenant = '7'; {sleep}", "08006", True), (f"begin; insert into marks values (1); {sleep}", "08006", False),
            (f"begin; rollback and chain; {sleep}", "08006", False), (f"select 1; commit; begin; {sleep}", "08007", False),
        ):
            with self.subTest(begin), login() as client:
                client.send(wire.query(begin) + wire.query("insert into marks values (3)") + wire.query("commit"))
                wait_for_statement("pg_sleep(30)")
                end_servers()
                answers = [client.answer() for _ in range(3)]
                self.assertEqual([error["C"] for error in answers[0].errors], [code])
                self.assertEqual([answer.status for answer in answers], ["E", "E", "I"])
                if waits:  # For the settings, so what stands behind was not sent.
                    self.assertEqual([[error["C"] for error in answer.errors] for answer in answers[1:]], [["25P02"], []])
                    self.assertEqual(answers[2].tags, ["ROLLBACK"])
            self.assertEqual(self.marks(), [])

    def test_the_end_of_a_transaction_that_was_lost_between_two_statements(self):  # E20
        for ends, told, tags, left in (
            (["rollback"], [[]], [["ROLLBACK"]], []),
            (["commit"], [["08006"]], [[]], []),
            (["insert into marks values (3)", "commit"], [["08006"], []], [[], ["ROLLBACK"]], []),
            (["insert into marks values (3)", "rollback; insert into marks values (5)"], [["08006"], []],
             [[], ["ROLLBACK", "INSERT 0 1"]], [5]),
        ):
            with self.subTest(ends=ends), login() as client:
                client.run("begin")
                client.run("insert into marks values (1)")
                end_servers()
                with login() as other:  # The only slot is free: the loss was noticed.
                    other.run("/* fairlead.route=primary */ select 1")
                answers = [client.query(end) for end in ends]
                self.assertEqual([[error["C"] for error in answer.errors] for answer in answers], told)
                self.assertEqual([answer.tags for answer in answers], tags)
                self.assertEqual(answers[-1].status, "I")
                self.assertEqual(self.marks(), left)

    def test_who_looks_for_a_write_of_unknown_outcome_finds_it(self):  # D11, E21
        with login() as client, login() as other:
            eventually(lambda: client.run("select count(*) from marks") and self.route(client) == "replica", 10, "it is read there")
            with STAND.paused_replay():
                client.send(wire.query("insert into marks values (7); commit; select pg_sleep(30)"))
                wait_for_statement("pg_sleep(30)")
                eventually(lambda: self.marks() == [7], 10, "it is committed")
                end_servers()
                self.assertEqual([error["C"] for error in client.answer().errors], ["08007"])
                for one in (client, other):
                    self.assertEqual(one.value("select count(*) from marks where n = 7"), "1")

    def route(self, client):
        return client.run("show fairlead.last_route")[0][0]


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"pool_size": 1}, proxy={"workers": 1})
