#!/usr/bin/python3
"""TLS between clients and Fairlead: whose certificate convinces whom, what binds a login to it, and every first byte."""
import asyncio
import contextlib
import ssl
import subprocess
import sys
import threading
import unittest
import warnings

import asyncpg
import psycopg2

import wire
from stand.interceptor import Interceptor
from stand.open import only_proxied, run_program
from stand.processes import eventually, postgres_tool
from stand.tls import TlsStand

STAND = None


def sleepers():
    with STAND.superuser() as server:
        return int(server.value("select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and "
                                "state = 'active' and pid <> pg_backend_pid()"))


@only_proxied
class Certificates(unittest.TestCase):
    def served(self, **options):
        """Whether TLS is used, by the word of libpq."""
        with contextlib.closing(STAND.connect(**options)) as client, client.cursor() as cursor:
            cursor.execute("select 6 * 7")
            self.assertEqual(cursor.fetchone(), (42,))
            return client.info.ssl_in_use

    def refused(self, why, **options):
        with self.assertRaisesRegex(psycopg2.OperationalError, why):
            self.served(**options)

    def test_each_sslmode_uses_tls_or_not_as_it_says(self):
        for mode, used in (("disable", False), ("allow", False), ("prefer", True), ("require", True)):
            with self.subTest(mode):
                self.assertEqual(self.served(sslmode=mode), used)

    def test_verify_ca_accepts_the_authority_and_nobody_else(self):
        right, wrong = STAND.authority.ca_file, STAND.stranger.ca_file
        self.assertTrue(self.served(sslmode="verify-ca", sslrootcert=right))
        self.assertTrue(self.served(sslmode="verify-ca", sslrootcert=right, host="other.example"))
        self.refused("certificate verify failed", sslmode="verify-ca", sslrootcert=wrong)
        self.refused("certificate verify failed", sslmode="require", sslrootcert=wrong)

    def test_verify_full_wants_the_name_as_well(self):
        right, wrong = STAND.authority.ca_file, STAND.stranger.ca_file
        self.assertTrue(self.served(sslmode="verify-full", sslrootcert=right))
        self.refused('does not match host name "other.example"', sslmode="verify-full", sslrootcert=right,
                     host="other.example")
        self.refused('does not match host name "127.0.0.1"', sslmode="verify-full", sslrootcert=right, host="127.0.0.1")
        self.refused("certificate verify failed", sslmode="verify-full", sslrootcert=wrong)

    def test_psql_says_that_its_connection_is_encrypted(self):
        environment = {**STAND.proxy.address.libpq_environment(), "PGHOST": "localhost", "PGSSLMODE": "verify-full",
                       "PGSSLROOTCERT": STAND.authority.ca_file}
        done = subprocess.run([postgres_tool("psql"), "-X", "-c", "\\conninfo"], env=environment, check=False,
                              capture_output=True, text=True)
        self.assertRegex(done.stdout, r"SSL connection \(protocol: TLSv1\.3", done.stderr)

    def test_channel_binding_is_used_where_there_is_tls(self):
        self.assertTrue(self.served(sslmode="require", channel_binding="require"))
        self.assertTrue(self.served(sslmode="require", channel_binding="disable"))
        self.refused("channel binding required", sslmode="disable", channel_binding="require")

    def test_channel_binding_finds_out_who_shows_a_certificate_of_his_own(self):
        between = Interceptor(STAND.proxy.address.port, STAND.stranger.issue("localhost"))
        self.addCleanup(between.stop)
        options = {"sslmode": "require", "port": between.port}
        self.assertTrue(self.served(channel_binding="disable", **options), "without it he is not noticed")
        self.refused("channel binding", channel_binding="require", **options)
        self.refused("channel binding", channel_binding="prefer", **options)

    def test_tls_1_1_is_refused_and_newer_ones_are_served(self):
        versions = ssl.TLSVersion
        for version, served in ((versions.TLSv1_1, False), (versions.TLSv1_2, True), (versions.TLSv1_3, True)):
            with self.subTest(version=version):
                context = wire.any_certificate()
                context.set_ciphers("ALL:@SECLEVEL=0")  # Else our own side would not even ask.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    context.minimum_version = context.maximum_version = version
                connection = wire.Connection(STAND.proxy.address.host, STAND.proxy.address.port)
                self.addCleanup(connection.close)
                connection.send(wire.SSL_REQUEST)
                self.assertEqual(connection.read_bytes(1), b"S")
                if served:
                    connection.socket = context.wrap_socket(connection.socket)
                    connection.log_in(STAND.proxy.address)
                    self.assertEqual(connection.value("select 42"), "42")
                else:
                    with self.assertRaisesRegex(ssl.SSLError, "alert protocol version"):
                        context.wrap_socket(connection.socket)


