#!/usr/bin/python3
"""Every limit for clients: whoever meets one is told which, with PostgreSQL's SQLSTATE, and nobody else is disturbed: F42, F52."""
import concurrent.futures
import contextlib
import os
import signal
import socket
import sys
import time
import unittest

import psycopg2

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None
CLIENTS_MAX = 8
POOL_SIZE = 2
OPTIONS = {
    "proxy": {
        "max_client_connections": CLIENTS_MAX, "idle_transaction_timeout": "700ms", "client_idle_timeout": "3s",
        "client_login_timeout": "1s",
    },
    "database": {"pool_size": POOL_SIZE, "pool_timeout": "200ms"},
}


def login(**options):
    """Those of the test before may still be counted for a moment."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return wire.Connection.login(STAND.address, timeout=20, **options)
        except wire.ServerError as error:
            if error.sqlstate != "53300" or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class Limits(unittest.TestCase):
    def tearDown(self):
        def all_left():
            with contextlib.ExitStack() as stack:
                for _ in range(CLIENTS_MAX):
                    stack.enter_context(login())
            return True

        def all_left_or_not_yet():
            try:
                return all_left()
            except (wire.ServerError, wire.Closed):
                return False

        eventually(all_left_or_not_yet, 10, "every client of the test has left")

    @only_proxied
    def test_one_client_too_many_is_told_so_by_its_driver_and_may_still_cancel(self):
        address = STAND.address
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(login()) for _ in range(CLIENTS_MAX)]
            with self.assertRaisesRegex(psycopg2.OperationalError, "sorry, too many clients already"):
                psycopg2.connect(host=address.host, port=address.port, user=address.user, password=address.password,
                                 dbname=address.database, sslmode="prefer")
            clients[0].send(wire.query("select pg_sleep(10)"))
            time.sleep(0.3)
            clients[0].cancel()
            reply = clients[0].answer()
            self.assertEqual(reply.errors[0]["C"], "57014")
            self.assertEqual(clients[1].run("select 1"), [("1",)])

    @only_proxied
    def test_waiting_too_long_for_a_server_names_the_numbers(self):
        with contextlib.ExitStack() as stack:
            holders = [stack.enter_context(login()) for _ in range(POOL_SIZE)]
            waiter = stack.enter_context(login())
            for holder in holders:
                holder.run("begin")
                holder.run("select 1")
            began = time.monotonic()
            with self.assertRaises(wire.ServerError) as refused:
                waiter.run("create temporary table never (n int)")
            self.assertLess(time.monotonic() - began, 5)
            fields = refused.exception.fields
            self.assertEqual(fields["C"], "53300")
            self.assertIn(f"{POOL_SIZE} of {POOL_SIZE} are busy", fields["D"])
            self.assertIn("pool_size", fields["H"])
            holders[0].run("commit")
            self.assertEqual(waiter.run("select 'served'"), [("served",)])

    @only_proxied
    def test_an_idle_transaction_ends_with_25P03_and_frees_its_server(self):
        with login() as idle, login() as other:
            idle.run("begin")
            idle.run("create table never (n int)")
            time.sleep(2)
            with self.assertRaises(wire.ServerError) as ended:
                idle.answer()
            self.assertEqual(ended.exception.sqlstate, "25P03")
            self.assertEqual(other.run("select to_regclass('never')"), [(None,)])

    @only_proxied
    def test_a_limit_that_a_reload_brings_is_also_for_those_who_are_idle_already(self):  # F52
        proxy = Proxy(STAND, {"proxy": {"idle_transaction_timeout": "0s"}})
        self.addCleanup(proxy.stop)
        with wire.Connection.login(proxy.address, timeout=15) as idle:
            idle.run("begin")
            idle.run("create table never (n int)")
            with open(proxy.config, encoding="utf-8") as file:
                config = file.read()
            with open(proxy.config, "w", encoding="utf-8") as file:
                file.write(config.replace('idle_transaction_timeout = "0s"', 'idle_transaction_timeout = "300ms"'))
            os.kill(proxy.pid, signal.SIGHUP)
            with self.assertRaises(wire.ServerError) as ended:
                idle.answer()
            self.assertEqual(ended.exception.sqlstate, "25P03")

    @only_proxied
    def test_a_segment_without_its_sync_idles_as_a_transaction(self):  # F23, F52
        with login() as idle, login() as other:
            other.run("drop table if exists never; create table never (n int)")
            idle.send(wire.parse("insert into never values (1)") + wire.bind() + wire.execute() + wire.FLUSH)
            self.assertEqual([idle.next()[0] for _ in range(3)], [b"1", b"2", b"C"])
            with self.assertRaises(wire.ServerError) as ended:
                idle.answer()
            self.assertEqual(ended.exception.sqlstate, "25P03")
            self.assertEqual(other.run("/* fairlead.route=primary */ select count(*) from never"), [("0",)])
            other.run("drop table never")

    @only_proxied
    def test_the_time_that_a_statement_runs_is_not_its_clients(self):  # F52
        with login() as client:
            for _ in range(2):
                client.run("begin")
                client.run("/* fairlead.route=primary */ select pg_sleep(1)")
                time.sleep(0.3)
                self.assertEqual(client.run("select 1"), [("1",)])
                client.run("commit")

    @only_proxied
    def test_an_idle_client_is_ended_and_a_busy_one_is_not(self):
        with login() as idle, login() as busy:
            for _ in range(10):
                self.assertEqual(busy.run("select 1"), [("1",)])
                time.sleep(0.5)
            with self.assertRaises(wire.ServerError) as ended:
                idle.answer()
            self.assertEqual(ended.exception.sqlstate, "57P01")

    @only_proxied
    def test_a_stranger_that_never_logs_in_is_closed_in_time(self):
        began = time.monotonic()
        with socket.create_connection((STAND.address.host, STAND.address.port), timeout=20) as silent:
            self.assertEqual(silent.recv(1000), b"")
            self.assertLess(time.monotonic() - began, 5)


class AWaitingLogin(unittest.TestCase):
    """The first client with its settings waits for a server to learn from it what servers report."""

    @only_proxied
    def test_it_outlives_the_catalog_that_it_came_with(self):
        proxy = Proxy(STAND, {"database": {"pool_size": 1, "pool_timeout": "30s"}, "proxy": {"log_level": "debug"}})
        self.addCleanup(proxy.stop)

        def catalogs():
            return proxy.whole_log().count('database "tests" has functions by')

        with contextlib.ExitStack() as stack:
            server = stack.enter_context(STAND.superuser(0, "tests"))
            server.run("create sequence numbers; grant all on numbers to public")
            stack.callback(server.run, "drop sequence numbers")
            eventually(lambda: catalogs() > 0, 10, "the catalog is loaded")
            holder = stack.enter_context(wire.Connection.login(proxy.address))
            # So that the next one has to forget a number, if the catalog knows who asks for one.
            holder.run("begin")
            holder.run("select nextval('numbers')")
            logins = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
            login = logins.submit(wire.Connection.login, proxy.address, extra_float_digits="2")
            time.sleep(0.2)  # It waits by now.
            before = catalogs()
            server.run("create function made_meanwhile() returns int stable language sql as 'select 1'")
            stack.callback(server.run, "drop function made_meanwhile()")
            eventually(lambda: catalogs() > before, 20, "the catalog is loaded anew")
            time.sleep(0.2)  # The worker has it then.
            self.assertFalse(login.done())
            holder.run("rollback")
            with login.result(20) as client:
                self.assertEqual(client.value("show extra_float_digits"), "2")


class FewFiles(unittest.TestCase):
    """A proxy that may not have as many open files as its clients want."""

    def start(self, files):
        proxy = Proxy(STAND, {"database": {"pool_size": POOL_SIZE}}, files=files)
        self.addCleanup(proxy.stop)
        clients = contextlib.ExitStack()
        self.addCleanup(clients.close)
        return proxy, clients

    @only_proxied
    def test_clients_do_not_take_the_files_that_servers_need(self):
        proxy, stack = self.start("200:200")
        self.assertIn("may have 200 open files", proxy.log())
        self.assertIn("LimitNOFILE", proxy.log())
        clients, refusals = [], []
        for _ in range(300):
            try:
                clients.append(stack.enter_context(wire.Connection.login(proxy.address, timeout=20)))
            except wire.ServerError as error:
                refusals.append(error.fields)
        self.assertGreater(len(clients), 100)
        self.assertEqual({fields["C"] for fields in refusals}, {"53300"})
        self.assertIn("the proxy may have 200 open files, and keeps 25 of them for servers", refusals[0]["D"])
        for index in (0, 1):  # The proxy must open everything anew.
            with STAND.superuser(index) as node:
                node.run("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                         "where backend_type = 'client backend' and pid <> pg_backend_pid()")
        for client in clients[:POOL_SIZE]:
            client.run("begin")
            self.assertEqual(client.run("select pg_current_xact_id() is not null"), [("t",)])
        for client in clients[:POOL_SIZE]:
            client.run("commit")

        def node_of_a_read():
            clients[-1].run("select 7")
            return clients[-1].run("show fairlead.last_route")[0][1]

        eventually(lambda: node_of_a_read() == f"{STAND.nodes[1]['host']}:{STAND.nodes[1]['port']}", 20,
                   "the replica is read from again")
        self.assertNotRegex(proxy.whole_log(), "no answer within|Too many open files|is down")

    @only_proxied
    def test_a_proxy_takes_all_the_files_that_it_may_have(self):
        proxy, stack = self.start("256:2000")
        for _ in range(400):
            stack.enter_context(wire.Connection.login(proxy.address, timeout=20))
        self.assertIn("may have 2000 open files", proxy.log())


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, **OPTIONS)
