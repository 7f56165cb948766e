#!/usr/bin/python3
"""Readers through the death of one replica and the hanging of the other: no error, no long stall, and both come back: A60, E7, E23."""
import signal
import sys
import threading
import time
import unittest

import wire
from stand.open import is_long, only_proxied, run_program
from stand.processes import eventually, is_alive

STAND = None
CLIENTS = 32
SECONDS = 15 if is_long() else 3  # Before, between and after the failures.
STALL_MAX = 1.5


class Readers:
    """Clients that read in a loop, each query's latency with its time, until stop()."""

    def __init__(self):
        self.samples, self.errors = [], []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _work(self, number):
        n = 0
        try:
            with wire.Connection.login(STAND.address, timeout=30) as client:
                while not self._stopping.is_set():
                    n += 1
                    began = time.monotonic()
                    want = f"{number}/{n}"
                    if n % 2:
                        rows = client.run(f"select '{want}', count(*) from stock")
                    else:
                        rows = client.prepared("select $1::text, count(*) from stock", want)
                    if rows != [(want, "100")]:
                        raise AssertionError(f"expected {want!r} and 100 rows, got {rows!r}")
                    self.samples.append((began, time.monotonic() - began))
                    time.sleep(0.005)  # 32 clients without a pause would measure the machine.
        except Exception as error:  # Any is a failure of the promise that clients see nothing.
            self.errors.append(f"client {number}, query {n}: {type(error).__name__}: {error}")

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def slowest(self, since):
        """For reports: the longest latencies of queries that began or ended after `since`."""
        return sorted((latency for began, latency in self.samples if began + latency >= since), reverse=True)


def p99(latencies):
    """`latencies` come with the longest first."""
    return latencies[len(latencies) // 100]


def reads_of(node):
    """Whether a read just went there."""
    with wire.Connection.login(STAND.address) as client:
        for _ in range(20):
            client.run("select 1 from stock limit 1")
            if client.run("show fairlead.last_route")[0][1] == node:
                return True
    return False


def wait_until_read(index):
    node = f"{STAND.nodes[index]['host']}:{STAND.nodes[index]['port']}"
    eventually(lambda: reads_of(node), 30, f"replica {node} gets reads again")


class ReplicaDeath(unittest.TestCase):
    @only_proxied
    def test_clients_notice_neither_a_dead_nor_a_hanging_replica(self):
        with wire.Connection.login(STAND.address) as client:
            client.run("drop table if exists stock; create table stock as select n from generate_series(1, 100) n")
        dying, hanging = [index for index, node in enumerate(STAND.nodes) if node["role"] == "replica"]
        wait_until_read(dying), wait_until_read(hanging)
        readers = Readers()
        try:
            time.sleep(SECONDS)
            self.kill(readers, dying)
            self.hang(readers, hanging)
        finally:
            readers.stop()
        self.assertEqual(readers.errors, [])
        self.assertGreater(len(readers.samples), CLIENTS * 20)

    @only_proxied
    def test_a_read_that_is_cancelled_while_its_replica_hangs_ends(self):  # A60, F44
        with wire.Connection.login(STAND.address, timeout=15) as client:
            eventually(lambda: client.run("select 1") and client.run("show fairlead.last_route")[0][0] == "replica",
                       20, "reads go to the replicas")
            client.send(wire.query("select pg_sleep(60)"))
            hanging = eventually(self.who_sleeps, 10, "a replica executes it")
            STAND.signal_node(hanging, signal.SIGSTOP)
            try:
                client.cancel()
                began = time.monotonic()
                [error] = client.answer().errors
                self.assertEqual(error["C"], "57014", error)
                self.assertLess(time.monotonic() - began, 5)
                self.assertEqual(client.run("select 1"), [("1",)])
            finally:
                STAND.signal_node(hanging, signal.SIGCONT)

    def who_sleeps(self):
        for index, node in enumerate(STAND.nodes):
            if node["role"] == "replica":
                with STAND.superuser(index) as replica:
                    if replica.run("select from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'"):
                        return index
        return None

    def kill(self, readers, dying):
        pid, began = STAND.node_pid(dying), time.monotonic()
        STAND.signal_node(dying, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), 10, "the killed server is gone")
        time.sleep(SECONDS)
        self.report("killed", readers, began)
        STAND.start_nodes()
        wait_until_read(dying)

    def hang(self, readers, hanging):
        began = time.monotonic()
        STAND.signal_node(hanging, signal.SIGSTOP)
        time.sleep(SECONDS)
        self.report("stopped", readers, began)
        STAND.signal_node(hanging, signal.SIGCONT)
        wait_until_read(hanging)

    def report(self, what, readers, began):
        self.assertEqual(readers.errors, [])
        latencies = readers.slowest(began)
        per_client = latencies[:CLIENTS]  # At most one query of each client was in flight when it happened.
        print(f"\n{what}: longest {latencies[0]:.3f} s, p99 {p99(latencies):.3f} s of {len(latencies)} reads", flush=True)
        self.assertLess(p99(latencies), STALL_MAX)
        self.assertLess(p99(per_client), STALL_MAX, "the longest wait of any client")


if __name__ == "__main__":
    run_program(sys.modules["__main__"], database={"pool_size": 20})