@only_proxied
class FirstBytes(unittest.TestCase):
    """What comes before the start-up packet, byte by byte."""

    def raw(self, data=b"", address=None):
        address = address or STAND.proxy.address
        connection = wire.Connection(address.host, address.port, 10)
        self.addCleanup(connection.close)
        connection.send(data)
        return connection

    def expect_end(self, connection):
        """Closed, with no word before it that could be taken for an answer."""
        with self.assertRaises((wire.Closed, ConnectionError, ssl.SSLError)):
            connection.read()

    def test_direct_tls_is_served_to_who_names_the_protocol(self):
        with STAND.direct_login() as client:
            self.assertEqual(client.socket.selected_alpn_protocol(), "postgresql")
            self.assertEqual(client.prepared("select $1::int", 42), [("42",)])

    def test_direct_tls_without_the_right_name_of_the_protocol_is_refused(self):  # F3
        start = wire.startup({"user": STAND.proxy.address.user, "database": STAND.proxy.address.database})
        silent = self.raw()
        silent.start_tls()
        with self.assertRaises((wire.Closed, ConnectionError, ssl.SSLError)):
            silent.send(start)
            silent.read()
        for alpn in ("http/1.1", "h2", "postgresqlx"):
            with self.subTest(alpn), self.assertRaisesRegex(ssl.SSLError, "no application protocol"):
                self.raw().start_tls(alpn)

    def test_a_second_ssl_request_inside_tls_is_refused(self):
        connection = self.raw()
        connection.start_tls("postgresql")
        connection.send(wire.SSL_REQUEST)
        kind, body = connection.read()
        self.assertEqual((kind, wire.fields_of(body)["C"]), (b"E", "08P01"))
        self.expect_end(connection)

    def test_gss_is_declined_before_tls_is_served(self):
        connection = self.raw(wire.GSSENC_REQUEST)
        self.assertEqual(connection.read_bytes(1), b"N")
        connection.ask_for_tls()
        connection.log_in(STAND.proxy.address)
        self.assertEqual(connection.value("select 42"), "42")

    def test_plaintext_behind_a_request_for_encryption_ends_the_connection(self):
        stuffed = wire.startup({"user": STAND.proxy.address.user, "database": STAND.proxy.address.database})
        for request in (wire.SSL_REQUEST, wire.GSSENC_REQUEST):
            with self.subTest(request=request):
                connection = self.raw(request + stuffed)
                kind, body = connection.read()
                self.assertEqual((kind, wire.fields_of(body)["C"]), (b"E", "08P01"))
                self.assertIn("unencrypted data after SSL request", wire.fields_of(body)["M"])
                self.expect_end(connection)

    def test_a_startup_packet_in_many_tls_records_is_put_together(self):
        connection = self.raw()
        connection.ask_for_tls()
        start = wire.startup({"user": STAND.proxy.address.user, "database": STAND.proxy.address.database})
        for n in range(len(start)):
            connection.send(start[n : n + 1])
        connection.authenticate(STAND.proxy.address.password)
        self.assertEqual(connection.answer().checked().status, "I")

    def test_a_stop_does_not_wait_for_a_handshake_nor_for_a_login_behind_it(self):
        proxy = STAND.add_proxy(tls=True, sections={"proxy": {"shutdown_timeout": "30s"}})
        before = self.raw(wire.SSL_REQUEST, proxy.address)
        self.assertEqual(before.read_bytes(1), b"S")
        behind = self.raw(b"", proxy.address)
        behind.ask_for_tls()
        behind.send(wire.startup({"user": "tester", "database": "tests"})[:10])
        proxy.stop()  # An error if it has to be killed, before shutdown_timeout.
        self.expect_end(before)
        with self.assertRaises(wire.ServerError) as raised:
            behind.answer()
        self.assertEqual(raised.exception.sqlstate, "57P03")

    def test_without_a_certificate_tls_is_declined_and_the_login_goes_on(self):
        address = STAND.without.address
        connection = self.raw(wire.GSSENC_REQUEST, address)
        self.assertEqual(connection.read_bytes(1), b"N")
        connection.send(wire.SSL_REQUEST)
        self.assertEqual(connection.read_bytes(1), b"N")
        connection.log_in(address)
        self.assertEqual(connection.value("select 42"), "42")
        with contextlib.closing(STAND.connect(address, sslmode="prefer")) as client:
            self.assertFalse(client.info.ssl_in_use)
        with self.assertRaisesRegex(psycopg2.OperationalError, "server does not support SSL, but SSL was required"):
            STAND.connect(address, sslmode="require")
        with self.assertRaises((ConnectionError, ssl.SSLError)):
            self.raw(b"", address).start_tls("postgresql")


