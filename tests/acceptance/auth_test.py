#!/usr/bin/python3
"""Logins: each method of clients with each kind of secret, each method of servers behind it, and what the refused learn."""
import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import hmac
import os
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

import asyncpg
import psycopg2

import wire
from stand.open import only_proxied, run_program
from stand.processes import cpu_seconds, eventually, memory_kib
from stand.proxied import ProxiedServer

STAND = None
UNICODE = "žlutý kůň \u2168"  # Two ways to write the same: SASLprep makes one of them (RFC 4013).
METHODS = ("scram-sha-256", "md5", "trust")  # Of clients, a proxy for each.
SERVER_METHODS = ("scram-sha-256", "md5", "password", "trust")
# What pg_hba.conf asks of the roles that are named after it; anybody else gives a password by SCRAM.
HBA = [*(f'host all "by {method}" all {method}' for method in SERVER_METHODS), 'host all "no such role" all trust',
       "host all hashed all md5", "host all asked all password", "host all all all scram-sha-256"]


def verifier_of(password, iterations):
    """As pg_authid keeps it (RFC 5802)."""
    salt, encoded = os.urandom(16), lambda key: base64.b64encode(key).decode()
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return f"SCRAM-SHA-256${iterations}:{encoded(salt)}${encoded(stored)}:{encoded(hmac.digest(salted, b'Server Key', 'sha256'))}"


class AuthStand(ProxiedServer):
    """A proxy for each method of clients in front of one server; all roles have the same password but one."""

    def __init__(self, binary):
        super().__init__(binary, hba=HBA)
        try:
            secrets = self._make_roles()
            self.proxies = {
                method: self.add_proxy(tls=True, users=secrets, sections={
                    "auth": {"method": method}, "cluster": {"server_auth": SERVER_METHODS},
                })
                for method in METHODS
            }
            # Nothing said about servers; md5 for clients, so that each kind of secret can be logged in with.
            self.proxies["by default"] = self.add_proxy(users=secrets, sections={"auth": {"method": "md5"}})
            self.users = secrets
        except BaseException:
            self.stop()
            raise

    def _make_roles(self):
        """Returns what users_file knows."""
        with self.superuser() as server:
            for method in SERVER_METHODS:
                server.run(f"set password_encryption = '{'md5' if method == 'md5' else 'scram-sha-256'}'")
                server.run(f"create role \"by {method}\" login password '{self.password}'")
            for name in ("verifier", "changed", "unlisted", "asked"):
                server.run(f"create role {name} login password '{self.password}'")
            server.run(f"create role unicode login password '{UNICODE}'")
            server.run(f"set password_encryption = 'md5'; create role hashed login password '{self.password}'")
            hashes = dict(server.run("select rolname, rolpassword from pg_authid where rolpassword is not null"))
        plain = {f"by {method}": self.password for method in SERVER_METHODS}
        return {
            **plain, "verifier": hashes["verifier"], "hashed": hashes["hashed"], "asked": hashes["asked"],
            "unicode": UNICODE, "changed": "not what the server has", "only here": self.password,
        }

    def address_of(self, method, user, password=None, **other):
        return dataclasses.replace(self.proxies[method].address, user=user, password=password or self.password, **other)

    def connect(self, method, user, password=None, **options):
        """Nothing here is worth waiting for: neither failover_hold nor another node would help."""
        address = self.address_of(method, user, password)
        return psycopg2.connect(host=address.host, port=address.port, user=address.user, password=address.password,
                                dbname=address.database, connect_timeout=10, **options)


def refusal(method, user, password, tls=False, **other):
    """All that a refused client is shown, with what must differ left out: its own name, and what is random."""
    address, shown = STAND.address_of(method, user, password, **other), []
    with contextlib.closing(wire.Connection(address.host, address.port, 10)) as connection:
        read = connection.read

        def noting():
            kind, body = read()
            if kind == b"E":
                shown.append({**wire.fields_of(body), "M": wire.fields_of(body)["M"].replace(user, "USER")})
            elif body[:4] == struct.pack("!i", 11):  # SCRAM's first message: the nonce and the salt have a size.
                shown.append([(part[:2], len(part)) for part in body[4:].split(b",")] + [body.rsplit(b",i=", 1)[1]])
            elif body[:4] == struct.pack("!i", 5):
                shown.append((5, len(body)))
            else:
                shown.append((kind, body))
            return kind, body

        connection.read = noting
        if tls:
            connection.ask_for_tls()
        with contextlib.suppress(wire.ServerError):
            connection.log_in(address)
        with contextlib.suppress(wire.Closed):
            noting()
    return shown


