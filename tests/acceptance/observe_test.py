#!/usr/bin/python3
"""Observe mode: an application runs, nothing of it reaches a replica, and the report counts exactly what was sent."""
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import unittest

import psycopg2

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxied import ProxiedCluster
from stand.proxy import Proxy

STAND = None
OPTIONS = {"database": {"mode": "observe"}}
ON_A_REPLICA = "select pg_is_in_recovery()"
COUNT = "select count(*) from things"


class Application:
    """A client of a proxy of its own, so that the figures are its own too."""

    def __init__(self, proxy, **parameters):
        self.proxy = proxy
        self.client = wire.Connection.login(proxy.address, **parameters)

    def settle(self):
        """Until a replica has replayed everything: then a read moves at once, and says so."""
        eventually(self._moves, 10, "a replica is fresh enough")

    def _moves(self):
        with wire.Connection.login(self.proxy.address, self.proxy.address.read_port) as reader:
            reader.run("select count(*) from things")
        moved = self.totals()["reads_moving"]
        self.client.run("select count(*) as settled from things")
        return self.totals()["reads_moving"] == moved + 1

    def totals(self):
        return next(row for row in self.report() if row["database"] == "tests")

    def report(self):
        done = subprocess.run([STAND.binary, "observe", "-c", self.proxy.config, "--json"], capture_output=True, text=True,
                              timeout=30, check=True)
        return json.loads(done.stdout)["databases"]

    def grown(self, work):
        """What the report counts more after `work`."""
        before = self.totals()
        work(self.client)
        after = self.totals()
        figures = {
            name: after[name] - before[name] for name, value in after.items()
            if isinstance(value, int) and value != before[name]
        }
        known = {self._key(shape): shape["count"] for shape in before["shapes"]}
        shapes = {
            self._key(shape): shape["count"] - known.get(self._key(shape), 0) for shape in after["shapes"]
            if shape["count"] != known.get(self._key(shape), 0)
        }
        return figures, shapes

    @staticmethod
    def _key(shape):
        return shape["outcome"], shape["reason"], shape["shape"]