@only_proxied
class Cancelling(unittest.TestCase):
    def cancelled(self, sleep, cancel):
        """Runs `sleep` in a thread, cancels it and returns what it raised."""
        raised = []

        def work():
            try:
                sleep()
            except Exception as error:  # The caller looks at it.
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        eventually(lambda: sleepers() == 1, 10, "the statement runs")
        cancel()
        thread.join(10)
        self.assertFalse(thread.is_alive(), "it was not cancelled")
        self.assertEqual(sleepers(), 0)
        return raised[0]

    def test_libpq_cancels_a_statement_that_was_sent_over_tls(self):
        with contextlib.closing(STAND.connect(sslmode="require")) as client, client.cursor() as cursor:
            error = self.cancelled(lambda: cursor.execute("select pg_sleep(30)"), client.cancel)
            self.assertEqual(error.pgcode, "57014")
            client.rollback()
            cursor.execute("select 42")
            self.assertEqual(cursor.fetchone(), (42,))

    def test_a_cancel_request_over_tls_cancels(self):
        def over(start_tls):
            other = wire.Connection(client.host, client.port, 10)
            with contextlib.closing(other):
                start_tls(other)
                other.send(wire.cancel_request(client.pid, client.secret))
                with self.assertRaises(wire.Closed):
                    other.read_bytes(1)

        for start_tls in (wire.Connection.ask_for_tls, lambda other: other.start_tls("postgresql")):
            with STAND.tls_login() as client:
                error = self.cancelled(lambda: client.run("select pg_sleep(30)"), lambda: over(start_tls))
                self.assertEqual(error.sqlstate, "57014")
                self.assertEqual(client.value("select 42"), "42")

    def test_asyncpg_cancels_over_tls(self):
        async def session():
            address = STAND.proxy.address
            context = ssl.create_default_context(cafile=STAND.authority.ca_file)
            client = await asyncpg.connect(host="localhost", port=address.port, user=address.user,
                                           password=address.password, database=address.database, ssl=context)
            try:
                with self.assertRaises(asyncio.TimeoutError):
                    await client.fetchval("select pg_sleep(30)", timeout=0.5)
                return await client.fetchval("select 42", timeout=10)
            finally:
                await client.close()

        self.assertEqual(asyncio.run(session()), 42)
        eventually(lambda: sleepers() == 0, 10, "the statement was cancelled")


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=TlsStand)
