#!/usr/bin/python3
"""Gigabytes through a proxy that keeps nothing of them, and ten thousand clients that do nothing: F20."""
import struct
import sys
import threading
import time
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import allow_many_files, memory_kib, reset_peak_memory

STAND = None
MIB = 1 << 20
RESULT_MIB = 1024
PARAMETER_MIB = 500
PEAK_MIB = 64
IDLE_CLIENTS = 10_000
IDLE_KIB = 8


class ProxyPeak:
    """The highest resident memory of the proxy while the block runs; nothing without a proxy."""

    def __enter__(self):
        if STAND.proxy_pid:
            reset_peak_memory(STAND.proxy_pid)
        self._began = time.monotonic()
        return self

    def __exit__(self, kind, *_):
        seconds = time.monotonic() - self._began
        if kind is not None:
            return
        if not STAND.proxy_pid:
            print(f"{seconds:.1f} s", end=" ", flush=True)
            return
        peak = memory_kib(STAND.proxy_pid, "VmHWM")
        print(f"{seconds:.1f} s, the proxy's peak {peak / 1024:.1f} MiB", end=" ", flush=True)
        if peak >= PEAK_MIB * 1024:
            raise AssertionError(f"the proxy held {peak / 1024:.1f} MiB, more than {PEAK_MIB} MiB")


def drain_rows(client):
    """Reads up to ReadyForQuery without keeping rows. Returns their number and size."""
    buffer, view = bytearray(MIB), None
    view = memoryview(buffer)
    rows, size = 0, 0
    while True:
        header = client.read_bytes(5)
        left = int.from_bytes(header[1:], "big") - 4
        if header[:1] != b"D":
            body = client.read_bytes(left)
            if header[:1] == b"E":
                raise wire.ServerError(wire.fields_of(body))
            if header[:1] == b"Z":
                return rows, size
            continue
        rows, size = rows + 1, size + left
        left -= len(client.read_bytes(min(left, len(client._buffer))))  # What was read ahead.
        while left > 0:
            count = client.socket.recv_into(view[: min(left, MIB)])
            if count == 0:
                raise wire.Closed("in the middle of a row")
            left -= count


class LargeData(unittest.TestCase):
    def test_a_result_of_a_gigabyte_in_rows_of_a_megabyte(self):
        sql = f"select repeat('x', {MIB}) from generate_series(1, {RESULT_MIB})"
        for name, messages in (
            ("simple", wire.query(sql)), ("extended", wire.parse(sql) + wire.bind() + wire.execute() + wire.SYNC),
        ):
            with self.subTest(name), wire.Connection.login(STAND.address, timeout=120) as client, ProxyPeak():
                client.send(messages)
                rows, size = drain_rows(client)
                self.assertEqual((rows, size), (RESULT_MIB, RESULT_MIB * (MIB + 6)))
                self.assertEqual(client.value("select 1"), "1")

    def test_a_result_of_small_rows_and_one_huge_row(self):
        with wire.Connection.login(STAND.address, timeout=120) as client, ProxyPeak():
            client.send(wire.query("select n from generate_series(1, 500000) n"))
            self.assertEqual(drain_rows(client)[0], 500_000)
            client.send(wire.query(f"select repeat('x', {256 * MIB})"))
            self.assertEqual(drain_rows(client), (1, 256 * MIB + 6))

    def test_a_parameter_of_five_hundred_megabytes(self):
        size = PARAMETER_MIB * MIB
        with wire.Connection.login(STAND.address, timeout=120) as client, ProxyPeak():
            body = wire.c_string("") + wire.c_string("") + struct.pack("!hhhi", 1, 1, 1, size)
            tail = struct.pack("!h", 0)
            client.send(wire.parse("select octet_length($1::bytea)"))
            client.send(b"B" + struct.pack("!i", 4 + len(body) + size + len(tail)) + body)
            block = b"\xa5" * MIB
            for _ in range(PARAMETER_MIB):
                client.send(block)
            client.send(tail + wire.execute() + wire.SYNC)
            self.assertEqual(client.answer().checked().rows, [(str(size),)])
            self.assertEqual(client.value("select 1"), "1")

    def test_a_statement_of_a_hundred_megabytes(self):
        with wire.Connection.login(STAND.address, timeout=120) as client, ProxyPeak():
            prefix, size = b"select length('", 100 * MIB
            client.send(b"Q" + struct.pack("!i", 4 + len(prefix) + size + 3) + prefix)
            for _ in range(100):
                client.send(b"y" * MIB)
            client.send(b"')\0")
            self.assertEqual(client.answer().checked().rows, [(str(size),)])

    def test_a_reader_that_stops_reading_costs_no_memory_and_holds_up_nobody(self):
        with wire.Connection.login(STAND.address, timeout=60) as other, ProxyPeak():
            stuck = [wire.Connection.login(STAND.address) for _ in range(4)]
            for client in stuck:
                client.send(wire.query(f"select repeat('x', {MIB}) from generate_series(1, 200)"))
            for n in range(100):
                self.assertEqual(other.value(f"select {n}"), str(n))
                time.sleep(0.01)
            stuck[0].socket.settimeout(60)
            self.assertEqual(drain_rows(stuck[0])[0], 200)
            for client in stuck:
                client.close()

    @only_proxied
    def test_ten_thousand_idle_clients(self):
        count = min(IDLE_CLIENTS, allow_many_files() - 200)
        warm = self.log_in_many(200)  # The allocator's first arenas belong to nobody.
        baseline = memory_kib(STAND.proxy_pid, "VmRSS")
        began = time.monotonic()
        idle = self.log_in_many(count)
        try:
            time.sleep(1)  # What a login needed is given back.
            each = (memory_kib(STAND.proxy_pid, "VmRSS") - baseline) / count
            print(f"{count} clients in {time.monotonic() - began:.1f} s, {each:.2f} KiB each", end=" ", flush=True)
            self.assertLessEqual(each, IDLE_KIB)
            for client in idle[:: count // 50]:
                self.assertEqual(client.value("select 40 + 2"), "42")
        finally:
            for client in idle + warm:
                client.close()

    def log_in_many(self, count):
        clients, wrong = [], []

        def work(number):
            try:
                for _ in range(number):
                    clients.append(wire.Connection.login(STAND.address, timeout=60))
            except Exception as error:  # Reported below: a thread has nobody to raise to.
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(count // 8,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        return clients


if __name__ == "__main__":
    # Verifiers instead of passwords: ten thousand logins shall not measure PBKDF2.
    run_program(sys.modules["__main__"], proxy={"max_client_connections": 12000}, verifiers=True)
