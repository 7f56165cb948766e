#!/usr/bin/python3
"""What the old primary has acknowledged and the new one does not have: who wrote it is told, once, and nobody else: D20, D24, E24."""
import signal
import sys
import unittest

import wire
from stand import roles
from stand.cluster import Cluster
from stand.open import fairlead_binary, wants_direct
from stand.processes import eventually, is_alive
from stand.proxy import Proxy


def login(proxy, **options):
    return wire.Connection.login(proxy.address, timeout=40, **options)


def told(client):
    """What has been said to it beside its answers since the last time."""
    notices, client.notices = client.notices, []
    return [(notice["S"], notice["M"]) for notice in notices]


def reason(client):
    """Why a read goes where it goes."""
    client.run("select count(*) from kept")
    return client.run("show fairlead.last_route")[0][2]


def position(client):
    """A look at the primary that began after everything that was acknowledged so far."""
    return client.value("show fairlead.token")


@unittest.skipIf(wants_direct(), "plain PostgreSQL has no second primary")
class LostWrites(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(fairlead_binary(), replicas=1)
        self.addCleanup(self.cluster.stop)
        self.warns = self.start_proxy("warning")
        self.fails = self.start_proxy("error")
        with login(self.warns) as client:
            client.run("create table kept (n int)")
            # Until then it might be a view that writes, and who reads it has perhaps written.
            eventually(lambda: reason(client) == "read", 20, "the catalog is known")

    def start_proxy(self, lost_writes):
        proxy = Proxy(self.cluster, {"database": {"lost_writes": lost_writes}})
        self.addCleanup(proxy.stop)
        return proxy

    def stop_receiving(self):
        """From now on the replica gets nothing of what is written."""
        self.cluster.wait_for_replay()
        with self.cluster.superuser(1) as replica:
            replica.run("alter system set primary_conninfo = ''")
            replica.run("select pg_reload_conf()")
            eventually(lambda: replica.value("select count(*) from pg_stat_wal_receiver") == "0", 10, "it receives nothing")

    def fail_over(self):
        pid = self.cluster.node_pid(0)
        self.cluster.signal_node(0, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), 10, "the primary is gone")
        roles.promote(self.cluster, 1)

    def test_who_wrote_what_is_lost_is_told_once(self):
        keeps, loses, reads, fails = login(self.warns), login(self.warns), login(self.warns), login(self.fails)
        for client in (keeps, loses, reads, fails):
            self.addCleanup(client.close)
        keeps.run("insert into kept values (1)")
        kept = position(keeps)
        position(fails)  # Each Fairlead knows by its own looks what surely is kept.
        self.stop_receiving()
        loses.run("insert into kept values (2)")
        fails.run("begin; insert into kept values (3); commit")
        lost = position(loses)
        self.assertEqual(reads.run("/* fairlead.route=primary */ select n from kept order by n"), [("1",), ("2",), ("3",)])
        self.fail_over()
        for client in (keeps, reads):
            self.assertEqual(client.run("/* fairlead.route=primary */ select n from kept"), [("1",)])
            self.assertEqual(told(client), [])
        self.check_warning(loses)
        self.check_error(fails)
        self.check_tokens(kept, lost)

    def check_warning(self, client):
        self.assertEqual(client.run("select n from kept"), [("1",)])
        [(severity, message)] = told(client)
        self.assertEqual(severity, "WARNING")
        self.assertIn("writes of this session may have been lost", message)
        for statement in ("select n from kept", "insert into kept values (4)", "select count(*) from kept"):
            client.run(statement)
        self.assertEqual(told(client), [], "it is told once")

    def check_error(self, client):
        answer = client.query("insert into kept values (5)")
        self.assertEqual([error["C"] for error in answer.errors], ["08007"])
        self.assertIn("was not executed", answer.errors[0]["H"])
        self.assertEqual(answer.status, "I")
        client.run("insert into kept values (6)")
        self.assertEqual(client.run("select n from kept order by n"), [("1",), ("4",), ("6",)])
        self.assertEqual(told(client), [])

    def check_tokens(self, kept, lost):
        """What an application carries itself: the kept part of the old timeline is part of the new one."""
        with login(self.warns) as client:
            eventually(lambda: reason(client) == "no_replica", 10, "it is a read again: the new primary's catalog is loaded")
            client.run(f"set fairlead.min_lsn = '{kept}'")
            self.assertEqual(client.run("select count(*) from kept"), [("3",)])
            client.run(f"set fairlead.min_lsn = '{lost}'")
            with self.assertRaises(wire.ServerError) as refused:
                client.run("select count(*) from kept")
            self.assertEqual(refused.exception.sqlstate, "22023")
            client.run("reset fairlead.min_lsn")
            client.run("select count(*) from kept")


if __name__ == "__main__":
    if fairlead_binary() is None and not wants_direct():
        sys.exit("no fairlead binary; set FAIRLEAD_BINARY")
    unittest.main(verbosity=2)
