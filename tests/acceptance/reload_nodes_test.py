#!/usr/bin/python3
"""The list of nodes changes by a reload (SIGHUP): nodes come and go while clients work, and nobody sees an error."""
import contextlib
import json
import os
import re
import signal
import sys
import threading
import time
import unittest

import wire
from stand.interceptor import Detainer
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None


def name_of(index):
    node = STAND.nodes[index]
    return f"{node['host']}:{node['port']}"


def reload(config, pid, **keys):
    """These keys, which are in the file already, have other values from now on."""
    with open(config, encoding="utf-8") as file:
        text = file.read()
    for key, value in keys.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {json.dumps(value)}", text, flags=re.M)
    with open(config, "w", encoding="utf-8") as file:
        file.write(text)
    os.kill(pid, signal.SIGHUP)


def reload_with(*indexes, names=name_of):
    """The nodes with these numbers are the whole list from now on."""
    reload(STAND.config, STAND.proxy_pid, nodes=[names(index) for index in indexes])


def reload_to(text):
    with open(STAND.config, "w", encoding="utf-8") as file:
        file.write(text)
    os.kill(STAND.proxy_pid, signal.SIGHUP)


def node_of(client, statement="select 1 from pages limit 1"):
    client.run(statement)
    return client.run("show fairlead.last_route")[0][1]


def nodes_that_read(reads=12):
    """One client for each, so that nothing of an earlier one decides."""
    seen = set()
    for _ in range(reads):
        with wire.Connection.login(STAND.address) as client:
            seen.add(node_of(client))
    return seen


def backends_of_clients(index):
    with STAND.superuser(index) as server:
        return int(server.value("select count(*) from pg_stat_activity where usename = 'tester'"))


class Worker(threading.Thread):
    """Reads and writes until it is told to stop; `errors` is what it saw."""

    def __init__(self):
        super().__init__(daemon=True)
        self.errors, self.rounds, self._stop_now = [], 0, threading.Event()
        self.start()

    def run(self):
        with wire.Connection.login(STAND.address, timeout=30) as client:
            while not self._stop_now.is_set():
                try:
                    client.run("insert into pages values (1)")
                    client.run("select count(*) from pages")
                    self.rounds += 1
                except Exception as error:  # Any is a failure of the promise.
                    self.errors.append(error)
                    return

    def finish(self):
        self._stop_now.set()
        self.join(30)
        return self.errors


class ReloadOfNodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with wire.Connection.login(STAND.address) as client:
            client.run("create table if not exists pages (n int)")

    def setUp(self):
        reload_with(0, 1)
        eventually(lambda: nodes_that_read() == {name_of(1)}, 20, "the first replica serves the reads")

    @only_proxied
    def test_a_node_that_is_added_takes_its_part_of_the_reads(self):
        workers = [Worker() for _ in range(4)]
        reload_with(2, 1, 0)  # In any order.
        eventually(lambda: nodes_that_read() == {name_of(1), name_of(2)}, 20, "both replicas serve reads")
        for worker in workers:
            self.assertEqual(worker.finish(), [])
            self.assertGreater(worker.rounds, 0)

    @only_proxied
    def test_a_node_that_is_removed_finishes_what_it_has_begun_and_gets_nothing_more(self):
        reload_with(0, 1, 2)
        eventually(lambda: nodes_that_read() == {name_of(1), name_of(2)}, 20, "both replicas serve reads")
        workers = [Worker() for _ in range(4)]
        with wire.Connection.login(STAND.address) as client:
            client.run("set fairlead.route = 'replica'")
            client.run("begin read only")
            held = node_of(client)
            index = 1 if held == name_of(1) else 2
            reload_with(0, 3 - index)
            eventually(lambda: nodes_that_read() == {name_of(3 - index)}, 20, "the other one serves the reads")
            eventually(lambda: backends_of_clients(index) == 1, 10, "only the transaction is left there")
            self.assertEqual(node_of(client), held)
            client.run("commit")
            eventually(lambda: backends_of_clients(index) == 0, 10, "nothing is left there")
        for worker in workers:
            self.assertEqual(worker.finish(), [])
        with STAND.superuser(index) as server:  # Nor does anybody ask how it is.
            monitors = "select count(*) from pg_stat_activity where application_name like 'fairlead%'"
            eventually(lambda: server.value(monitors) == "0", 10, "it is not probed any more")

    @only_proxied
    def test_a_cancel_request_that_is_on_its_way_outlives_the_node(self):  # F41
        detainer = Detainer(STAND.nodes[1]["port"], lambda data: data == wire.SSL_REQUEST)
        detainer.let_go.set()
        self.addCleanup(detainer.stop)
        by_detour = f"127.0.0.1:{detainer.port}"
        names = [name_of(0), by_detour, name_of(2)]
        reload_with(0, 1, names=names.__getitem__)
        eventually(lambda: nodes_that_read() == {by_detour}, 20, "reads take the detour")
        client = wire.Connection.login(STAND.address)
        client.run("set fairlead.route = 'replica'")
        client.send(wire.query("select pg_sleep(60)"))
        running = "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'"
        with STAND.superuser(1) as replica:
            eventually(lambda: replica.value(running) == "1", 10, "it runs")
            detainer.let_go.clear()
            before = detainer.kept
            client.close()
            eventually(lambda: detainer.kept > before, 10, "its cancel request is on its way")
            reload_with(0, 2)
            eventually(lambda: detainer.served == 1, 20, "nothing else is left of the node")
            time.sleep(0.5)  # Pools that have nothing are forgotten ten times a second.
            detainer.let_go.set()
            eventually(lambda: replica.value(running) == "0", 10, "the statement has been cancelled")

    @only_proxied
    def test_a_primary_that_is_called_by_another_name_takes_writes_by_that_one(self):
        with wire.Connection.login(STAND.address, timeout=20) as client:
            reload_with(0, 1, names=lambda index: name_of(index).replace("127.0.0.1", "localhost"))
            eventually(lambda: node_of(client, "insert into pages values (1)").startswith("localhost"), 20,
                       "writes go to the new name")

    @only_proxied
    def test_another_topology_waits_for_its_restart_together_with_its_nodes(self):
        with open(STAND.config, encoding="utf-8") as file:
            listed = file.read()
        managed = 'topology = "patroni"\npatroni_urls = ["http://127.0.0.1:1"]'
        workers, before = [Worker() for _ in range(4)], len(STAND.whole_log())
        reload_to(re.sub(r"^nodes = .*$", managed, listed, flags=re.M))
        told = [r"nodes: .* \(needs a restart, with topology\)", r"topology: .* \(needs a restart\)",
                r"patroni_urls: .* \(needs a restart, with topology\)"]
        eventually(lambda: all(re.search(line, STAND.whole_log()[before:]) for line in told), 20, "each key is told of")
        rounds = [worker.rounds for worker in workers]
        eventually(lambda: all(worker.rounds > done + 20 or worker.errors for worker, done in zip(workers, rounds)), 20,
                   "work goes on")
        for worker in workers:
            self.assertEqual(worker.finish(), [])
        self.assertEqual(nodes_that_read(), {name_of(1)})
        reload_to(listed)

    @only_proxied
    def test_without_the_primary_in_the_list_writes_wait_until_it_is_back(self):
        reload_with(1, 2)
        eventually(lambda: name_of(2) in nodes_that_read(), 20, "the list has changed")
        done = []
        with wire.Connection.login(STAND.address, timeout=30) as client:
            def write():
                client.run("insert into pages values (2)")
                done.append(True)
            writer = threading.Thread(target=write, daemon=True)
            writer.start()
            eventually(lambda: nodes_that_read(4) <= {name_of(1), name_of(2)}, 10, "reads go on")
            self.assertEqual(done, [])
            reload_with(0, 1)
            writer.join(20)
            self.assertEqual(done, [True])


