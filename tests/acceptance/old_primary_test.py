#!/usr/bin/python3
"""A primary that hangs, or that nobody can reach, while another node takes its place: it lives on and accepts writes, but
gets none from Fairlead, and what it acknowledges late is no success: E3, E7, E20, E21, E26, E27."""
import signal
import sys
import unittest

import wire
from stand import network, roles
from stand.open import fairlead_binary, wants_direct
from stand.cluster import Cluster
from stand.processes import eventually
from stand.proxy import Proxy

ROWS = "select coalesce(string_agg(n::text, ' ' order by n), '') from writes"
# Statements that have reached node 0 and are stuck there; not those of Fairlead's own, which come and go.
STUCK = "select count(*) from pg_stat_activity where usename = 'tester' and wait_event_type = 'Lock'"
CONNECTED = "select count(*) from pg_stat_activity where usename = 'tester'"


@unittest.skipIf(wants_direct(), "plain PostgreSQL has no second primary")
class Case(unittest.TestCase):
    """Node 0 is the primary at first, node 1 its replica, asynchronous: the worst case, because node 0 can acknowledge alone."""

    def setUp(self):
        self.cluster = Cluster(fairlead_binary(), replicas=1)
        self.addCleanup(self.cluster.stop)
        self.proxy = self.make_proxy()
        self.addCleanup(self.proxy.stop)
        with self.login() as client:
            client.run("create table writes (n int)")
            client.run("create function dawdle() returns trigger language plpgsql as "
                       "'begin perform pg_advisory_xact_lock_shared(1); return new; end'")
            client.run("create constraint trigger dawdles after insert on writes deferrable initially deferred "
                       "for each row when (new.n >= 3) execute function dawdle()")
        self.cluster.wait_for_replay()
        # Without the catalog, nobody knows what is only read, and every statement may have written.
        eventually(self.knows_functions, 20, "the catalog is known")

    def knows_functions(self):
        with self.login() as client:
            client.run("select count(*) from generate_series(1, 2)")
            return client.run("show fairlead.last_route")[0][0] == "replica"

    def make_proxy(self):
        return Proxy(self.cluster)

    def login(self, **options):
        return wire.Connection.login(self.proxy.address, timeout=40, **options)

    def rows(self, index):
        with self.cluster.superuser(index, "tests") as node:
            return node.value(ROWS)

    def begin_work(self):
        """Clients with everything that can be under way on node 0, by what they wait for."""
        names = ("resting", "in_transaction", "committing", "writing", "reading", "keeping", "idle")
        clients = {name: self.login() for name in names}
        for client in clients.values():
            self.addCleanup(client.close)
            client.run("/* fairlead.route=primary */ select 1")
        clients["resting"].run("begin; insert into writes values (1)")
        clients["in_transaction"].run("begin; insert into writes values (2)")
        clients["committing"].run("begin; insert into writes values (3)")
        clients["keeping"].run("create temp table mine (n int)")
        self.gate = self.cluster.superuser(0, "tests")  # What is sent now ends when it lets go.
        self.addCleanup(self.gate.close)
        self.gate.run("select pg_advisory_lock(1)")
        clients["committing"].run("insert into writes values (33)")
        clients["in_transaction"].send(wire.query("select pg_advisory_xact_lock_shared(1)"))
        clients["committing"].send(wire.query("commit"))
        clients["writing"].send(wire.query("insert into writes values (4)"))
        clients["reading"].send(wire.query("select n, pg_advisory_xact_lock_shared(1) from generate_series(1, 2) n"))
        with self.cluster.superuser(0) as node:
            eventually(lambda: node.value(STUCK) == "4", 10, "four statements are stuck on node 0")
        return clients

    def check_told(self, clients):
        """Each has one answer, or gets it for its next statement."""
        eventually(lambda: "epoch 2" in self.proxy.whole_log(), 20, "the new primary is seen")
        clients["resting"].send(wire.query("insert into writes values (11)"))
        for name, told in (("resting", "08006"), ("in_transaction", "08006"), ("committing", "08007"), ("writing", "08007"),
                           ("reading", "08006")):
            with self.subTest(client=name):
                answer = clients[name].answer()
                status = "E" if name in ("resting", "in_transaction") else "I"
                self.assertEqual(([error["C"] for error in answer.errors], answer.status), ([told], status))
                if status == "E":
                    clients[name].run("rollback")
                self.assertEqual(clients[name].run("select 1"), [("1",)])
        with self.subTest(client="keeping"), self.assertRaises(wire.ServerError) as lost:
            clients["keeping"].answer()
        self.assertEqual(lost.exception.sqlstate, "57P01")
        self.assertEqual(clients["idle"].run("select 1"), [("1",)])

    def check_that_writes_go_to(self, index, numbers):
        with self.login() as client:
            for n in numbers:
                client.run(f"insert into writes values ({n})")
        self.assertTrue(set(map(str, numbers)) <= set(self.rows(index).split()))

    def check_old_is_let_alone(self):
        """What ran there ends, and nobody is told of it; nothing comes after it."""
        with self.cluster.superuser(0) as old:
            self.gate.run("select pg_advisory_unlock(1)")
            eventually(lambda: old.value(CONNECTED) == "0", 60, "no server of Fairlead's is left on node 0")
        there = self.rows(0)
        self.check_that_writes_go_to(1, range(100, 120))
        self.assertEqual(self.rows(0), there)


