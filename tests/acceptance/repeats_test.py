#!/usr/bin/python3
"""What is executed a second time, and what never is: A60, A61, A63, F44, G2, G3, E23."""
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually

STAND = None


def login(**options):
    return wire.Connection.login(STAND.address, timeout=20, **options)


def route_of(client):
    """(target, reason, attempts) of the last statement."""
    target, _, reason, attempts = client.run("show fairlead.last_route")[0][:4]
    return target, reason, int(attempts)


@only_proxied
class Repeats(unittest.TestCase):
    shapes = 0

    def setUp(self):
        with login() as client:
            client.run("drop table if exists notes; create table notes (n int)")
            client.run("create or replace function note(int) returns int language sql as 'insert into notes values ($1) returning n'")
            # The label lies, so that a replica is asked, and refuses when it comes to the write.
            client.run("create or replace function lie(int, int) returns int stable language plpgsql as "
                       "'begin if $1 >= $2 then return note($1); end if; return $1; end'")
            client.run("create or replace function lie_late(float, float) returns int stable language plpgsql as "
                       "'begin perform pg_sleep($1); perform note(1); perform pg_sleep($2); return 1; end'")
            eventually(lambda: self.is_tried(client), 10, "the functions are known")

    def is_tried(self, client):
        client.run(self.shape("lie(1, 1)"))
        return route_of(client) == ("primary", "replica_error_retry", 2)

    def shape(self, columns, rest=""):
        """One that no replica has refused before (A44)."""
        Repeats.shapes += 1
        return f"select {columns} as shape_{Repeats.shapes} {rest}"

    def test_a_refused_read_is_repeated_once_and_counted(self):  # A60, A63
        with login() as client:
            before = int(client.value("/* fairlead.route=primary */ select count(*) from notes"))
            self.assertEqual(client.run(self.shape("lie(7, 7)")), [("7",)])
            self.assertEqual(route_of(client), ("primary", "replica_error_retry", 2))
            self.assertEqual(client.prepared(self.shape("lie($1::int, 7)"), 8), [("8",)])
            self.assertEqual(route_of(client), ("primary", "replica_error_retry", 2))
            self.assertEqual(int(client.value("/* fairlead.route=primary */ select count(*) from notes")), before + 2)
            client.run("select 1")
            self.assertEqual(route_of(client), ("replica", "read", 1))

    def test_what_a_replica_refused_is_a_write_that_reads_have_to_see(self):  # A44, D11
        count = "select count(*) from notes"
        with login() as client, login() as other:
            for reader, level in ((other, "app"), (client, "session"), (client, "app")):
                reader.run("set fairlead.consistency = 'app'")
                eventually(lambda one=reader: one.run(count) and route_of(one)[0] == "replica", 10, "the replica has caught up")
                with self.subTest(level=level), STAND.paused_replay():
                    reader.run(f"set fairlead.consistency = '{level}'")
                    before = int(reader.value(count))
                    client.run(self.shape("lie(7, 7)"))
                    self.assertEqual(route_of(client), ("primary", "replica_error_retry", 2))
                    self.assertEqual(int(reader.value(count)), before + 1)
                    self.assertEqual(route_of(reader)[:2], ("primary", "own_write"))

    def test_nobody_is_told_that_a_write_which_was_found_late_is_safe_to_repeat(self):  # E21, G3
        with login() as client, STAND.superuser() as primary:
            client.send(wire.query(self.shape("lie_late(0, 30)")))
            running = "select count(*) from pg_stat_activity where usename = 'tester' and state = 'active'"
            eventually(lambda: primary.value(running) == "1", 10, "the second attempt runs")
            self.terminate(primary, "active")
            answer = client.answer()
            self.assertEqual(([error["C"] for error in answer.errors], answer.status), (["08007"], "I"))
            self.assertIn("before you repeat it", answer.errors[0]["H"])

    def test_nothing_is_repeated_of_which_a_byte_is_out(self):  # G3, A60
        with login() as client:
            answer = client.query(self.shape("lie(n, 90000)", "from generate_series(1, 100000) n"))
            self.assertEqual(len(answer.rows), 89_999)
            self.assertEqual((answer.kinds, answer.errors[0]["C"], answer.status), ("TEZ", "25006", "I"))
            self.assertEqual(route_of(client), ("replica", "read", 1))

    def test_nothing_is_repeated_inside_a_transaction(self):  # A61, E23
        for begin in ("begin read only", "begin isolation level repeatable read read only"):
            with self.subTest(begin=begin), login() as client, STAND.superuser(1) as replica:
                client.run(begin)
                client.run("select count(*) from notes")
                self.assertEqual(route_of(client), ("replica", "transaction_read_only", 1))
                answer = client.query(self.shape("lie(1, 1)"))
                self.assertEqual((answer.errors[0]["C"], answer.status), ("25006", "E"))
                self.assertEqual(client.query("select 1").errors[0]["C"], "25P02")
                self.assertEqual(client.query("commit").tags, ["ROLLBACK"])
                self.assertEqual(route_of(client)[0], "replica")

                client.run(begin)
                client.run("select count(*) from notes")
                client.send(wire.query("select pg_sleep(30)"))
                self.terminate(replica, "active")
                answer = client.answer()
                self.assertEqual((answer.errors[0]["C"], len(answer.errors), answer.status), ("08006", 1, "E"))
                client.run("rollback")

                client.run(begin)
                client.run("select count(*) from notes")
                self.terminate(replica, "idle in transaction")
                answer = client.query("select count(*) from notes")
                self.assertEqual((answer.kinds, answer.errors[0]["C"], answer.status), ("EZ", "08006", "E"))
                client.run("rollback")
                self.assertEqual(client.run("select 1"), [("1",)])

    def test_that_others_lose_their_servers_is_no_reason(self):  # A60, E7
        long = self.shape("count(*)", "from generate_series(1, 10000) as a, generate_series(1, 5000) as b")
        for node, target in enumerate(("primary", "replica")):
            with self.subTest(target=target), login() as client, STAND.superuser(node) as server:
                client.send(wire.query(f"/* fairlead.route={target} */ {long}"))
                running = "select count(*) from pg_stat_activity where usename = 'tester' and state = 'active'"
                eventually(lambda: server.value(running) == "1", 10, "it runs")
                rounds = 0
                others = [login() for _ in range(4)]
                while server.value(running) == "1":
                    for other in others:
                        other.run("begin" if target == "primary" else "begin read only")
                        other.run("select count(*) from notes")
                    server.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tester' and "
                               "state = 'idle in transaction'")
                    with login() as writer:  # Reads that wait have the nodes asked at once.
                        writer.run("insert into notes values (1)")
                        writer.run("select count(*) from notes")
                    for other in others:
                        other.query("rollback")
                    rounds += 1
                for other in others:
                    other.close()
                self.assertEqual(client.answer().checked().rows, [("50000000",)])
                self.assertEqual(route_of(client)[::2], (target, 1))
                self.assertGreater(rounds, 10)

    def terminate(self, node, state):
        terminated = f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'tester' and state = '{state}'"
        eventually(lambda: node.run(terminated) == [("t",)], 10, f"a server that is {state} is terminated")

    def test_a_cancel_ends_the_second_attempt_and_prevents_it(self):  # F44
        with login() as client, STAND.superuser() as primary:
            client.send(wire.query(self.shape("lie_late(0, 30)")))
            running = "select count(*) from pg_stat_activity where usename = 'tester' and state = 'active'"
            eventually(lambda: primary.value(running) == "1", 10, "the second attempt runs")
            client.cancel()
            answer = client.answer()
            self.assertEqual((answer.rows, answer.errors[0]["C"], answer.status), ([], "57014", "I"))
            self.assertEqual(route_of(client)[::2], ("primary", 2))

            client.send(wire.query(self.shape("lie_late(30, 0)")))
            with STAND.superuser(1) as replica:
                eventually(lambda: replica.value(running) == "1", 10, "the first attempt runs")
            client.cancel()
            answer = client.answer()
            self.assertEqual((answer.rows, answer.errors[0]["C"], answer.status), ([], "57014", "I"))
            self.assertEqual(route_of(client)[::2], ("replica", 1))

    def test_what_a_replica_would_do_without_a_word_never_reaches_one(self):  # G2, A7
        with login() as client:
            for call in (
                "pg_try_advisory_xact_lock(1)", "set_config('work_mem', '5MB', true)", "setseed(0.5)", "pg_stat_reset()",
                "pg_reload_conf()", "pg_export_snapshot()", "pg_wal_replay_pause()", "pg_promote()", "txid_current()",
                "pg_drop_replication_slot('nothing')", "pg_terminate_backend(0)", "lo_export(1, '/nowhere')",
            ):
                for hint in ("", "/* fairlead.route=replica */"):
                    client.query(f"{hint} select {call}")  # For most of them the tests' role has no privilege.
                    self.assertEqual(route_of(client)[::2], ("primary", 1), (hint, call))
            for statement in ("checkpoint", "copy (select 1) to '/nowhere/at/all'", "alter system reset all", "lock table notes",
                              "do 'begin end'", "load 'nothing'"):
                client.query(f"/* fairlead.route=replica */ {statement}")
                self.assertEqual(route_of(client)[::2], ("primary", 1), statement)


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"max_lag": "1min", "freshness_wait": "2s"})
