#!/usr/bin/python3
"""Clients that mean harm or are broken: each gets PostgreSQL's answer or a closed connection, and nobody else notices.

Every case runs while a neighbour asks a question every few milliseconds; the neighbour's longest wait is bounded.
"""
import contextlib
import dataclasses
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import unittest

import wire
from stand.open import only_proxied, run_program, wants_direct
from stand.processes import allow_many_files, eventually, is_alive
from stand.proxy import Proxy

STAND = None
NEIGHBOUR_MAX = 2.0  # Seconds, on a machine that may be busy with other things.
UNAUTHENTICATED = 100 if wants_direct() else 10_000  # Plain PostgreSQL forks a process for each.


class Neighbour:
    """An honest client beside the hostile ones."""

    def __init__(self, address=None):
        self._address = address or STAND.address

    def __enter__(self):
        self.longest, self.answers, self.error, self._stopping = 0.0, 0, None, threading.Event()
        self._client = wire.Connection.login(self._address, timeout=30)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def _work(self):
        n = 0
        try:
            while not self._stopping.is_set():
                n, began = n + 1, time.monotonic()
                if self._client.prepared("select $1::int, 'neighbour'", n) != [(str(n), "neighbour")]:
                    raise AssertionError("a wrong answer")
                self.longest = max(self.longest, time.monotonic() - began)
                self.answers = n
                time.sleep(0.005)
        except Exception as error:  # Raised below, in the test's thread.
            self.error = error

    def __exit__(self, kind, *_):
        self._stopping.set()
        self._thread.join()
        self._client.close()
        if kind is None and self.error:
            raise AssertionError(f"the neighbour was disturbed: {self.error!r}")
        if kind is None and self.longest > NEIGHBOUR_MAX:
            raise AssertionError(f"the neighbour waited {self.longest:.2f} s")


@contextlib.contextmanager
def blast(connection, data):
    """Sends it again and again, as fast as it is taken, and reads whatever comes back."""
    stopping = threading.Event()

    def until_the_end(act):
        with contextlib.suppress(OSError):
            while not stopping.is_set() and act() != b"":
                pass

    threads = [threading.Thread(target=until_the_end, args=[act]) for act in
               (lambda: connection.socket.sendall(data), lambda: connection.socket.recv(2**20))]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        with contextlib.suppress(OSError):
            connection.socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def packet(protocol, body):
    return struct.pack("!ii", len(body) + 8, protocol) + body