@only_proxied
class Observed(unittest.TestCase):
    def setUp(self):
        self.proxy = Proxy(STAND, sections={"database": {"mode": "observe"}})
        self.addCleanup(self.proxy.stop)
        self.application = Application(self.proxy)
        self.addCleanup(self.application.client.close)
        self.client = self.application.client
        self.client.run("create table if not exists things (n int primary key, t text)")
        self.client.run("create or replace function writes() returns int language sql volatile as 'select 1'")
        self.application.settle()

    def test_nothing_of_the_automatic_port_reaches_a_replica(self):
        with self.client as client:
            for statement in (
                ON_A_REPLICA, "/* fairlead.route=replica */ " + ON_A_REPLICA, "select pg_is_in_recovery() from (select 1) t",
                f"/* fairlead.route={'{}:{}'.format(*self.proxy.address.nodes[1])} */ {ON_A_REPLICA}",
            ):
                self.assertEqual(client.value(statement), "f", statement)
            for _ in range(20):
                client.run("select count(*) from things")
                self.assertEqual(client.run("show fairlead.last_route")[0][::2][:2], ("primary", "observe"))
                self.assertEqual(client.prepared("select n from things where n = $1", 7), [])
                self.assertEqual(client.run("show fairlead.last_route")[0][2], "observe")
            client.run("begin read only")
            client.run(COUNT)
            self.assertEqual(client.run("show fairlead.last_route")[0][::2][:2], ("primary", "observe"))
            self.assertEqual(client.value(ON_A_REPLICA), "f")
            client.run("commit")
        with wire.Connection.login(self.proxy.address, **{"fairlead.route": "replica"}) as client:
            self.assertEqual(client.value(ON_A_REPLICA), "f")
        routes = self.routes()
        self.assertEqual({target for reason, target in routes if reason != "port_replica"}, {"primary"})

    def routes(self):
        with wire.Connection.login(dataclasses.replace(self.proxy.address, database="fairlead")) as client:
            return {(row[0], row[1]): int(row[2]) for row in client.run("show routes")}

    def test_the_other_ports_are_as_they_were_and_are_not_counted(self):
        address = self.proxy.address

        def work(_):
            with wire.Connection.login(address, address.read_port) as client:
                self.assertEqual(client.value(ON_A_REPLICA), "t")
            with wire.Connection.login(address, address.primary_port) as client:
                self.assertEqual(client.value(ON_A_REPLICA), "f")

        self.assertEqual(self.application.grown(work), ({}, {}))

    def test_reads_writes_and_locks_are_counted_by_their_shapes(self):
        def work(client):
            for n in range(5):
                client.run(f"select t from things where n = {n}")
            client.prepared("select t from things where n = $1", 7)
            client.run("select t from things where n = 1 for update")
            client.run("select writes()")
            client.run("show work_mem")

        figures, shapes = self.application.grown(work)
        self.assertEqual(figures, {"statements": 9, "statements_moving": 6, "reads": 8, "reads_moving": 6})
        self.assertEqual(shapes, {
            ("moves", "read", "select t from things where n = ?"): 5,
            ("moves", "read", "select t from things where n = $1"): 1,
            ("stays", "row_lock", "select t from things where n = ? for update"): 1,
            ("stays", "volatile_function", "select writes()"): 1,
            ("stays", "session_state", "show work_mem"): 1,
        })

    def test_a_read_of_ones_own_write_would_have_waited(self):
        with self.paused_replicas():
            figures, shapes = self.application.grown(self.write_and_read)
        self.assertEqual(figures, {"statements": 2, "reads": 1, "waits": 1})
        self.assertEqual(shapes, {
            ("stays", "write", "insert into things values (?, ?) on conflict do nothing"): 1,
            ("waits", "read", "select count(*) from things"): 1,
        })

    @staticmethod
    def write_and_read(client):
        client.run("insert into things values (1, 'one') on conflict do nothing")
        client.run("select count(*) from things")

    @contextlib.contextmanager
    def paused_replicas(self):
        replicas = range(1, len(STAND.nodes))
        for index in replicas:
            with STAND.superuser(index) as server:
                server.run("select pg_wal_replay_pause()")
        try:
            yield
        finally:
            for index in replicas:
                with STAND.superuser(index) as server:
                    server.run("select pg_wal_replay_resume()")

    def test_transactions_share_one_fate_and_those_that_only_read_are_found(self):
        def work(client):
            for statement in (
                "begin", "select count(*) from things", "commit",
                "begin read only", "select count(*) from things", "select 1", "commit",
                "begin", "select count(*) from things", "update things set t = 'x'", "rollback",
            ):
                client.run(statement)

        figures, shapes = self.application.grown(work)
        self.assertEqual(figures, {  # BEGIN itself needs no server, and is no statement of one.
            "statements": 8, "statements_moving": 3, "reads": 4, "reads_moving": 2,
            "transactions": 3, "transactions_moving": 1, "transactions_only_reading": 1,
        })
        self.assertEqual(shapes, {
            ("stays", "transaction", COUNT): 2, ("stays", "in_transaction", "commit"): 1,
            ("moves", "transaction_read_only", COUNT): 1, ("moves", "transaction_read_only", "select ?"): 1,
            ("moves", "transaction_read_only", "commit"): 1,
            ("stays", "in_transaction", "update things set t = ?"): 1, ("stays", "in_transaction", "rollback"): 1,
        })

    def test_transaction_reads_is_foreseen_and_moves_nothing(self):
        self.client.run("set fairlead.transaction_reads = 'until_write'")

        def work(client):
            for statement in ("begin", COUNT, COUNT, "update things set t = 'x'", COUNT, "commit"):
                client.run(statement)

        figures, shapes = self.application.grown(work)
        self.assertEqual(figures, {
            "statements": 5, "statements_moving": 2, "reads": 3, "reads_moving": 2, "transactions": 1, "transactions_moving": 1,
        })
        self.assertEqual(shapes, {
            ("moves", "until_write", COUNT): 2, ("stays", "upgrade", "update things set t = ?"): 1,
            ("stays", "in_transaction", COUNT): 1, ("stays", "in_transaction", "commit"): 1,
        })
        self.client.run("begin")
        self.client.run(COUNT)
        self.assertEqual(self.client.run("show fairlead.last_route")[0][::2][:2], ("primary", "observe"))
        self.client.run("commit")

    def test_a_pinned_client_stays_and_a_node_that_does_not_exist_would_have_failed(self):
        def work(client):
            client.run("/* fairlead.route=nowhere:1 */ select count(*) from things")
            client.run("listen news")
            eventually(lambda: self.pins() > 0, 5, "the pin is known")
            client.run("select count(*) from things")

        figures, shapes = self.application.grown(work)
        self.assertEqual(figures, {"statements": 3, "reads": 2, "fails": 1})
        self.assertEqual(shapes[("fails", "hint", "select count(*) from things")], 1)
        self.assertEqual(shapes[("stays", "pinned", "select count(*) from things")], 1)

    def pins(self):
        with wire.Connection.login(dataclasses.replace(self.proxy.address, database="fairlead")) as client:
            return len(client.run("show pins"))

    def test_clients_of_both_workers_are_counted_together(self):
        def work(_):
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(wire.Connection.login(self.proxy.address)) for _ in range(24)]
                self.assertGreaterEqual(len({client.pid >> 25 for client in clients}), 2)
                for client in clients:
                    client.run("select 'everywhere', count(*) from things")

        figures, shapes = self.application.grown(work)
        self.assertEqual(figures["statements"], 24)
        self.assertEqual(sum(shapes.values()), 24)
        self.assertEqual({shape for _, _, shape in shapes}, {"select ?, count(*) from things"})

    def test_the_report_names_what_stays_and_what_would_free_it(self):
        self.client.run("select writes()")
        self.client.run("select t from things where t = 'a secret' for update")
        done = subprocess.run([STAND.binary, "observe", "-c", self.proxy.config], capture_output=True, text=True, timeout=30,
                              check=True)
        self.assertRegex(done.stdout, r"\Atests: \d+ statements in .*\n  \d+ of \d+ reads could move to replicas at once \(\d+\.\d %\)")
        self.assertRegex(done.stdout, r"1  stays  volatile_function\n +select writes\(\)\n +change: .*ALTER FUNCTION")
        self.assertIn("select t from things where t = ? for update", done.stdout)
        self.assertNotIn("secret", done.stdout)
        with contextlib.closing(self.connect_psycopg2()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW OBSERVE")
            names = [column.name for column in cursor.description]
            row = dict(zip(names, cursor.fetchone()))
            self.assertAlmostEqual(row["reads_share"], row["reads_moving"] / row["reads"], delta=0.0001)
            cursor.execute("SHOW OBSERVE_SHAPES")
            self.assertEqual(sum(row[4] for row in cursor.fetchall()), row["statements"])

    def connect_psycopg2(self):
        address = self.proxy.address
        connection = psycopg2.connect(host=address.host, port=address.port, user=address.user, password=address.password,
                                      dbname="fairlead")
        connection.autocommit = True
        return connection

    def test_a_reload_switches_over_and_back_and_keeps_the_figures(self):
        before = self.application.totals()["statements"]
        self.reload("observe", "split")
        eventually(lambda: self.route() == "replica", 10, "reads move")
        # A worker hears of it a moment after the log does, so that the first read may still have been observed.
        seen = self.application.totals()["statements"]
        self.assertGreaterEqual(seen, before)
        self.assertEqual(self.route(), "replica")
        self.assertEqual(self.application.totals()["statements"], seen)
        self.reload("split", "observe")
        self.client.run("select count(*) from things")
        self.assertEqual(self.client.run("show fairlead.last_route")[0][2], "observe")

    def route(self):
        self.client.run("select count(*) from things")
        return self.client.run("show fairlead.last_route")[0][0]

    def reload(self, old, new):
        with open(self.proxy.config, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(f'mode = "{old}"', text)
        with open(self.proxy.config, "w", encoding="utf-8") as file:
            file.write(text.replace(f'mode = "{old}"', f'mode = "{new}"'))
        reloads = self.proxy.whole_log().count("reload: ")
        os.kill(self.proxy.pid, signal.SIGHUP)
        eventually(lambda: self.proxy.whole_log().count("reload: ") > reloads, 10, "the reload is done")


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=ProxiedCluster, **OPTIONS)
