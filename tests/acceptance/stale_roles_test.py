#!/usr/bin/python3
"""What Fairlead knows of its nodes is a minute old, and they have changed since: whoever meets it makes it look again: E4, E6, D7."""
import sys
import unittest

import wire
from stand import roles
from stand.cluster import Cluster
from stand.open import fairlead_binary, wants_direct
from stand.processes import eventually
from stand.proxy import Proxy

MONITOR = "select {} from pg_stat_activity where application_name = 'fairlead-monitor'"


@unittest.skipIf(wants_direct(), "plain PostgreSQL has no roles")
class StaleRoles(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(fairlead_binary(), replicas=2)
        self.addCleanup(self.cluster.stop)
        self.proxy = self.start_proxy()
        self.addCleanup(self.proxy.stop)
        with self.login() as client:
            client.run("create table stale (n int)")
        self.cluster.wait_for_replay(1), self.cluster.wait_for_replay(2)

    def start_proxy(self, attempts=3):
        """The first look has to do for all of the test. Where a record of the background writer's comes between the looks at the
        primary and at the replicas, they are behind until the next look: no read goes there, and the start is in vain."""
        self.cluster.wait_for_replay(1), self.cluster.wait_for_replay(2)
        try:
            return Proxy(self.cluster, {"cluster": {"probe_interval": "10min", "probe_timeout": "1s"}})
        except RuntimeError as error:
            if attempts == 1 or "there is no replica" not in str(error):
                raise
            return self.start_proxy(attempts - 1)

    def login(self, **options):
        return wire.Connection.login(self.proxy.address, timeout=40, **options)

    def looked_at(self, index):
        """When the node was probed last, by its own clock; empty: nobody is connected."""
        with self.cluster.superuser(index) as node:
            return node.value(f"select coalesce(({MONITOR.format('max(query_start)')})::text, '')")

    def test_a_refused_write_makes_it_look_once(self):  # E6
        with self.login() as client:
            client.run("set fairlead.route = 'primary'")
            before = self.looked_at(0)
            answer = client.query("begin; set local transaction_read_only = on; insert into stale values (1)")
            self.assertEqual([error["C"] for error in answer.errors], ["25006"])
            client.run("rollback")
            eventually(lambda: self.looked_at(0) > before, 10, "the primary is asked who it is")
            before = self.looked_at(0)
            client.run("begin read only")
            self.assertEqual(client.query("insert into stale values (1)").errors[0]["C"], "25006")
            client.run("rollback")
            self.assertEqual(self.looked_at(0), before, "the client wanted it so")

    def test_a_replica_that_has_restarted_is_looked_at_before_it_is_used(self):  # D7, E4
        with self.login(**{"fairlead.consistency": "eventual"}) as client:  # No write asks for positions.
            roles.stop(self.cluster, 1), roles.start(self.cluster, 1)
            self.assertEqual(self.looked_at(1), "")
            for _ in range(20):
                self.assertEqual(client.run("select count(*) from stale"), [("0",)])
            eventually(lambda: self.looked_at(1) != "", 10, "it was asked who it is")

    def test_a_primary_that_comes_back_as_a_replica_gets_no_write(self):  # E4
        with self.login() as client:
            client.run("insert into stale values (1)")
            roles.stop(self.cluster, 0)
            roles.promote(self.cluster, 1)
            roles.become_standby(self.cluster, 0, 1)
            roles.start(self.cluster, 0)
            client.run("insert into stale values (2)")
            self.assertEqual(client.run("/* fairlead.route=primary */ select n from stale order by n"), [("1",), ("2",)])
        with self.cluster.superuser(1, "tests") as new:
            self.assertEqual(new.value("select count(*) from stale"), "2")


if __name__ == "__main__":
    if fairlead_binary() is None and not wants_direct():
        sys.exit("no fairlead binary; set FAIRLEAD_BINARY")
    unittest.main(verbosity=2)
