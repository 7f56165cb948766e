#!/usr/bin/python3
"""Nodes that refuse the login of a user whom another node lets in: nothing was sent yet, so that one answers: E20, F7, F27."""
import contextlib
import dataclasses
import sys
import threading
import time
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None
READ = "/* fairlead.route=replica */ select 1"
NEWCOMER, LIMITED, LATE = "newcomer", "limited", "late"
PASSWORD = "of all three"


def target(client):
    return client.run("show fairlead.last_route")[0][0]


@contextlib.contextmanager
def replicas_that_stand_still():
    """What the primary does meanwhile, they do not know of."""
    with STAND.paused_replay(1), STAND.paused_replay(2):
        yield


@only_proxied
class RefusedLogins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with STAND.superuser() as primary:
            primary.run("alter role tester createdb")
            for name in (LIMITED, LATE):
                primary.run(f"create role {name} login password '{PASSWORD}' connection limit 1")
        for index in (1, 2):
            STAND.wait_for_replay(index)
        # One worker: what one client was greeted with, all are.
        cls.proxy = Proxy(STAND, {"proxy": {"workers": 1}}, users={name: PASSWORD for name in (NEWCOMER, LIMITED, LATE)})
        cls.addClassCleanup(cls.proxy.stop)

    def login(self, port=None, **who):
        """By the automatic port, if no other is named."""
        return wire.Connection.login(dataclasses.replace(self.proxy.address, **who), port, timeout=20)

    def slot(self, user, index):
        """The one connection of that user to a node, taken by somebody else."""
        return wire.Connection.login(dataclasses.replace(STAND.node_address(index), user=user, password=PASSWORD))

    def test_a_database_that_replicas_do_not_have_yet_is_read_from_the_primary(self):
        with replicas_that_stand_still():
            with self.login(self.proxy.address.primary_port) as owner:
                owner.run("create database fresh")
            with self.login(database="fresh") as client:
                self.assertEqual(client.run(READ), [("1",)])
                self.assertEqual(target(client), "primary")
            with self.login(self.proxy.address.read_port, database="fresh") as client:  # Nobody else is left to be asked.
                [refusal] = client.query("select 1").errors
                self.assertEqual((refusal["C"], refusal["D"]), ("08006", 'database "fresh" does not exist'))

    def test_a_role_that_replicas_do_not_have_yet_reads_from_the_primary(self):
        with replicas_that_stand_still():
            with STAND.superuser() as primary:
                primary.run(f"create role {NEWCOMER} login password '{PASSWORD}'")
            with self.login(user=NEWCOMER, password=PASSWORD) as client:
                self.assertEqual(client.run(READ), [("1",)])
                self.assertEqual(target(client), "primary")

    def test_a_replica_without_a_free_connection_leaves_its_reads_to_others(self):
        def read(expected):
            for _ in range(3):
                self.assertEqual(client.run(READ), [("1",)])
                self.assertEqual(target(client), expected)

        with self.login(user=LIMITED, password=PASSWORD) as client, self.slot(LIMITED, 1):
            with self.slot(LIMITED, 2):
                read("primary")
            eventually(lambda: client.run(READ) and target(client) == "replica", 10, "its connection has ended there")
            read("replica")

    def test_a_replica_that_refuses_is_asked_once_a_second(self):
        def attempts():
            return self.proxy.whole_log().count(f"no server for tests/{LIMITED}")

        with self.login(user=LIMITED, password=PASSWORD) as client, self.slot(LIMITED, 1), self.slot(LIMITED, 2):
            before, began = attempts(), time.monotonic()
            for _ in range(100):
                self.assertEqual(client.run(READ), [("1",)])
            replicas, seconds = 2, int(time.monotonic() - began)
            self.assertLessEqual(attempts() - before, replicas * (seconds + 2))

    def test_a_primary_without_a_free_connection_is_waited_for(self):
        answers = []

        def write():
            with self.login(self.proxy.address.primary_port, user=LATE, password=PASSWORD) as client:
                answers.append(client.value("select 2"))

        writer = threading.Thread(target=write, daemon=True)
        with self.slot(LATE, 0):
            writer.start()
            writer.join(1)
            self.assertEqual(answers, [])
        writer.join(20)
        self.assertEqual(answers, ["2"])

    def test_who_is_unknown_everywhere_is_told_in_the_servers_words(self):  # F7, F27
        for port in (None, self.proxy.address.read_port):
            with self.subTest(port=port), self.assertRaises(wire.ServerError) as refused:
                self.login(port, database="nowhere")
            self.assertEqual((refused.exception.sqlstate, refused.exception.fields["M"]), ("3D000", 'database "nowhere" does not exist'))


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=2, database={"consistency": "eventual"})
