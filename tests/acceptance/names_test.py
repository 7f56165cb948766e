#!/usr/bin/python3
"""Nodes that are named, and name servers that do not answer for some of them: nothing waits for those that needs not."""
import sys
import unittest

import wire
from stand import network
from stand.cluster import Cluster
from stand.names import NameServer
from stand.open import fairlead_binary, wants_direct
from stand.processes import eventually
from stand.proxy import Proxy

NAMES = ("one.fairlead.test", "two.fairlead.test")


class Named:
    """The nodes of a cluster by their names, for a Proxy: what stand.network is for one behind cables."""

    def __init__(self, cluster, names):
        self.nodes = [{**node, "host": name} for node, name in zip(cluster.nodes, NAMES)]
        self.host, self.prefix = "127.0.0.1", names.prefix


@unittest.skipIf(wants_direct(), "plain PostgreSQL looks up no names")
@unittest.skipUnless(network.is_possible(), "only root can have name servers of its own")
class SilentNames(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(fairlead_binary(), replicas=1)
        self.addCleanup(self.cluster.stop)
        self.names = NameServer(self.cluster.folder, dict.fromkeys(NAMES, "127.0.0.1"))
        self.addCleanup(self.names.stop)

    def start(self, answering=2):
        """Only `answering` nodes, the first ones, are waited for."""
        named = Named(self.cluster, self.names)
        nodes = [f"{node['host']}:{node['port']}" for node in named.nodes]
        named.nodes = named.nodes[:answering]
        sections = {"cluster": {"nodes": nodes, "probe_timeout": "1s"}, "database": {"consistency": "eventual"}}
        proxy = Proxy(self.cluster, sections, network=named)
        self.addCleanup(proxy.stop)  # Which fails if it does not stop in time.
        with wire.Connection.login(proxy.address) as client:
            client.run("create table marks (n int)")
        return proxy

    def break_connections(self, index):
        with self.cluster.superuser(index) as node:
            node.run("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                     "where backend_type = 'client backend' and pid <> pg_backend_pid()")

    def node_of_a_read(self, proxy):
        with wire.Connection.login(proxy.address) as client:
            client.run("select count(*) from marks")
            return client.run("show fairlead.last_route")[0][1]

    def test_one_that_nobody_answers_for_delays_no_other(self):
        proxy = self.start()
        self.cluster.wait_for_replay()
        self.names.silent.add(NAMES[1])
        before = self.names.asked
        self.break_connections(1)
        eventually(lambda: self.names.asked > before, 20, "its name is being looked up")
        self.break_connections(0)
        with wire.Connection.login(proxy.address, timeout=30) as client:
            client.run("insert into marks values (1)")

    def test_one_that_was_answered_for_is_remembered(self):
        proxy = self.start()
        self.cluster.wait_for_replay()
        eventually(lambda: self.node_of_a_read(proxy).startswith(NAMES[1]), 20, "the replica is read from")
        self.names.silent.update(NAMES)
        for index in (0, 1):
            self.break_connections(index)
        with wire.Connection.login(proxy.address, timeout=30) as client:
            client.run("insert into marks values (1)")
        eventually(lambda: self.node_of_a_read(proxy).startswith(NAMES[1]), 20, "the replica is read from again")
        eventually(lambda: f"no name server answers for {NAMES[1]}" in proxy.whole_log(), 10, "it is logged")
        self.names.silent.clear()
        eventually(lambda: self.breaks_and_answers(proxy), 40, "it is logged that they answer again")

    def breaks_and_answers(self, proxy):
        self.break_connections(1)
        return f"the name servers answer for {NAMES[1]} again" in proxy.whole_log()

    def test_one_that_was_never_answered_for_is_no_reason_not_to_start_or_stop(self):
        self.names.silent.add(NAMES[1])
        proxy = self.start(answering=1)
        with wire.Connection.login(proxy.address) as client:
            client.run("insert into marks values (1)")
        self.assertGreater(self.names.asked, 0)


if __name__ == "__main__":
    if fairlead_binary() is None and not wants_direct():
        sys.exit("no fairlead binary; set FAIRLEAD_BINARY")
    unittest.main(verbosity=2)
