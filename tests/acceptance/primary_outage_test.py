#!/usr/bin/python3
"""While there is no primary: writes wait for one up to failover_hold, then get a clear error; reads and new clients go on: E20, E25."""
import os
import signal
import sys
import threading
import time
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually, is_alive

STAND = None
GONE = "there is no primary any more"
HOLD = 10  # Seconds; longer than a node that went down soon after it came up must answer well before it is up again.


def route(client):
    """(target, reason) of the last statement."""
    target, _, reason = client.run("show fairlead.last_route")[0][:3]
    return target, reason


def reads_from_replica():
    with wire.Connection.login(STAND.address) as client:
        client.run("select 1 from outage limit 1")
        return route(client)[0] == "replica"


class PrimaryOutage(unittest.TestCase):
    def setUp(self):
        with wire.Connection.login(STAND.address) as client:
            client.run("create table if not exists outage (n int)")

    def kill_primary(self):
        # A write whose position nobody has asked for yet cannot be proven to be on a replica: reads would wait, too.
        eventually(reads_from_replica, 10, "reads go to the replica")
        pid, times = STAND.node_pid(0), STAND.whole_log().count(GONE)
        STAND.signal_node(0, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), 10, "the primary is gone")
        # What is sent to its last servers has an unknown outcome, and waits for nobody.
        eventually(lambda: STAND.whole_log().count(GONE) > times, 10, "the proxy has noticed it")

    def start_primary(self):
        STAND.start_nodes()

    @only_proxied
    def test_a_write_waits_for_the_primary_and_reads_go_on(self):
        results, writer_address = [], STAND.address

        def write(client, number):
            try:
                client.run(f"insert into outage values ({number})")
                results.append(number)
            except Exception as error:  # Any is a failure of the promise.
                results.append(error)

        with wire.Connection.login(writer_address, timeout=30) as old, \
             wire.Connection.login(writer_address, timeout=30) as reader:
            self.assertEqual(old.run("select 1"), [("1",)])
            self.kill_primary()
            try:
                writers = [threading.Thread(target=write, args=(old, 1))]
                writers[0].start()
                time.sleep(0.5)
                for _ in range(20):  # The writers wait for the primary, not the readers for them.
                    self.assertEqual(reader.run("select 2"), [("2",)])
                for application in ("one", "another"):  # Nobody with these settings has been greeted yet.
                    with wire.Connection.login(STAND.address, application_name=application) as new:
                        self.assertEqual(new.run("select 3"), [("3",)])
                self.assertEqual(results, [])
            finally:
                self.start_primary()
            for thread in writers:
                thread.join(20)
            self.assertEqual(results, [1])
        with wire.Connection.login(STAND.address) as client:
            self.assertEqual(client.run("select n from outage where n = 1"), [("1",)])

    @only_proxied
    def test_reads_that_need_new_servers_do_not_wait_for_the_primary(self):  # D16 b
        clients = [wire.Connection.login(STAND.address, timeout=30) for _ in range(6)]
        self.kill_primary()
        try:
            began = time.monotonic()
            for client in clients:  # All at once, so that each has a server of its own.
                client.send(wire.query("/* fairlead.route=replica */ select pg_sleep(0.5)"))
            for client in clients:
                client.answer().checked()
            self.assertLess(time.monotonic() - began, HOLD - 1)
        finally:
            self.start_primary()
            for client in clients:
                client.close()

    @only_proxied
    def test_a_read_that_the_primary_was_executing_is_executed_again(self):  # A60
        read = "/* fairlead.route=primary */ select count(*) from generate_series(1, 5000000) under_way"
        active = "select count(*) from pg_stat_activity where state = 'active' and query like '%under_way%'"
        with wire.Connection.login(STAND.address, timeout=60) as client, \
             wire.Connection.login(STAND.node_address(0)) as primary:
            proven = lambda: client.run("select 1 from generate_series(1, 1)") and route(client)[0] == "replica"
            eventually(proven, 10, "the catalog is known, without which no read is proven")
            client.send(wire.query(read))
            eventually(lambda: int(primary.value(active)) > 1, 10, "the primary executes it")  # The look itself is one.
            self.kill_primary()
            self.start_primary()
            self.assertEqual(client.answer().checked().rows, [("5000000",)])
            self.assertEqual(route(client), ("primary", "hint"))

    @only_proxied
    def test_a_read_whose_backend_is_killed_is_not_given_to_one_that_dies_with_it(self):  # A60
        """PostgreSQL ends all its backends a moment after one of them was killed."""
        sleep = wire.query("/* fairlead.route=primary */ select pg_sleep(0.1)")
        mine = "select pid from pg_stat_activity where state = 'active' and query like '%killed%' and pid <> pg_backend_pid()"
        with wire.Connection.login(STAND.address, timeout=60) as client, wire.Connection.login(STAND.address) as other:
            for _ in range(3):
                eventually(reads_from_replica, 30, "the catalog is known, without which no read is proven")
                with wire.Connection.login(STAND.node_address(0)) as primary:
                    for one in (client, other):  # At once, so that there is an idle server, too.
                        one.send(sleep)
                    for one in (client, other):
                        one.answer().checked()
                    client.send(wire.query("/* fairlead.route=primary */ select count(*) from generate_series(1, 3000000) killed"))
                    [(pid,)] = eventually(lambda: primary.run(mine), 10, "the primary executes it")
                    os.kill(int(pid), signal.SIGKILL)
                    self.assertEqual(client.answer().checked().rows, [("3000000",)])

    @only_proxied
    def test_who_waits_for_the_position_of_a_primary_that_hangs_can_cancel_that(self):  # F42
        eventually(reads_from_replica, 20, "reads go to the replica")
        with wire.Connection.login(STAND.address, timeout=HOLD - 1) as client:
            client.run("show fairlead.token")
            STAND.signal_node(0, signal.SIGSTOP)
            try:
                client.send(wire.query("show fairlead.token"))
                with wire.Connection.login(STAND.address) as another:  # It waits by then, on whichever worker.
                    another.run("select 1")
                client.cancel()
                answer = client.answer()
                self.assertEqual(([error["C"] for error in answer.errors], answer.status), (["57014"], "I"))
                self.assertEqual(client.run("select 1"), [("1",)])
            finally:
                STAND.signal_node(0, signal.SIGCONT)
            self.assertRegex(client.value("show fairlead.token"), "^[0-9]+:1:")

    @only_proxied
    def test_a_write_that_waited_long_enough_is_refused(self):
        with wire.Connection.login(STAND.address, timeout=30) as client:
            self.kill_primary()
            try:
                began = time.monotonic()
                with self.assertRaises(wire.ServerError) as refused:
                    client.run("insert into outage values (3)")
                waited = time.monotonic() - began
                self.assertEqual(refused.exception.sqlstate, "57P03", refused.exception)
                self.assertGreater(waited, HOLD - 0.5)
                self.assertLess(waited, HOLD + 4)
                self.assertEqual(client.run("select 4"), [("4",)])  # The connection has survived.
            finally:
                self.start_primary()

            client.run("insert into outage values (5)")


if __name__ == "__main__":
    # The least patience: a new server of the replica's, whose freshness nobody has seen yet, must not send a read to the
    # primary that is gone.
    run_program(sys.modules[__name__], replicas=1, database={"failover_hold": f"{HOLD}s", "freshness_wait": "0ms"})
