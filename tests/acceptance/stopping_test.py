#!/usr/bin/python3
"""Fairlead ends when it is told to, whatever is on its way between it and the servers at that moment."""
import contextlib
import os
import signal
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually, is_alive, with_children
from stand.proxy import Proxy

STAND = None
# Probes take as long as all logins while these are slow, and nobody is to be called dead for it.
PATIENT = {"probe_timeout": "20s"}


@contextlib.contextmanager
def slow_logins():
    """The primary answers a login only two seconds after it has authenticated."""
    def delay(seconds):
        def holds():
            with STAND.superuser() as another:  # It counts for connections that begin from now on.
                return another.value("select setting from pg_settings where name = 'post_auth_delay'") == str(seconds)

        with STAND.superuser() as server:
            server.run(f"alter system set post_auth_delay = {seconds}")
            server.run("select pg_reload_conf()")
        eventually(holds, 20, "the delay has changed")

    delay(2)
    try:
        yield
    finally:
        delay(0)


def logins():
    """Of the tests' user to the primary, that have begun and are not through, by what its processes call themselves."""
    titles = []
    for pid in with_children(STAND.node_pid(0)):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            titles.append(file.read())
    return sum("tester" in title and "startup" in title for title in titles)


def is_owed_an_answer(port):
    """Whether bytes have come to a server's port that nobody there has read."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            _, local, _, _, queues = line.split()[:5]
            if int(local.split(":")[1], 16) == port and int(queues.split(":")[1], 16) > 0:
                return True
    return False


@only_proxied
class Stopping(unittest.TestCase):
    def stop(self, proxy):
        """The second signal says: at once."""
        for _ in range(2):
            os.kill(proxy.pid, signal.SIGTERM)
        eventually(lambda: not is_alive(proxy.pid), 15, "it has ended")
        proxy.stop()  # It has ended well.

    def test_while_servers_are_opened_for_clients(self):
        for _ in range(3):
            proxy = Proxy(STAND, {"cluster": PATIENT})
            self.addCleanup(proxy.stop)
            with contextlib.ExitStack() as stack:
                # More than the servers that its start has left behind.
                clients = [stack.enter_context(wire.Connection.login(proxy.address)) for _ in range(8)]
                with slow_logins():
                    for client in clients:
                        client.send(wire.query("begin; create temp table mine (n int)"))
                    eventually(logins, 10, "servers are being opened")
                    self.stop(proxy)

    def test_clients_are_told_at_once_while_the_primary_hangs(self):
        proxy = Proxy(STAND, {"cluster": PATIENT})
        self.addCleanup(proxy.stop)
        with wire.Connection.login(proxy.address) as client:
            client.run("begin; create temp table mine (n int)")
            STAND.signal_node(0, signal.SIGSTOP)
            try:
                eventually(lambda: is_owed_an_answer(STAND.nodes[0]["port"]), 10, "the proxy has asked it something")
                for _ in range(2):  # The second signal says: at once.
                    os.kill(proxy.pid, signal.SIGTERM)
                client.socket.settimeout(4)
                kind, body = client.read()
                self.assertEqual((kind, wire.fields_of(body)["C"]), (b"E", "57P01"))
            finally:
                STAND.signal_node(0, signal.SIGCONT)
        eventually(lambda: not is_alive(proxy.pid), 15, "it has ended")

    def test_while_spare_servers_are_opened(self):
        for _ in range(3):
            proxy = Proxy(STAND, {"cluster": PATIENT, "proxy": {"min_servers": 5}})
            self.addCleanup(proxy.stop)
            with slow_logins():
                with STAND.superuser() as primary:
                    primary.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tester'")
                eventually(logins, 10, "a spare server is being opened")
                self.stop(proxy)


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1)