@only_proxied
class ReloadOfPools(unittest.TestCase):
    """With one server for each node at first."""

    def setUp(self):
        self.proxy = Proxy(STAND, {"database": {"pool_size": 1, "pool_timeout": "20s", "consistency": "eventual"},
                                   "proxy": {"workers": 1}})
        self.addCleanup(self.proxy.stop)

    def login(self, **more):
        return wire.Connection.login(self.proxy.address, timeout=40, **more)

    def reload(self, **keys):
        reload(self.proxy.config, self.proxy.pid, **keys)

    def hold(self, client, index):
        """A server of that node, in a transaction."""
        client.run(f"set fairlead.route = '{name_of(index)}'")
        client.run("begin read only")
        self.assertEqual(node_of(client, "select 1"), name_of(index))

    def test_all_who_wait_get_servers_when_the_pool_grows(self):
        waiting, asleep = 60, "from pg_stat_activity where state = 'active' and query like '%pg_sleep(5)%' and pid <> pg_backend_pid()"
        with contextlib.ExitStack() as stack, STAND.superuser() as primary:
            clients = [stack.enter_context(self.login()) for _ in range(waiting)]
            for client in clients:
                client.send(wire.query("/* fairlead.route=primary */ select pg_sleep(5)"))
            self.reload(pool_size=waiting)
            # Opened one after the other, ten in a second, the first would be through before the last begins.
            eventually(lambda: primary.value(f"select count(*) {asleep}") == str(waiting), 20, "all sleep at the same time")
            for client in clients:
                client.answer().checked()

    def test_a_node_that_comes_back_has_the_size_of_now(self):
        with self.login() as client:
            self.hold(client, 1)
            before = backends_of_clients(1)  # The other proxy has some, too.
            client.run("rollback")
            self.reload(nodes=[name_of(0), name_of(2)])
            eventually(lambda: backends_of_clients(1) < before, 10, "nothing of this one is left there")
        with self.login() as client:  # Until the pool is forgotten, too.
            client.run("/* fairlead.route=primary */ select pg_sleep(1)")
        self.reload(pool_size=2, pool_timeout="300ms")
        self.reload(nodes=[name_of(0), name_of(1), name_of(2)])
        with self.login() as one, self.login() as two, self.login() as three:
            eventually(lambda: self.is_served(one, 1), 20, "it serves reads again")
            self.hold(one, 1)
            self.hold(two, 1)
            with self.assertRaises(wire.ServerError) as refused:
                self.hold(three, 1)
            self.assertEqual(refused.exception.sqlstate, "53300")
            self.assertIn("2 of 2 are busy", refused.exception.fields["D"])

    def is_served(self, client, index):
        client.run(f"set fairlead.route = '{name_of(index)}'")
        return not client.query("select 1").errors

    def test_who_waits_for_a_node_that_is_removed_is_served_by_another(self):
        with self.login() as holder, self.login() as waiter:
            self.hold(holder, 1)
            waiter.run(f"set fairlead.route = '{name_of(1)}'")
            waiter.send(wire.query("select 'served'"))
            holder.run("show fairlead.version")  # There is one worker: it has seen the waiter before.
            self.reload(nodes=[name_of(0), name_of(2)])
            self.assertEqual(waiter.answer().checked().rows, [("served",)])
            self.assertEqual(node_of(holder, "select 1"), name_of(1))
            holder.run("commit")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=2, database={"consistency": "eventual", "balance": "round_robin"},
                proxy={"server_connect_timeout": "30s"})
