#!/usr/bin/python3
"""The admin console: its databases, both protocols, real drivers and psql, two workers, hostile input; and what it shows
of routes and pins is what was sent."""
import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import unittest

import asyncpg
import psycopg
import psycopg2

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually, free_ports, postgres_tool
from stand.proxy import Proxy

STAND = None
OPTIONS = {"proxy": {"max_client_connections": 60}}
CLIENTS = 24  # Enough that both workers have some.


def console_address(database="fairlead"):
    return dataclasses.replace(STAND.address, database=database)


def console(database="fairlead"):
    return wire.Connection.login(console_address(database))


def login():
    return wire.Connection.login(STAND.address)


def is_let_in():
    with contextlib.suppress(wire.ServerError), login():
        return True
    return False


def shown(name):
    """The rows of a view as dictionaries, through a driver that knows types."""
    with contextlib.closing(connect_psycopg2()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


def connect_psycopg2(autocommit=True):
    address = console_address()
    connection = psycopg2.connect(
        host=address.host, port=address.port, user=address.user, password=address.password, dbname="fairlead", sslmode="prefer"
    )
    connection.autocommit = autocommit
    return connection


def counts():
    return {(row["reason"], row["target"]): row["count"] for row in shown("routes")}


def psql(*commands, database="fairlead"):
    arguments = [argument for command in commands for argument in ("-c", command)]
    environment = {**STAND.address.libpq_environment(), "PGDATABASE": database}
    return subprocess.run([postgres_tool("psql"), "-X", "-A", *arguments], env=environment, capture_output=True, text=True,
                          timeout=30, check=False)


def fairlead(*arguments, **environment):
    return subprocess.run([STAND.binary, *arguments], capture_output=True, text=True, timeout=30, check=False,
                          env={**os.environ, **environment})


@only_proxied
class Protocol(unittest.TestCase):
    def test_both_names_are_the_console_and_psql_shows_it(self):
        for database in ("fairlead", "pgbouncer"):
            done = psql("SHOW VERSION", "show help", database=database)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"version\nfairlead \d+\.\d+\.\d+\n")
            self.assertIn("SHOW ROUTES|", done.stdout)

    def test_an_unknown_command_names_the_nearest_and_what_there_is(self):
        done = psql("SHOW ROUTE")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unknown command: SHOW ROUTE", done.stderr)
        self.assertIn("Did you mean SHOW ROUTES?", done.stderr)
        with console() as client:
            self.assertEqual(client.query("drop table x").errors[0]["C"], "42601")
            self.assertEqual(client.run("show version")[0][0].split()[0], "fairlead")

    def test_several_statements_in_a_message_are_answered_one_after_the_other(self):
        with console() as client:
            answer = client.query("SHOW ROUTES; SHOW PINS; SHOW VERSION").checked()
            self.assertEqual(answer.tags, ["SHOW"] * 3)

    def test_drivers_get_numbers_as_numbers_in_either_format_and_protocol(self):
        with login() as client:
            client.run("select 1")
        self.assertIsInstance(shown("routes")[0]["count"], int)
        self.assertIsInstance(shown("routes")[0]["share"], float)
        address = console_address()
        dsn = f"host={address.host} port={address.port} user={address.user} password={address.password} dbname=fairlead"
        for binary in (False, True):
            with psycopg.connect(dsn, prepare_threshold=0) as connection:  # Not autocommit: BEGIN and COMMIT.
                row = connection.cursor(binary=binary).execute("SHOW ROUTES").fetchone()
                self.assertIsInstance(row[2], int)
                self.assertIsInstance(row[3], float)

        async def ask():
            connection = await asyncpg.connect(host=address.host, port=address.port, user=address.user,
                                               password=address.password, database="fairlead")
            rows = await connection.fetch("SHOW ROUTES")
            row = await connection.fetchrow("SHOW ROUTES")
            await connection.close()
            return rows, row

        rows, row = asyncio.run(ask())
        self.assertIsInstance(row["count"], int)
        self.assertEqual(rows[0]["reason"], row["reason"])

    def test_a_driver_that_begins_transactions_by_itself_works(self):
        with contextlib.closing(connect_psycopg2(autocommit=False)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW VERSION")
            self.assertEqual(len(cursor.fetchall()), 1)
            connection.commit()
            with self.assertRaises(psycopg2.errors.SyntaxError):
                cursor.execute("SELECT 1")
            connection.rollback()
            cursor.execute("SHOW VERSION")

    def test_a_wrong_password_is_refused_as_everywhere(self):
        wrong = dataclasses.replace(console_address(), password="wrong")
        with self.assertRaises(wire.ServerError) as caught:
            wire.Connection.login(wrong)
        self.assertEqual(caught.exception.fields["C"], "28P01")

    def test_replication_is_refused(self):
        with self.assertRaises(wire.ServerError) as caught:
            wire.Connection.login(console_address(), replication="true")
        self.assertEqual(caught.exception.fields["C"], "0A000")

    def test_hostile_messages_disturb_nobody(self):
        with login() as bystander:
            for message in (
                wire.query("SHOW " + "x" * 60000), wire.query("show \xff\x00".encode("latin-1") + b"x"), wire.parse("SHOW ROUTES" * 50),
                wire.bind(statement="none"), wire.execute("none"), wire.message(b"F", b"\0" * 20), wire.message(b"d", b"x"),
            ):
                with console() as client:
                    client.send(message + wire.SYNC)
                    client.answer()
                    if message[:1] in b"QF":  # Answered with a ReadyForQuery of their own.
                        client.answer()
                    self.assertEqual(len(client.extended(wire.parse("show version"), wire.bind(), wire.execute()).rows), 1)
            for message in (b"\x7f\0\0\0\4", b"Q\x7f\xff\xff\xff", wire.query("x" * 70000), b"Q\0\0\0\0"):
                with console() as client:
                    client.send(message)
                    with self.assertRaises((wire.Closed, wire.ServerError, ConnectionError)):
                        client.answer()
                        client.answer()
            self.assertEqual(bystander.value("select 1"), "1")
            with console() as client:
                self.assertEqual(len(client.run("show version")), 1)

    def test_many_consoles_ask_at_once_and_one_that_does_not_read_stops_nobody(self):
        with contextlib.ExitStack() as stack:
            lazy = stack.enter_context(console())
            lazy.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(2000):
                    lazy.send(wire.query("show help;" * 90))
            clients = [stack.enter_context(console()) for _ in range(CLIENTS)]
            for _ in range(20):
                for client in clients:
                    client.send(wire.query("show routes; show pins; show observe_shapes"))
                for client in clients:
                    self.assertEqual(client.answer().checked().tags, ["SHOW"] * 3)
            for client in clients[: CLIENTS // 2]:  # They leave while they are being answered.
                client.send(wire.query("show routes;" * 50))
                client.close()
            self.assertEqual(clients[-1].query("show pins").checked().tags, ["SHOW"])

    def test_the_console_can_be_reached_when_clients_cannot(self):
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(wire.ServerError):
                while True:
                    stack.enter_context(login())
            with console() as client:
                self.assertEqual(len(client.run("show version")), 1)
        eventually(is_let_in, 10, "the clients have left")


@only_proxied
class Routes(unittest.TestCase):
    def test_they_add_up_to_what_was_sent_over_both_workers(self):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(login()) for _ in range(CLIENTS)]
            clients[0].run("create table if not exists routed (n int)")
            read = "select count(*) from routed"
            eventually(lambda: clients[0].run(read) and clients[0].run("show fairlead.last_route")[0][0] == "replica", 10,
                       "the catalog has the table")
            before = counts()
            for client in clients:
                client.run("insert into routed values (1)")
                client.prepared("insert into routed values ($1)", 2)
                for _ in range(3):
                    client.run("select count(*) from routed")
                client.run("/* fairlead.route=primary */ select 1")
                client.run("begin")
                client.run("select 2")
                client.run("commit")
            after = counts()
            grown = {key: count - before.get(key, 0) for key, count in after.items() if count != before.get(key, 0)}
            self.assertEqual(grown.pop(("write", "primary")), 2 * CLIENTS)
            self.assertEqual(grown.pop(("hint", "primary")), CLIENTS)
            self.assertEqual(grown.pop(("transaction", "primary")), CLIENTS)
            self.assertEqual(grown.pop(("in_transaction", "primary")), CLIENTS)  # COMMIT; BEGIN needs no server.
            self.assertEqual(sum(grown.values()), 3 * CLIENTS)  # Replicas, or the primary for freshness.
            self.assertLessEqual(set(grown), {("read", "replica"), ("own_write", "primary"), ("no_replica", "primary")})
            self.assertGreaterEqual(len({client.pid >> 25 for client in clients}), 2, "both workers had clients")

    def test_shares_are_parts_of_one(self):
        with login() as client:
            client.run("select 1")
        rows = shown("routes")
        self.assertAlmostEqual(sum(row["share"] for row in rows), 1, delta=0.0001 * len(rows))
        total = sum(row["count"] for row in rows)
        for row in rows:
            self.assertAlmostEqual(row["share"], row["count"] / total, delta=0.0001)
            self.assertTrue(row["description"].endswith("."))

    def test_an_ordinary_connection_shows_the_same(self):
        with login() as client:
            client.run("select 1")
            rows = client.run("SHOW fairlead.routes")
            self.assertEqual({(row[0], row[1]): int(row[2]) for row in rows}, counts())
            described = client.extended(wire.parse("show fairlead.routes", "s"), wire.describe(b"S", "s"))
            self.assertEqual(described.checked().kinds, "1tTZ")
            for _ in range(3):
                asked = client.extended(wire.bind(statement="s"), wire.execute(), wire.bind(statement="s"), wire.execute())
                self.assertEqual(asked.checked().rows, rows + rows)
            client.run("begin")
            self.assertEqual(client.query("show fairlead.pins").checked().status, "T")
            client.run("rollback")
            self.assertEqual(client.query("show fairlead.roots").errors[0]["C"], "42704")

    def test_the_command_prints_them(self):
        done = fairlead("routes", "-c", STAND.config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\Areason +target +count +share +description\n")
        self.assertRegex(done.stdout, r"\nread +replica +\d+ +\d+\.\d %  A proven read")
        parsed = json.loads(fairlead("routes", "-c", STAND.config, "--json").stdout)
        self.assertEqual({(row["reason"], row["target"]): row["count"] for row in parsed["routes"]}, counts())
        address = STAND.address
        url = f"postgresql://{address.user}@{address.host}:{address.port}/pgbouncer"
        self.assertEqual(fairlead("routes", "--url", url, PGPASSWORD=address.password).returncode, 0)

    def test_the_command_takes_a_password_that_is_not_on_file_from_the_environment(self):
        address = STAND.address
        proxy = Proxy(STAND, verifiers=True)
        self.addCleanup(proxy.stop)
        done = fairlead("routes", "-c", proxy.config)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("next: add --user NAME; its password is read from PGPASSWORD", done.stderr)
        for arguments, environment in ((("--user", address.user), {}), ((), {"PGUSER": address.user})):
            done = fairlead("routes", "-c", proxy.config, *arguments, PGPASSWORD=address.password, **environment)
            self.assertEqual(done.returncode, 0, done.stderr)
        done = fairlead("routes", "-c", proxy.config, "--user", address.user, PGPASSWORD="wrong")
        self.assertEqual(done.returncode, 4, done.stderr)

    def test_the_commands_say_what_to_do_when_nobody_answers(self):
        (port,) = free_ports(1)
        for command in ("routes", "pins", "observe"):
            done = fairlead(command, "-c", STAND.config, "--set", f"listen.port={port}")
            self.assertEqual(done.returncode, 4, command)
            self.assertIn("next: is fairlead up running", done.stderr)
            self.assertEqual(done.stdout, "")


@only_proxied
class Pins(unittest.TestCase):
    def pin_of(self, client):
        return next((row for row in shown("pins") if row["client_id"] == client.pid), None)

    def reasons_of(self, client):
        pin = self.pin_of(client)
        return pin and pin["reason"]

    def test_a_pin_appears_with_its_reason_and_goes_when_its_cause_ends(self):
        for begin, end, reason in (
            ("listen news", "unlisten *", "listen"),
            ("create temp table t (n int)", "drop table t", "temp_object"),
            ("select pg_advisory_lock(7)", "select pg_advisory_unlock(7)", "advisory_lock"),
            ("declare c cursor with hold for select 1", "close c", "hold_cursor"),
            ("create temp table t (n int); listen a", "discard all", "temp_object"),
        ):
            with self.subTest(begin), login() as client:
                self.assertIsNone(self.pin_of(client))
                for statement in begin.split("; "):
                    client.run(statement)
                # The server is asked what it holds after the client has its answer.
                eventually(lambda: self.reasons_of(client) == reason, 5, f"a pin for {reason}")
                if "listen a" in begin:  # One reason is enough to keep it; the others are looked at when that one ends.
                    self.assertTrue(self.pin_of(client)["description"].endswith("; perhaps also listen"))
                client.run(end)
                eventually(lambda: self.pin_of(client) is None, 5, "no pin, because the cause has ended")

    def test_it_tells_who_holds_which_server_and_for_how_long(self):
        with login() as client:
            client.run("listen news")
            eventually(lambda: self.pin_of(client), 5, "a pin")
            held_from = time.monotonic()
            pid = client.value("select pg_backend_pid()")
            time.sleep(0.2)
            pin = self.pin_of(client)
            self.assertEqual(pin["server_pid"], int(pid))
            self.assertEqual((pin["user"], pin["database"]), ("tester", "tests"))
            host, port = client.socket.getsockname()
            self.assertEqual(pin["addr"], f"{host}:{port}")
            self.assertEqual(pin["node"], "{}:{}".format(*STAND.address.nodes[0]))
            self.assertGreaterEqual(pin["since_s"], 0.2)
            self.assertLess(pin["since_s"], time.monotonic() - held_from + 5)
            self.assertIn("until UNLISTEN", pin["description"])
            done = fairlead("pins", "-c", STAND.config)
            self.assertRegex(done.stdout, rf"{host}:{port} +tester +tests +\S+ +{pid} +\S+ m?s +listen +LISTEN is in effect")
            rows = json.loads(fairlead("pins", "-c", STAND.config, "--json").stdout)["pins"]
            self.assertIn(client.pid, [row["client_id"] for row in rows])

    def test_pins_of_both_workers_are_shown_and_a_client_that_leaves_takes_its_own_along(self):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(login()) for _ in range(12)]
            for client in clients:
                client.run("listen news")
            mine = {client.pid for client in clients}
            self.assertGreaterEqual(len({pid >> 25 for pid in mine}), 2, "both workers had clients")
            eventually(lambda: mine <= {row["client_id"] for row in shown("pins")}, 5, "all are shown")
        eventually(lambda: not mine & {row["client_id"] for row in shown("pins")}, 10, "the pins are gone")

    def test_a_transaction_is_no_pin(self):
        with login() as client:
            client.run("begin; select 1")
            time.sleep(0.1)
            self.assertIsNone(self.pin_of(client))


@only_proxied
class Endings(unittest.TestCase):
    def test_a_proxy_that_stops_tells_its_consoles_and_does_not_wait_for_them(self):
        proxy = Proxy(STAND)
        try:
            with wire.Connection.login(dataclasses.replace(proxy.address, database="fairlead")) as client:
                client.run("show version")
                os.kill(proxy.pid, signal.SIGTERM)
                with self.assertRaises(wire.ServerError) as caught:
                    client.answer()
                self.assertEqual(caught.exception.fields["C"], "57P01")
        finally:
            proxy.stop()

    def test_an_idle_console_is_subject_to_the_limit_for_idle_clients(self):
        proxy = Proxy(STAND, sections={"proxy": {"client_idle_timeout": "300ms"}})
        try:
            with wire.Connection.login(dataclasses.replace(proxy.address, database="fairlead")) as client:
                with self.assertRaises(wire.ServerError):
                    client.answer()
        finally:
            proxy.stop()


if __name__ == "__main__":
    run_program(sys.modules[__name__], **OPTIONS)
