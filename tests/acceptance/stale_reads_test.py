#!/usr/bin/python3
"""Nobody sees an answer older than what they were told is done: writers and readers on connections of their own, one replica
late or standing still, at every level of consistency (D1, D10, D11, D14, D16, D21).

Each client owns a row, counts it up, and notes what was acknowledged; some commit asynchronously. A read must show at least
what had been acknowledged, to those whom its level counts, before it was sent; and where the level promises it, at least what
the same client has seen before. The same with the level "eventual" must find thousands of old answers, and of steps back:
otherwise nothing was proven.
"""
import collections
import contextlib
import random
import sys
import threading
import unittest

import wire
from stand.open import is_long, only_proxied, run_program
from stand.processes import eventually

STAND = None
CLIENTS = 16
ELSEWHERE = 4  # Rows that are written past the proxy.
READS = 900_000 if is_long() else 108_000  # Over all phases but the last.
LEVELS = ("session", "app", "strict")
MONOTONIC = ("session", "strict")
DELAYS = ("0", "50ms", "500ms", "paused")
BATCH = 6
LATE = 1  # The index of the replica that is late.


class Phase:
    """What all clients of one phase share: what was acknowledged so far, by row, and what they found."""

    def __init__(self, level, reads):
        self.level, self.reads_wanted = level, reads
        self.acknowledged = [0] * (CLIENTS + ELSEWHERE)
        self.reads, self.old, self.back, self.targets, self.failures = 0, [], [], collections.Counter(), []
        self._lock = threading.Lock()

    def done(self):
        return self.reads >= self.reads_wanted or self.failures

    def note(self, reads, old, back, target):
        with self._lock:
            self.reads += reads
            self.old += old
            self.back += back
            if target:
                self.targets[target] += 1

    def share_on_replicas(self):
        return self.targets["replica"] / max(1, self.targets.total())


class Client(threading.Thread):
    def __init__(self, phase, number):
        super().__init__()
        self._phase, self._number = phase, number
        self._prepared = number % 2 == 1
        self._begin = "begin read only" if number % 4 < 2 else "begin"
        self._random = random.Random(number)
        self._seen = [0] * (CLIENTS + ELSEWHERE)

    def run(self):
        try:
            with wire.Connection.login(STAND.address, timeout=60) as connection:
                connection.run(f"set fairlead.consistency = '{self._phase.level}'")
                connection.run("set fairlead.transaction_reads = 'until_write'")
                if self._number == 0:
                    connection.run("set synchronous_commit = off")
                connection.extended(wire.parse("select n from counters where id = $1::int", "one")).checked()
                while not self._phase.done():
                    if self._random.random() < 0.2:
                        self._write(connection)
                    self._read(connection)
        except Exception as error:  # Any is a failure of the promise.
            self._phase.failures.append(repr(error))

    def _write(self, connection):
        update = f"update counters set n = n + 1 where id = {self._number} returning n"
        if self._number == 1:  # Asynchronous for this one commit.
            connection.run("begin")
            connection.run("set local synchronous_commit = off")
            written = int(connection.value(update))
            connection.run("commit")
        else:
            written = int(connection.value(update))
        self._phase.acknowledged[self._number] = written

    def _least(self, row):
        """What a read of the row must show, for what was acknowledged to whom its level counts."""
        counts = {
            "session": row == self._number, "app": row < CLIENTS, "strict": True, "eventual": True,
        }[self._phase.level]
        return self._phase.acknowledged[row] if counts else 0

    def _rows(self):
        if self._phase.level == "session" and self._random.random() < 0.5:
            return [self._number] * BATCH
        return [self._random.randrange(CLIENTS + ELSEWHERE) for _ in range(BATCH)]

    def _message(self, row):
        if self._prepared:
            return wire.bind((row,), "one") + wire.execute() + wire.SYNC
        return wire.query(f"select n from counters where id = {row}")

    def _read(self, connection):
        """Several reads in one write; now and then as a transaction."""
        rows, is_transaction = self._rows(), self._random.random() < 0.25
        messages = [self._message(row) for row in rows]
        if is_transaction:
            messages = [wire.query(self._begin), *messages, wire.query("commit")]
        least = [self._least(row) for row in rows]
        connection.send(b"".join(messages))
        answers = [connection.answer().checked() for _ in messages]
        if is_transaction:
            answers = answers[1:-1]
        old, back = [], []
        for row, floor, answer in zip(rows, least, answers):
            seen = int(answer.rows[0][0])
            if seen < floor:
                old.append(f"row {row}: {seen} of {floor}")
            if seen < self._seen[row]:
                back.append(f"row {row}: {seen} after {self._seen[row]}")
            self._seen[row] = max(seen, self._seen[row])
        target = None
        if not is_transaction and self._random.random() < 0.1:
            target = connection.run("show fairlead.last_route")[0][0]
        self._phase.note(len(rows), old, back, target)