class Hanging(Case):
    def test_a_hanging_primary_is_given_up_when_another_one_is_there(self):
        clients = self.begin_work()
        self.cluster.signal_node(0, signal.SIGSTOP)
        roles.promote(self.cluster, 1)
        self.check_told(clients)
        self.check_that_writes_go_to(1, range(20, 30))
        self.cluster.signal_node(0, signal.SIGCONT)
        self.check_old_is_let_alone()
        eventually(lambda: "is an old primary that came back" in self.proxy.whole_log(), 20, "it is reported")

    def test_one_that_only_hangs_goes_on_where_it_was(self):
        clients = self.begin_work()
        self.cluster.signal_node(0, signal.SIGSTOP)
        eventually(lambda: "there is no primary any more" in self.proxy.whole_log(), 20, "it is missed")
        self.cluster.signal_node(0, signal.SIGCONT)
        self.gate.run("select pg_advisory_unlock(1)")
        for name, tag in (("in_transaction", "SELECT 1"), ("committing", "COMMIT"), ("writing", "INSERT 0 1"), ("reading", "SELECT 2")):
            with self.subTest(client=name):
                self.assertEqual(clients[name].answer().checked().tags, [tag])
        clients["resting"].run("commit")
        clients["keeping"].run("insert into mine values (1)")


class StillThere(Case):
    def test_one_that_was_replaced_in_its_lifetime_gets_nothing_more(self):
        clients = self.begin_work()
        roles.promote(self.cluster, 1)  # Nothing has happened to node 0.
        self.check_told(clients)
        self.check_old_is_let_alone()


@unittest.skipUnless(network.is_possible(), "only root can pull the cables of a network of its own")
class CutOff(Case):
    def make_proxy(self):
        self.network = network.Network(self.cluster)
        self.addCleanup(self.network.stop)
        roles.wait_for_replicas(self.cluster, 0, 1)
        return Proxy(self.cluster, network=self.network)

    def test_one_that_only_fairlead_cannot_reach_is_replaced_all_the_same(self):
        clients = self.begin_work()
        self.network.cut(0)
        with self.cluster.superuser(0, "tests") as old:
            old.run("insert into writes values (0)")  # It is alive, and somebody else writes to it.
        roles.promote(self.cluster, 1)
        self.check_told(clients)
        self.check_that_writes_go_to(1, range(20, 30))
        self.network.mend(0)
        self.check_old_is_let_alone()


if __name__ == "__main__":
    if fairlead_binary() is None and not wants_direct():
        sys.exit("no fairlead binary; set FAIRLEAD_BINARY")
    unittest.main(verbosity=2)
