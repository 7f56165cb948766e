#!/usr/bin/python3
"""Reads that wait for a replica of PostgreSQL 19: the replica itself says when it has replayed what they must see (D19). With the
version that Debian is about to have, where it can be had."""
import signal
import sys
import threading
import unittest

import wire
from stand.debian_next import Unavailable
from stand.open import is_long, run_program
from stand.processes import eventually
from stand.versions import NEXT, ServerPrograms, install_next

SKIPPED = 77  # As CMakeLists.txt has it.

STAND = None
IS_WAITING = ("select count(*) from pg_stat_activity where query like 'WAIT FOR LSN%' and backend_type = 'client backend'"
              " and wait_event = 'WaitForWalReplay'")


class AwaitReplay(unittest.TestCase):
    def setUp(self):
        with wire.Connection.login(STAND.address) as client:
            client.run("create table if not exists seen (n int)")
            client.run("truncate seen")
            eventually(lambda: self.route(client, "select n from seen") == "replica", 20, "a replica serves reads")

    @staticmethod
    def route(client, sql):
        client.run(sql)
        return client.run("show fairlead.last_route")[0][0]

    def read_later(self):
        """A thread that reads, and [rows, where they came from] once it has."""
        answers = []

        def read():
            with wire.Connection.login(STAND.address, timeout=60) as reader:
                answers.append(reader.run("select max(n) from seen"))
                answers.append(reader.run("show fairlead.last_route")[0][0])

        thread = threading.Thread(target=read)
        thread.start()
        return thread, answers

    @staticmethod
    def await_waiting(replica):
        # The wait of two milliseconds is repeated as long as somebody reads.
        eventually(lambda: replica.value(IS_WAITING) == "1", 20, "the monitor's connection waits in the replica")

    def test_the_replica_waits_and_the_read_is_right(self):
        with wire.Connection.login(STAND.address) as writer, STAND.paused_replay() as replica:
            writer.run("insert into seen values (1)")
            thread, answers = self.read_later()
            self.await_waiting(replica)
            self.assertEqual(answers, [])
        thread.join(60)
        self.assertEqual(answers, [[("1",)], "replica"])

    def test_reads_behind_writes_see_them(self):
        with wire.Connection.login(STAND.address) as client:
            for n in range(3000 if is_long() else 300):
                client.run(f"insert into seen values ({n})")
                self.assertEqual(client.run("select max(n) from seen"), [(str(n),)])

    # The last one by its name: there is no replica left behind it.
    def test_who_waits_sees_the_promotion_of_the_replica(self):
        with wire.Connection.login(STAND.address, timeout=60) as client:
            with STAND.paused_replay() as replica:
                client.run("insert into seen values (1000)")
                thread, answers = self.read_later()
                self.await_waiting(replica)
                received = "select pg_last_wal_receive_lsn() = (select max(latest_end_lsn) from pg_stat_wal_receiver)"
                eventually(lambda: replica.value(received) == "t", 10, "it has all")
                STAND.signal_node(0, signal.SIGKILL)
                replica.run("select pg_promote(false)")  # Which ends the pause.
            thread.join(60)
            self.assertEqual(answers[0], [("1000",)])  # Of the replica on its way, or of the primary that it is then.
            client.run("insert into seen values (1001)")
            self.assertEqual(client.run("select max(n) from seen"), [("1001",)])


if __name__ == "__main__":
    try:
        install_next()
    except Unavailable as unavailable:
        print(f"SKIPPED: {unavailable}", file=sys.stderr)
        sys.exit(1 if is_long() else SKIPPED)
    with ServerPrograms(NEXT) as programs:
        run_program(sys.modules[__name__], replicas=1, database={"freshness_wait": "20s"}, programs=programs.folder)
