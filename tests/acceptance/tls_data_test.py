#!/usr/bin/python3
"""Data over TLS: every byte is the server's, whatever its amount, and whoever else is there."""
import contextlib
import hashlib
import os
import sys
import tempfile
import threading
import time
import unittest

import psycopg2

import wire
from stand.open import only_proxied, run_program
from stand.tls import TlsStand

STAND = None
RESULT_MIB = 48
COPIED_ROWS = 200_000
CLIENTS = 60
QUESTIONS = 20


class Digest:
    """A file for COPY that keeps nothing but the digest and the size of what was written."""

    def __init__(self):
        self.hash, self.size = hashlib.sha256(), 0

    def write(self, data):
        self.hash.update(data.encode("utf-8") if isinstance(data, str) else data)
        self.size += len(data)

    def seen(self):
        return self.size, self.hash.hexdigest()


def raw_answer(connection, messages):
    """Size and digest of every byte up to ReadyForQuery."""
    digest = Digest()
    connection.send(messages)
    while True:
        kind, body = connection.read()
        digest.write(kind + body)
        if kind == b"Z":
            return digest.seen()


@only_proxied
class Data(unittest.TestCase):
    database, server_in_tls = "tests", "f"
    ROWS = f"select n, repeat(md5(n::text), 32768) from generate_series(1, {RESULT_MIB}) n"
    SMALL = "select n, md5(n::text), null from generate_series(1, 100000) n"

    def test_the_server_is_reached_as_this_case_is_about(self):
        with STAND.tls_login(database=self.database) as client:
            sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
            self.assertEqual(client.value(sql), self.server_in_tls)

    def test_results_are_the_servers_byte_for_byte(self):
        with STAND.tls_login(database=self.database) as client, wire.Connection.login(STAND.address) as server:
            for sql in (self.ROWS, self.SMALL):
                for name, messages in (
                    ("simple", wire.query(sql)), ("extended", wire.parse(sql) + wire.bind() + wire.execute() + wire.SYNC),
                ):
                    with self.subTest(name, sql=sql):
                        size, digest = raw_answer(client, messages)
                        self.assertGreater(size, 3_000_000)
                        self.assertEqual((size, digest), raw_answer(server, messages))

    def test_copy_out_and_in_are_the_servers_byte_for_byte(self):
        lines = "".join(f"{n}\tžlutý {hashlib.md5(b'%d' % n).hexdigest()}\n" for n in range(COPIED_ROWS)).encode("utf-8")
        with tempfile.TemporaryFile() as file, contextlib.closing(STAND.connect(dbname=self.database, sslmode="require")) as client:
            file.write(lines)
            file.seek(0)
            with client, client.cursor() as cursor:
                cursor.execute("drop table if exists copied; create table copied (n int, t text)")
                cursor.copy_expert("copy copied from stdin", file, 65536)
                self.assertEqual(cursor.rowcount, COPIED_ROWS)
            through, itself = Digest(), Digest()
            with client.cursor() as cursor:
                cursor.copy_expert("copy copied to stdout", through)
        with contextlib.closing(STAND.connect(STAND.address, sslmode="disable")) as server, server.cursor() as cursor:
            cursor.copy_expert("copy copied to stdout", itself)
        sent = hashlib.sha256(lines).hexdigest()
        self.assertEqual((through.hash.hexdigest(), itself.hash.hexdigest()), (sent, sent))

    def test_a_large_parameter_arrives_whole(self):
        value = os.urandom(8 << 20)
        with contextlib.closing(STAND.connect(dbname=self.database, sslmode="require")) as client, client.cursor() as cursor:
            cursor.execute("select md5(%s::bytea), octet_length(%s::bytea)", (psycopg2.Binary(value),) * 2)
            self.assertEqual(cursor.fetchone(), (hashlib.md5(value).hexdigest(), len(value)))

    def test_a_reader_that_stops_for_a_while_loses_nothing(self):
        with STAND.tls_login(database=self.database) as client, wire.Connection.login(STAND.address) as server:
            client.send(wire.query(self.ROWS))
            with STAND.tls_login(database=self.database) as other:
                for n in range(50):
                    self.assertEqual(other.value(f"select {n}"), str(n))
                    time.sleep(0.01)
            self.assertEqual(raw_answer(client, b""), raw_answer(server, wire.query(self.ROWS)))

    def test_many_clients_at_a_time_each_get_their_own_answers(self):
        wrong = []

        def work(number):
            parameters = {"application_name": f"client {number}", "database": self.database}
            try:
                with (STAND.direct_login if number % 2 else STAND.tls_login)(**parameters) as client:
                    for n in range(QUESTIONS):
                        expected = [(f"{number}/{n}", f"client {number}")]
                        sql = "select $1::text, current_setting('application_name')"
                        got = client.prepared(sql, f"{number}/{n}")
                        if got != expected:
                            raise AssertionError(f"{got} in place of {expected}")
            except Exception as error:  # Reported below: a thread has nobody to raise to.
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class DataInTlsOnBothSides(Data):
    database, server_in_tls = "verified", "t"


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=TlsStand)
