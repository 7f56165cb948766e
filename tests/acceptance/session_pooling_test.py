#!/usr/bin/python3
"""pool_mode = "session": a client keeps one server for all that it sends, so it must be one that can do all of it. C18, C22, D16."""
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually

STAND = None
FIRST = ("select 1", "begin read only", "/* fairlead.route=replica */ select 1", "show transaction_read_only", "insert into kept values (0)")


def login(**options):
    return wire.Connection.login(STAND.address, timeout=20, **options)


def target(client):
    return client.run("show fairlead.last_route")[0][0]


@only_proxied
class SessionPooling(unittest.TestCase):
    def setUp(self):
        with login() as client:
            client.run("drop table if exists kept; create table kept (n int)")
            client.run("create sequence if not exists numbers")

    def test_whatever_comes_first_the_primary_serves_all_of_it(self):  # C18, C22
        for first in FIRST:
            with self.subTest(first), login() as client:
                client.run(first)
                for statement in ("select count(*) from kept", "commit", "insert into kept values (1)", "begin read only",
                                  "select count(*) from kept", "commit", "begin", "insert into kept values (2)", "commit",
                                  "select nextval('numbers')", "select currval('numbers')", "create temp table mine (n int)"):
                    client.run(statement)
                    self.assertEqual(target(client), "primary", statement)

    def test_what_others_have_written_is_seen(self):  # D16
        with login() as writer, login() as reader, STAND.paused_replay():
            for number in range(1, 4):
                reader.run("select 1")
                writer.run("insert into kept values (1)")
                self.assertEqual(reader.value("select count(*) from kept"), str(number))

    def test_the_read_port_is_for_who_only_reads(self):
        with wire.Connection.login(STAND.address, STAND.address.read_port, timeout=20) as reader:
            eventually(lambda: reader.run("select 1"), 10, "it reads")
            self.assertEqual(target(reader), "replica")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"pool_mode": "session"})
