#!/usr/bin/python3
"""An experiment that users did by hand: commits wait for any one of two replicas, 30,000 rows are written through Fairlead, and
one replica is stopped in the middle. Then everything dies, the most advanced node is promoted, and no row is lost: E10, E12."""
import signal
import sys
import threading
import unittest

import wire
from stand.commands import CommandedProxiedCluster
from stand.open import run_program
from stand.processes import eventually, is_alive

STAND = None
ROWS, STOP_AFTER, WRITERS = 30_000, 12_000, 8


class Writers:
    """Connections through Fairlead that insert numbers, each its own transaction, and remember what was acknowledged."""

    def __init__(self):
        self.acknowledged, self.errors = [[] for _ in range(WRITERS)], []
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def _work(self, number):
        try:
            with wire.Connection.login(STAND.address, timeout=60) as client:
                for n in range(number, ROWS, WRITERS):
                    client.run(f"insert into template (n, word) values ({n}, 'template {n}')")
                    self.acknowledged[number].append(n)
        except Exception as error:  # Any: the death of one replica is nobody's business.
            self.errors.append(error)

    def count(self):
        return sum(len(numbers) for numbers in self.acknowledged)

    def join(self):
        for thread in self._threads:
            thread.join()


def numbers_on(index):
    with STAND.superuser(index, "tests") as server:
        return [int(n) for (n,) in server.run("select n from template order by n")]


class Experiment(unittest.TestCase):
    def test_thirty_thousand_rows_outlive_a_replica_and_then_the_primary(self):
        STAND.command("sync", "any 1")
        with wire.Connection.login(STAND.address) as client:
            client.run("create table template (n int primary key, word text)")

        writers = Writers()
        eventually(lambda: writers.count() >= STOP_AFTER or writers.errors, 120, f"{STOP_AFTER} rows are acknowledged")
        STAND.stop_node(2)
        stopped_at = writers.count()
        writers.join()
        self.assertEqual(writers.errors, [])
        self.assertEqual(sorted(sum(writers.acknowledged, [])), list(range(ROWS)))
        self.assertLess(stopped_at, ROWS, "it was stopped in the middle")

        for index in (0, 1):  # A shutdown would send everything to the replicas before its end, quorum or not.
            pid = STAND.node_pid(index)
            STAND.signal_node(index, signal.SIGKILL)
            eventually(lambda pid=pid: not is_alive(pid), 10, "it is dead")
        promotion = STAND.json("promote")
        self.assertEqual((promotion["primary"], promotion["old_primary"]), ("node2", "node1"), "node3 has fewer rows")
        self.assertTrue(promotion["nothing_lost"], promotion["reason"])
        self.assertEqual(promotion["followers"], ["node3"])

        STAND.await_streaming()
        for index in (1, 2):
            self.assertEqual(numbers_on(index), list(range(ROWS)), STAND.nodes[index]["name"])
        with wire.Connection.login(STAND.address, timeout=60) as client:  # Fairlead has found the new primary by itself.
            self.assertEqual(client.run("select count(*) from template"), [(str(ROWS),)])
            client.run(f"insert into template (n, word) values ({ROWS}, 'after')")
        self.assertEqual(STAND.json("status", code=4)[0]["state"], "needs rejoin")
        STAND.command("rejoin", "node1")
        STAND.await_streaming()
        self.assertEqual(STAND.json("verify")["verdict"], "equal")
        self.assertEqual(numbers_on(0), list(range(ROWS + 1)))


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=CommandedProxiedCluster)
