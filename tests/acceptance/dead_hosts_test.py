#!/usr/bin/python3
"""Hosts that are gone without a word, as when they lose power or a firewall forgets their connections: F56. No packet tells of
it, so the other side must ask."""
import sys
import unittest

import wire
from stand import network
from stand.cluster import Cluster
from stand.open import fairlead_binary, wants_direct
from stand.processes import eventually
from stand.proxy import Proxy

LOCKED = "select count(*) from pg_locks where relation = 'marks'::regclass and mode = 'RowExclusiveLock'"
SLEEPING = "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'"


@unittest.skipIf(wants_direct(), "plain PostgreSQL waits for two hours")
@unittest.skipUnless(network.is_possible(), "only root can pull the cables of a network of its own")
class DeadHost(unittest.TestCase):
    """One node; all clients are on the other end of one cable, so that those of one test are gone together."""

    def setUp(self):
        self.cluster = Cluster(fairlead_binary(), replicas=0)
        self.addCleanup(self.cluster.stop)
        self.network = network.Network(self.cluster)
        self.addCleanup(self.network.stop)
        self.proxy = Proxy(self.cluster, {"proxy": {"tcp_keepalive": "1s"}, "database": {"pool_size": 2, "failover_hold": "60s"}},
                           network=self.network)
        self.addCleanup(self.proxy.stop)
        with self.login() as client:
            client.run("create table marks (n int)")
        self.direct = self.cluster.superuser(0, "tests", timeout=60)
        self.addCleanup(self.direct.close)

    def login(self):
        client = wire.Connection.login(self.proxy.address, timeout=60)
        self.addCleanup(client.close)
        return client

    def client_with_a_lock(self):
        client = self.login()
        client.run("begin; insert into marks values (1)")
        return client, client.value("select pg_backend_pid()")

    def wait_for_sleeper(self):
        eventually(lambda: self.direct.value(SLEEPING) == "1", 10, "the statement runs")

    def check_that_its_server_is_free(self, pid):
        eventually(lambda: self.direct.value(LOCKED) == "0", 40, "its lock is gone")
        self.network.mend(1)
        used = [self.client_with_a_lock()[1] for _ in range(2)]
        self.assertIn(pid, used, "its server serves others")

    def test_a_client_in_a_transaction(self):
        _, pid = self.client_with_a_lock()
        self.network.cut(1)
        self.check_that_its_server_is_free(pid)

    def test_a_client_that_something_is_being_sent_to(self):
        client, pid = self.client_with_a_lock()
        # Not so long that keepalive finds out before anything is sent, and little enough for the socket to take all of it: a
        # server whose answer is still coming is closed.
        client.send(wire.query("select pg_sleep(1), repeat('x', 1000)"))
        self.wait_for_sleeper()
        self.network.cut(1)
        self.check_that_its_server_is_free(pid)

    def test_a_client_that_does_not_read_is_there(self):
        client, _ = self.client_with_a_lock()
        # More than what is on its way can be.
        client.send(wire.query("select repeat('x', 1000000) from generate_series(1, 50)"))
        other = self.login()
        other.run("select pg_sleep(10)")  # Longer than keepalive takes, and than the other limit.
        answer = client.answer().checked()
        self.assertEqual(len(answer.rows), 50)
        client.run("commit")

    def test_a_server_that_an_answer_is_awaited_from_or_that_something_is_being_sent_to(self):
        waiting, _ = self.client_with_a_lock()
        sending, _ = self.client_with_a_lock()
        waiting.send(wire.query("select pg_sleep(600)"))
        self.wait_for_sleeper()
        self.network.cut(0)
        sending.send(wire.query("insert into marks values (2)"))
        for client in (sending, waiting):
            answer = client.answer()
            self.assertEqual(([error["C"] for error in answer.errors], answer.status), (["08006"], "E"))
            client.run("rollback")
        self.network.mend(0)
        self.assertEqual(waiting.run("select count(*) from marks"), [("0",)])


if __name__ == "__main__":
    if fairlead_binary() is None and not wants_direct():
        sys.exit("no fairlead binary; set FAIRLEAD_BINARY")
    unittest.main(verbosity=2)