class Hostile(unittest.TestCase):
    def setUp(self):
        neighbour = Neighbour()
        neighbour.__enter__()
        self.addCleanup(lambda: neighbour.__exit__(None, None, None))

    def raw(self, data):
        connection = wire.Connection(STAND.address.host, STAND.address.port, 15)
        self.addCleanup(connection.close)
        connection.send(data)
        return connection

    def logged_in(self):
        connection = wire.Connection.login(STAND.address, timeout=15)
        self.addCleanup(connection.close)
        return connection

    def expect_end(self, connection, states, silent=False):
        """A FATAL with one of the SQLSTATEs and the end of the connection; only the end where `silent` allows it."""
        try:
            while True:
                kind, body = connection.read()
                fields = wire.fields_of(body) if kind == b"E" else {"V": ""}
                self.assertIn("V", fields, "every error says its severity untranslated (F27)")
                if fields["V"] == "FATAL":
                    self.assertIn(fields["C"], states)
                    silent = True  # Nothing needs to follow.
        except (wire.Closed, ConnectionError) as end:
            self.assertTrue(silent, f"ended without a word: {end}")

    def expect_error_and_life(self, connection, messages, states):
        answer = connection.extended(*messages)
        self.assertIn(answer.errors[0]["C"] if answer.errors else None, states, messages)
        self.assertEqual((answer.errors[0]["V"], answer.status), ("ERROR", "I"))
        self.assertEqual(connection.prepared("select $1::int", 42), [("42",)])

    # Before the login.

    def test_startup_packets_of_impossible_lengths(self):
        for length in (-1, 0, 3, 7, 10005, 2**31 - 1):
            with self.subTest(length=length):
                data = struct.pack("!ii", length, wire.PROTOCOL_3_0) + b"user\0x\0\0"
                self.expect_end(self.raw(data), ("08P01",), silent=True)

    def test_startup_packets_of_other_protocols(self):
        for protocol in (4 << 16, 0, 1234 << 16):
            with self.subTest(protocol=protocol):
                self.expect_end(self.raw(packet(protocol, b"user\0x\0\0")), ("0A000", "08P01"))
        ancient = self.raw(packet(2 << 16, b"user\0x\0\0"))  # PostgreSQL answers in the form of that protocol.
        self.assertEqual(ancient.read_bytes(1), b"E")
        while ancient.socket.recv(4096):
            pass
        negotiated = self.raw(wire.startup({"user": STAND.address.user, "database": STAND.address.database,
                                            "_pq_.grease": "1"}, (3 << 16) + 9999))
        kind, body = negotiated.read()
        self.assertEqual((kind, body[8:]), (b"v", b"_pq_.grease\0"))
        negotiated.authenticate(STAND.address.password)
        self.assertEqual(negotiated.answer().status, "I")

    def test_startup_packets_with_broken_contents(self):
        for body, states in (
            (b"", ("28000", "08P01")), (b"\0", ("28000",)), (b"user\0", ("08P01", "28000")), (b"user\0x", ("08P01",)),
            (b"user\0\0\0", ("28000",)), (b"user\0x\0\0trailing", ("08P01",)), (b"database\0x\0\0", ("28000",)),
            (b"\xff\xfe\0x\0user\0\xff\xfe\0\0", ("28P01", "28000", "08P01", "22021")),
            (b"user\0x\0replication\0maybe\0\0", ("22023",)),
        ):
            with self.subTest(body=body):
                connection = self.raw(packet(wire.PROTOCOL_3_0, body))
                try:
                    connection.authenticate("any")
                    self.fail("it was let in")
                except wire.ServerError as error:
                    self.assertIn(error.sqlstate, states)
                self.expect_end(connection, states, silent=True)

    def test_an_http_request_and_a_tls_hello_are_turned_away(self):
        self.expect_end(self.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("08P01", "0A000"), silent=True)
        hello = b"\x01\x00\x01\xfc\x03\x03".ljust(512, b"\0")  # Complete, and nonsense.
        self.expect_end(self.raw(b"\x16\x03\x01\x02\x00" + hello), ("08P01",), silent=True)

    def test_bad_passwords_and_broken_sasl(self):
        start = wire.startup({"user": STAND.address.user, "database": STAND.address.database})
        for answer, states in (
            (wire.message(b"p", b"NO-SUCH-MECHANISM\0" + struct.pack("!i", -1)), ("08P01",)),
            (wire.message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", 2**31 - 1) + b"n,,"), ("08P01",)),
            (wire.message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", 9) + b"n,,n=,r=\n"), ("08P01", "28P01", "28000")),
            (wire.message(b"p", b""), ("08P01",)), (wire.query("select 1"), ("08P01",)),
            (wire.message(b"p", b"x" * 9000), ("08P01", "28P01")),
        ):
            with self.subTest(answer=answer[:40]):
                connection = self.raw(start)
                self.assertEqual(connection.read()[0], b"R")
                connection.send(answer)
                self.expect_end(connection, states)
        connection = self.raw(start)
        with self.assertRaises(wire.ServerError) as caught:
            connection.authenticate("wrong")
        self.assertEqual(caught.exception.sqlstate, "28P01")
        self.expect_end(connection, ("28P01",), silent=True)

    def test_a_password_message_of_a_gigabyte_is_not_waited_for(self):
        connection = self.raw(wire.startup({"user": STAND.address.user, "database": STAND.address.database}))
        self.assertEqual(connection.read()[0], b"R")
        connection.send(b"p" + struct.pack("!i", 2**30) + b"x" * 65536)
        self.expect_end(connection, ("08P01", "28P01"), silent=True)

    @only_proxied  # PostgreSQL gives a stranger the whole of login_timeout for it, and says it in its log only.
    def test_a_header_alone_decides_what_a_stranger_may_send(self):
        """No byte of the body is sent, so that whoever waits for it would wait for good."""
        for header in (b"Q" + struct.pack("!i", 2**20), b"p" + struct.pack("!i", 2**20), b"p" + struct.pack("!i", 65536 + 4),
                       b"P" + struct.pack("!i", 100), b"Q" + struct.pack("!i", 2**31 - 1)):
            with self.subTest(header=header):
                connection = self.raw(wire.startup({"user": STAND.address.user, "database": STAND.address.database}))
                self.assertEqual(connection.read()[0], b"R")
                connection.send(header)
                self.expect_end(connection, ("08P01",))

    @only_proxied
    def test_a_header_alone_decides_what_the_console_takes(self):
        with wire.Connection.login(dataclasses.replace(STAND.address, database="fairlead"), timeout=15) as console:
            console.send(b"Q" + struct.pack("!i", 2**17))
            self.expect_end(console, ("08P01",))

    @only_proxied
    def test_a_name_forges_no_line_of_the_log(self):
        name = b'x" is unknown\n2026-11-28 10:00:00.000 error cluster main: forged\x1b[2J\xff\xc2\x9b'
        connection = self.raw(wire.startup({"user": name, "database": b"nowhere\nforged"}))
        with self.assertRaises(wire.ServerError) as caught:
            connection.authenticate("wrong")
        self.assertEqual(caught.exception.sqlstate, "28P01")
        log = STAND.log()
        [line] = [line for line in log.split("\n") if "forged" in line]
        self.assertIn('info ', line)
        self.assertIn('login refused: user "x" is unknown\\x0a2026-11-28', line)
        self.assertFalse([c for c in log if ord(c) < 0x20 and c != "\n"])
        self.assertNotIn("\x9b", log)

    def test_plaintext_behind_the_ssl_request_is_not_believed(self):  # F3
        """CVE-2021-23222: what was sent before the handshake could be anybody's."""
        stuffed = wire.startup({"user": STAND.address.user, "database": "stuffed"})
        connection = self.raw(wire.SSL_REQUEST + stuffed)
        try:
            answer = connection.socket.recv(1)
        except ConnectionError:
            return
        if answer == b"E":  # An error in place of the handshake.
            self.assertIn(b"08P01", connection.socket.recv(1000))
            return
        if answer != b"S":
            self.assertTrue(wants_direct(), "the proxy has a certificate")
            self.expect_end(connection, ("08P01",), silent=True)
            return
        try:
            connection.start_tls()
            connection.log_in(STAND.address)
        except (wire.Closed, wire.ServerError, ssl.SSLError, OSError):
            return  # Refusing is right too: PostgreSQL does.
        self.assertEqual(connection.value("select current_database()"), STAND.address.database)

    @only_proxied
    def test_the_order_of_encryption_requests(self):  # F3
        connection = self.raw(wire.GSSENC_REQUEST)
        self.assertEqual(connection.socket.recv(1), b"N")
        connection.send(wire.SSL_REQUEST)
        self.assertEqual(connection.socket.recv(1), b"S")
        connection.start_tls()
        connection.log_in(STAND.address)
        self.assertEqual(connection.value("select 42"), "42")
        again = self.raw(wire.SSL_REQUEST)
        self.assertEqual(again.socket.recv(1), b"S")
        again.start_tls()
        again.send(wire.SSL_REQUEST)
        self.expect_end(again, ("08P01", "0A000"), silent=True)

    def test_cancel_requests_of_every_size_are_closed_without_an_answer(self):
        for size in (0, 3, 4, 32, 256, 300, 5000):
            connection = self.raw(wire.cancel_request(1, b"k" * size))
            with self.subTest(size=size):
                try:
                    self.assertEqual(connection.socket.recv(1), b"")
                except ConnectionError:
                    pass

    # After the login.

    def test_unknown_message_types_end_the_connection(self):  # F28
        for kind in (b"\0", b"y", b"Z", b"T", b"\xff"):
            with self.subTest(kind=kind):
                connection = self.logged_in()
                connection.send(wire.message(kind, b"whatever"))
                self.expect_end(connection, ("08P01",))

    def test_messages_of_impossible_lengths_end_the_connection(self):
        for kind in (b"Q", b"P", b"B", b"S", b"X", b"d"):
            for length in (-(2**31), -1, 0, 3):
                with self.subTest(kind=kind, length=length):
                    connection = self.logged_in()
                    connection.send(kind + struct.pack("!i", length) + b"select 1\0")
                    # PostgreSQL writes the reason to its log only; X closes whatever follows.
                    self.expect_end(connection, ("08P01",), silent=wants_direct() or kind == b"X")

    def test_small_messages_that_claim_to_be_huge_end_the_connection(self):
        for kind in (b"S", b"H", b"C", b"D", b"E"):
            with self.subTest(kind=kind):
                connection = self.logged_in()
                connection.send(kind + struct.pack("!i", 2**30) + b"x" * 20000)
                self.expect_end(connection, ("08P01",), silent=wants_direct())

    def test_messages_with_broken_contents_are_errors_that_a_client_survives(self):
        connection = self.logged_in()
        absurd = struct.pack("!h", -1)
        for case in (
            wire.message(b"P", b"no end"), wire.message(b"P", b"\0\0"), wire.message(b"P", b"\0select 1\0" + absurd),
            wire.message(b"P", b"\0select 1\0\0\0trailing"), wire.message(b"B", b"\0\0"),
            wire.message(b"B", b"\0\0\0\0" + struct.pack("!H", 65535)), wire.message(b"B", b"\0\0" + absurd),
            wire.message(b"D", b"Xname\0"), wire.message(b"D", b""), wire.message(b"C", b"Xname\0"),
            wire.message(b"E", b"\0"), wire.message(b"E", b"\0\0\0\0\0more"), wire.message(b"D", b"Sno end"),
        ):
            with self.subTest(case=case):
                self.expect_error_and_life(connection, [case], ("08P01", "26000", "34000"))

    def test_a_bind_with_absurd_parameters_is_an_error(self):
        connection = self.logged_in()
        for body in (
            b"\0\0" + struct.pack("!hhi", 0, 1, -2) + b"\0\0", b"\0\0" + struct.pack("!hhi", 0, 1, 2**30) + b"x\0\0",
            b"\0\0" + struct.pack("!hhhi", 1, 7, 1, 1) + b"1\0\0", b"\0\0" + struct.pack("!hh", 3, 0) + b"\0\0\0\0\0\0\0\0",
            b"\0\0" + struct.pack("!hH", 0, 65535) + struct.pack("!i", -1) * 65535 + b"\0\0",
        ):
            with self.subTest(body=body[:20]):
                messages = [wire.parse("select $1::int"), wire.message(b"B", body)]
                self.expect_error_and_life(connection, messages, ("08P01", "22023", "22P03"))

    def test_invalid_utf8_is_refused_where_postgresql_refuses_it(self):
        connection = self.logged_in()
        for messages in (
            [wire.parse(b"select '\xff\xfe'")], [wire.parse("select 1", b"\xc3\x28")],
            [wire.parse("select $1::text"), wire.bind([b"\xff"]), wire.execute()],
        ):
            self.expect_error_and_life(connection, messages, ("22021",))
        answer = connection.query(b"select '\xf0\x28\x8c\x28'")
        self.assertEqual(answer.errors[0]["C"], "22021")

    def test_messages_out_of_order(self):
        connection = self.logged_in()
        self.expect_error_and_life(connection, [wire.bind([], "nothing")], ("26000",))
        self.expect_error_and_life(connection, [wire.execute("nothing")], ("34000",))
        self.expect_error_and_life(connection, [wire.describe(b"S", "nothing")], ("26000",))
        # Left over from a COPY that failed, PostgreSQL drops these without a word (F25).
        answer = connection.extended(wire.copy_data(b"stray"), wire.COPY_DONE, wire.message(b"f", b"stray\0"))
        self.assertEqual(answer.kinds, "Z")
        self.assertEqual(connection.extended(wire.FLUSH, wire.FLUSH, wire.close(b"S", "nothing")).kinds, "3Z")
        connection.send(wire.SYNC * 100)
        self.assertEqual([connection.answer().kinds for _ in range(100)], ["Z"] * 100)
        connection.send(wire.message(b"p", b"password\0"))
        self.expect_end(connection, ("08P01",))

    def test_clients_that_vanish_in_the_middle_of_a_message(self):
        whole = wire.parse("select $1::text", "s") + wire.bind(["x" * 5000], "s") + wire.execute() + wire.SYNC
        for end in (1, 4, 5, 9, 30, 100, len(whole) - 5, len(whole) - 1):
            connection = self.logged_in()
            connection.send(whole[:end])
            connection.close()
        start = wire.startup({"user": STAND.address.user, "database": STAND.address.database})
        for end in (1, 4, 8, len(start) - 1, len(start)):
            self.raw(start[:end]).close()
        self.assertEqual(self.logged_in().value("select 42"), "42")

    def test_a_client_that_sends_one_byte_at_a_time_is_served(self):
        connection = wire.Connection(STAND.address.host, STAND.address.port)
        self.addCleanup(connection.close)
        send = connection.socket.sendall
        connection.send = lambda data: [send(data[n : n + 1]) for n in range(len(data))]
        connection.log_in(STAND.address)
        self.assertEqual(connection.value("select 42"), "42")
        self.assertEqual(connection.prepared("select $1::text", "slow"), [("slow",)])

    @only_proxied
    def test_clients_that_never_pause_leave_their_turn_to_others(self):
        console = {"database": "fairlead"}
        for data, where in ((wire.copy_data(b""), {}), (wire.copy_data(b""), console), (wire.SYNC, console)):
            with self.subTest(data=data, where=where):
                proxy = Proxy(STAND, {"proxy": {"workers": 1}})
                self.addCleanup(proxy.stop)
                hostile = wire.Connection.login(dataclasses.replace(proxy.address, **where), timeout=15)
                self.addCleanup(hostile.close)
                with blast(hostile, data * (2**20 // len(data))):
                    with Neighbour(proxy.address) as neighbour:
                        eventually(lambda: neighbour.answers >= 50 or neighbour.error, 40, "the neighbour is answered")
                    for _ in range(2):  # The second signal says: at once.
                        os.kill(proxy.pid, signal.SIGTERM)
                    eventually(lambda: not is_alive(proxy.pid), 15, "it has ended")

    @only_proxied
    def test_a_cancel_hits_nothing_that_is_sent_after_it_however_busy_the_workers_are(self):  # F41
        client = self.logged_in()
        with contextlib.ExitStack() as stack:
            for _ in range(6):  # Some for each worker.
                stack.enter_context(blast(self.logged_in(), wire.copy_data(b"x" * 45) * 20_000))
            for _ in range(40):
                client.cancel()
                self.assertEqual(client.query("select pg_sleep(0.05)").errors, [])

    def test_a_half_closed_client_still_gets_its_answer_or_an_end(self):
        connection = self.logged_in()
        connection.send(wire.query("select 42"))
        connection.socket.shutdown(socket.SHUT_WR)
        try:
            self.assertEqual(connection.answer().rows, [("42",)])
        except wire.Closed:
            pass

    def test_thousands_of_connections_that_never_authenticate(self):
        allow_many_files()
        start = wire.startup({"user": STAND.address.user, "database": STAND.address.database})
        held, refused = [], 0
        try:
            for n in range(UNAUTHENTICATED):
                try:
                    one = socket.create_connection((STAND.address.host, STAND.address.port), 10)
                    one.sendall((b"", start, start[:5], wire.SSL_REQUEST)[n % 4])
                    held.append(one)
                except OSError:
                    refused += 1
            print(f"{len(held)} held, {refused} refused", end=" ", flush=True)
            with wire.Connection.login(STAND.address) as late:
                self.assertEqual(late.value("select 42"), "42")
        finally:
            for one in held:
                one.close()


if __name__ == "__main__":
    run_program(sys.modules["__main__"], tls=True, proxy={"max_client_connections": 12000})