def salt_shown(user, proxy=None):
    """The salt that SCRAM gives to that user."""
    address = (proxy or STAND.proxies["scram-sha-256"]).address
    with contextlib.closing(wire.Connection(address.host, address.port, 10)) as connection:
        connection.send(wire.startup({"user": user, "database": address.database}))
        connection.read()
        first = wire.ScramClient("any").first()
        connection.send(wire.message(b"p", wire.c_string("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
        return connection.read()[1].split(b",")[1]


@only_proxied
class Clients(unittest.TestCase):
    def test_invented_users_leave_nothing_behind(self):
        pid = STAND.proxies["trust"].pid

        def log_in_as_many(prefix, count):
            for number in range(count):
                with self.assertRaises(wire.ServerError):
                    wire.Connection.login(STAND.address_of("trust", f"{prefix} {number}")).close()

        log_in_as_many("somebody", 300)
        before = memory_kib(pid, "VmRSS")
        log_in_as_many("somebody else", 1000)
        self.assertLess(memory_kib(pid, "VmRSS") - before, 1024)  # KiB

    def is_served(self, method, user, password=None, server_user=None, **options):
        with contextlib.closing(STAND.connect(method, user, password, **options)) as client, client.cursor() as cursor:
            cursor.execute("select current_user")
            self.assertEqual(cursor.fetchone(), (server_user or user,))

    def is_refused(self, why, method, user, password=None, **options):
        with self.assertRaisesRegex(psycopg2.OperationalError, why):
            self.is_served(method, user, password, **options)

    def test_scram_serves_plain_passwords_and_verifiers_with_and_without_channel_binding(self):
        for user in ("tester", "verifier"):
            for options in ({"sslmode": "disable"}, {"sslmode": "require", "channel_binding": "require"}):
                with self.subTest(user, **options):
                    self.is_served("scram-sha-256", user, **options)
                    self.is_refused("password authentication failed", "scram-sha-256", user, "wrong", **options)

    def test_scram_prepares_passwords_that_are_not_ascii(self):
        self.is_served("scram-sha-256", "unicode", UNICODE)
        self.is_served("scram-sha-256", "unicode", UNICODE.replace("\u2168", "IX"))
        self.is_refused("password authentication failed", "scram-sha-256", "unicode", UNICODE.replace("\u2168", "IV"))

    def test_scram_serves_no_md5_secret(self):
        self.is_refused("password authentication failed", "scram-sha-256", "hashed")
        self.assertIn("has an md5 secret, which cannot serve scram-sha-256", STAND.proxies["scram-sha-256"].whole_log())

    def test_md5_serves_every_kind_of_secret(self):
        for user in ("tester", "hashed", "verifier"):  # A verifier is asked for by SCRAM, as in PostgreSQL.
            with self.subTest(user):
                self.is_served("md5", user)
                self.is_refused("password authentication failed", "md5", user, "wrong")
        with wire.Connection.login(STAND.address_of("md5", "tester")) as client:
            self.assertEqual(client.value("select current_user"), "tester")

    def test_drivers_log_in_by_each_method(self):
        async def session(method):
            address = STAND.address_of(method, "tester")
            client = await asyncpg.connect(host=address.host, port=address.port, user=address.user,
                                           password=address.password, database=address.database)
            try:
                return await client.fetchval("select current_user")
            finally:
                await client.close()

        for method in METHODS:
            with self.subTest(method):
                self.assertEqual(asyncio.run(session(method)), "tester")

    def test_trust_leaves_the_decision_to_the_server(self):
        self.is_served("trust", "by trust", "whatever")  # The server trusts it, too.
        self.is_served("trust", "tester", "whatever")  # The password is in users_file.
        self.is_refused('role "no such role" does not exist', "trust", "no such role")
        for user in ("unlisted", "nobody"):  # The server wants to see a password, and there is none.
            self.is_refused(f'no credentials to log in to the server as user "{user}"', "trust", user)

    def test_an_unknown_user_looks_like_a_wrong_password(self):  # F7, F12
        for method, users in (("scram-sha-256", ("tester", "verifier", "hashed")), ("md5", ("tester", "hashed"))):
            for tls in (False, True):
                stranger = refusal(method, "nobody at all", "wrong", tls)
                self.assertEqual(stranger[-1]["C"], "28P01")
                self.assertEqual(stranger[-1]["M"], 'password authentication failed for user "USER"')
                for user in users:
                    with self.subTest(method, user=user, tls=tls):
                        self.assertEqual(refusal(method, user, "wrong", tls), stranger)
        self.assertNotEqual(refusal("md5", "verifier", "wrong"), refusal("md5", "nobody at all", "wrong"))  # As ever.

    def test_an_unknown_user_has_a_salt_that_lasts(self):
        for user in ("nobody at all", "tester", "verifier"):
            with self.subTest(user):
                self.assertEqual(salt_shown(user), salt_shown(user))
        self.assertNotEqual(salt_shown("nobody at all"), salt_shown("nobody else"))

    def test_salts_last_from_start_to_start_and_are_the_same_at_every_fairlead(self):  # F12
        names = ("nobody at all", "tester", "verifier", "by md5")
        sections = {"auth": {"salt_key_file": ""}}
        one, again = (STAND.add_proxy(sections=sections, users=STAND.users) for _ in range(2))
        before = [salt_shown(name, one) for name in names]
        self.assertEqual([salt_shown(name, again) for name in names], before)
        other = STAND.add_proxy(sections=sections, users={**STAND.users, "one more": "user"})
        self.assertNotEqual(salt_shown("nobody at all", other), before[0])
        self.assertEqual(salt_shown("verifier", other), before[2])

    def test_salts_that_come_from_a_file_last_while_users_come_and_go(self):  # F12
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"0123456789" * 4)
            file.flush()
            sections = {"auth": {"salt_key_file": file.name}}
            few, many = STAND.add_proxy(sections=sections), STAND.add_proxy(sections=sections, users=STAND.users)
            for name in ("nobody at all", "tester"):
                self.assertEqual(salt_shown(name, few), salt_shown(name, many))
            self.assertNotEqual(salt_shown("nobody at all", few), salt_shown("nobody at all"))
            file.truncate(31)
            done = subprocess.run([STAND.binary, "check", "-c", few.config], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("salt_key_file", done.stdout)
            self.assertIn("31 bytes", done.stdout)

    def test_a_database_that_does_not_exist_is_told_to_nobody_who_might_be_anybody(self):  # F7
        """As PostgreSQL, which looks for it after the login."""
        proxy = STAND.add_proxy(users=STAND.users)
        with open(proxy.config, encoding="utf-8") as file:
            text = file.read()
        with open(proxy.config, "w", encoding="utf-8") as file:
            file.write(text.replace('[database."*"]', "[database.tests]"))
        os.kill(proxy.pid, signal.SIGHUP)
        STAND.proxies["one database"] = proxy

        def state_of(**login):
            with self.assertRaises(wire.ServerError) as caught:
                wire.Connection.login(dataclasses.replace(proxy.address, **login)).close()
            return caught.exception.fields["C"]

        eventually(lambda: state_of(database="none such", password=STAND.password) == "3D000", 10, "the reload is done")
        self.assertEqual(state_of(database="none such", password="wrong"), "28P01")
        self.assertEqual(state_of(database="none such", user="nobody at all"), "28P01")
        with wire.Connection.login(proxy.address) as client:
            self.assertEqual(client.value("select 42"), "42")
        known = refusal("one database", "tester", "wrong")
        for user in ("tester", "nobody at all"):
            self.assertEqual(refusal("one database", user, "wrong", database="none such"), known)

    def test_the_log_tells_what_the_client_is_not_told(self):
        refusal("scram-sha-256", "nobody at all", "wrong")
        refusal("scram-sha-256", "tester", "wrong")
        log = STAND.proxies["scram-sha-256"].whole_log()
        self.assertIn('login refused: user "nobody at all" is unknown', log)
        self.assertIn('login refused: the password of user "tester" does not match', log)
        self.assertNotIn(STAND.password, log)

    def test_what_follows_the_last_word_of_a_login_at_once_is_served(self):
        """A client need not wait for the answer; PostgreSQL itself takes it so, too."""
        for address in (STAND.address, STAND.address_of("scram-sha-256", "tester")):
            for tls in (False, True)[: 1 if address.direct else 2]:
                with self.subTest(address=address, tls=tls), self.started(address, tls) as connection:
                    scram = wire.ScramClient(address.password)
                    connection.send(wire.startup({"user": address.user, "database": address.database}))
                    connection.read()
                    first = scram.first()
                    connection.send(wire.message(
                        b"p", wire.c_string("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
                    final = scram.final(connection.read()[1][4:])
                    connection.send(wire.message(b"p", final) + wire.query("select 42"))
                    scram.verify(connection.read()[1][4:])
                    self.expect_both_answers(connection)

    def test_what_follows_a_startup_packet_at_once_is_served(self):
        for tls in (False, True):
            address = STAND.address_of("trust", "tester")
            with self.subTest(tls=tls), self.started(address, tls) as connection:
                start = wire.startup({"user": address.user, "database": address.database})
                connection.send(start + wire.query("select 42"))
                self.expect_both_answers(connection)

    @staticmethod
    def started(address, tls):
        connection = wire.Connection(address.host, address.port, 5)
        if tls:
            connection.ask_for_tls()
        return connection

    def expect_both_answers(self, connection):
        self.assertEqual(connection.read(), (b"R", struct.pack("!i", 0)))
        self.assertEqual(connection.answer().checked().kinds, "Z")
        self.assertEqual(connection.answer().checked().rows, [("42",)])


@only_proxied
class Servers(unittest.TestCase):
    """What Fairlead shows to servers, by what it knows of the user."""

    def value(self, method, user, password=None):
        with wire.Connection.login(STAND.address_of(method, user, password), timeout=10) as client:
            return client.value("select current_user")

    def refused(self, method, user, password=None):
        with self.assertRaises(wire.ServerError) as caught:
            self.value(method, user, password)
        return caught.exception.fields

    def test_a_plain_password_serves_every_method(self):
        for asked in SERVER_METHODS:
            with self.subTest(asked):
                self.assertEqual(self.value("scram-sha-256", f"by {asked}"), f"by {asked}")

    def test_a_password_that_takes_long_to_derive_takes_that_once_for_all_servers(self):
        password = "derived by half a million rounds"
        with STAND.superuser() as server:
            server.run(f"create role slow login password '{verifier_of(password, 500_000)}'")
        proxy = STAND.add_proxy(users={"slow": password}, sections={"auth": {"method": "trust"}, "proxy": {"workers": 1}})
        address = dataclasses.replace(proxy.address, user="slow")
        used = [cpu_seconds(proxy.pid)]
        with contextlib.ExitStack() as clients:
            for count in (1, 6):  # Each has a server of its own.
                for _ in range(count):
                    client = clients.enter_context(wire.Connection.login(address, timeout=30))
                    client.run("begin; select 1")
                used.append(cpu_seconds(proxy.pid))
        before, after_one, after_all = used
        self.assertLess(after_all - after_one, after_one - before)

    def test_a_verifier_serves_a_server_with_the_same_verifier(self):
        self.assertEqual(self.value("scram-sha-256", "verifier"), "verifier")
        self.assertEqual(self.value("md5", "verifier"), "verifier")

    def test_an_md5_secret_serves_a_server_that_asks_for_md5(self):
        self.assertEqual(self.value("md5", "hashed"), "hashed")

    def test_a_password_that_changes_serves_those_who_have_logged_in_before(self):
        """Keys that their login taught serve on, too: they are in no file."""
        users = {"renewed": "the old one", "kept": None}
        with STAND.superuser() as server:
            for name in users:
                server.run(f"create role {name} login password 'the old one'")
            users["kept"] = server.value("select rolpassword from pg_authid where rolname = 'kept'")
            proxy = STAND.add_proxy(users=users)
            with contextlib.ExitStack() as stack:
                addresses = [dataclasses.replace(proxy.address, user=name, password="the old one") for name in users]
                clients = [stack.enter_context(wire.Connection.login(address, timeout=10)) for address in addresses]
                self.assertEqual([client.value("select current_user") for client in clients], list(users))
                server.run("alter role renewed password 'the new one'")
                proxy.change_users({**users, "renewed": "the new one"})
                eventually(lambda: "the files that keys name were read again" in proxy.whole_log(), 10, "the reload is done")
                STAND.end_other_connections()
                self.assertEqual([client.value("select current_user") for client in clients], list(users))

    def test_what_the_configuration_does_not_allow_is_not_answered(self):  # F14
        for asked in ("scram-sha-256", "trust"):
            self.assertEqual(self.value("by default", f"by {asked}"), f"by {asked}")
        for asked in ("md5", "password"):
            fields = self.refused("by default", f"by {asked}")
            host, port = STAND.address.host, STAND.address.port
            self.assertEqual((fields["C"], fields["M"]), ("28000", (
                f'the server {host}:{port} asks user "by {asked}" for the method "{asked}", which server_auth does not allow')))
            self.assertIn(f'add "{asked}" to server_auth', fields["H"])

    def test_an_md5_secret_answers_md5_by_default_because_it_serves_nothing_else(self):  # F14
        self.assertEqual(self.value("by default", "hashed"), "hashed")

    def test_a_secret_that_cannot_answer_the_server_is_named_as_the_cause(self):
        fields = self.refused("scram-sha-256", "asked")
        self.assertEqual((fields["C"], fields["M"]), ("28000", 'no credentials to log in to the server as user "asked"'))
        self.assertEqual(fields["D"], "The server asks for a cleartext password; what is known of this user cannot answer "
                                      "that.")
        self.assertIn("plain password in the users file", fields["H"])

    def test_what_the_server_refuses_is_told_in_its_own_words(self):
        fields = self.refused("scram-sha-256", "changed", "not what the server has")
        self.assertEqual((fields["C"], fields["M"]), ("28P01", 'password authentication failed for user "changed"'))
        self.assertRegex(STAND.proxies["scram-sha-256"].whole_log(), 'refused the login of "changed".*password auth')
        fields = self.refused("scram-sha-256", "only here")
        self.assertEqual((fields["C"], fields["M"]), ("28P01", 'password authentication failed for user "only here"'))


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=AuthStand)