def write_elsewhere(phase):
    with STAND.superuser(database="tests") as primary:
        number = 0
        while not phase.done():
            row = CLIENTS + number % ELSEWHERE
            number += 1
            phase.acknowledged[row] = int(primary.value(f"update counters set n = n + 1 where id = {row} returning n"))


@contextlib.contextmanager
def late_replica(delay):
    """What it answers is old by that much, or stays as it is."""
    with STAND.superuser(LATE) as replica:
        if delay == "paused":
            replica.run("select pg_wal_replay_pause()")
        else:
            replica.run(f"alter system set recovery_min_apply_delay = '{delay}'")
            replica.run("select pg_reload_conf()")
        try:
            yield
        finally:
            replica.run("select pg_wal_replay_resume()")
            replica.run("alter system reset recovery_min_apply_delay")
            replica.run("select pg_reload_conf()")


def run_phase(level, delay, reads):
    with wire.Connection.login(STAND.address) as client:
        client.run("drop table if exists counters; create table counters (id int primary key, n int not null)")
        client.run(f"insert into counters select id, 0 from generate_series(0, {CLIENTS + ELSEWHERE - 1}) id")
    wait_for_replicas()
    phase = Phase(level, reads)
    with late_replica(delay):
        threads = [Client(phase, number) for number in range(CLIENTS)]
        threads.append(threading.Thread(target=write_elsewhere, args=(phase,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(f"{level:8} {delay:6}: {phase.reads} reads, {len(phase.old)} old, {len(phase.back)} back,"
          f" {phase.share_on_replicas():.0%} on replicas", flush=True)
    return phase


def wait_for_replicas():
    with STAND.superuser() as primary:
        position = primary.value("select pg_current_wal_lsn()")
    for index in range(1, len(STAND.nodes)):
        with STAND.superuser(index) as replica:
            replayed = f"select pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"
            eventually(lambda: replica.value(replayed) == "t", 20, "the replica has the table")


@only_proxied
class StaleReads(unittest.TestCase):
    def test_no_read_is_older_than_its_level_promises(self):
        on_replicas = collections.Counter()
        for level in LEVELS:
            for delay in DELAYS:
                with self.subTest(level=level, delay=delay):
                    phase = run_phase(level, delay, READS // (len(LEVELS) * len(DELAYS)))
                    self.assertEqual(phase.failures, [])
                    self.assertEqual(phase.old[:5], [])
                    if level in MONOTONIC:
                        self.assertEqual(phase.back[:5], [])
                    on_replicas.update(phase.targets)
        # All from the primary would prove nothing.
        self.assertGreater(on_replicas["replica"], on_replicas["primary"])

    def test_without_a_floor_old_answers_are_found(self):
        phase = run_phase("eventual", "500ms", 20_000)
        self.assertEqual(phase.failures, [])
        self.assertGreater(len(phase.old), 2000)
        self.assertGreater(len(phase.back), 1000)


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=2, database={"max_lag": "1min"})
