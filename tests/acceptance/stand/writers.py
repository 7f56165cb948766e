"""Clients that write all the time, and know what was acknowledged to them: what a failover must not lose."""
import collections
import threading
import time

import wire
from stand.processes import eventually


# Between two writes: a test of failovers needs writes that are under way, not a busy machine.
_PAUSE = 0.005


class Writers:
    """Each inserts a number of its own at a time into the table `ledger`. `acknowledged` are those that were answered with
    success; `unknown` those that were reported as unknown; `errors` counts the other errors, by SQLSTATE."""

    def __init__(self, address, count=4):
        self._address = address
        self.acknowledged, self.unknown, self.errors = [], set(), collections.Counter()
        self._next, self._lock, self._end = 0, threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(count)]

    @staticmethod
    def make_table(address):
        with wire.Connection.login(address, timeout=60) as client:
            client.run("create table if not exists ledger (n int, port int, at timestamptz default clock_timestamp())")
            client.run("truncate ledger")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join(120)

    def _take_number(self):
        with self._lock:
            self._next += 1
            return self._next

    def _write(self):
        while not self._end.is_set():
            try:
                with wire.Connection.login(self._address, timeout=90) as client:
                    while not self._end.is_set():
                        self._write_one(client)
                        time.sleep(_PAUSE)
            except (OSError, wire.Closed) as error:
                self.errors[type(error).__name__] += 1
                time.sleep(0.1)
            except wire.ServerError as error:  # At the login.
                self.errors[error.sqlstate] += 1
                time.sleep(0.1)

    def _write_one(self, client):
        number = self._take_number()
        try:
            client.run(f"insert into ledger values ({number}, inet_server_port())")
            self.acknowledged.append(number)
        except wire.ServerError as error:
            if error.sqlstate == "08007":
                self.unknown.add(number)
            else:
                self.errors[str(error)] += 1
        except (OSError, wire.Closed):  # It has not been told how that ended.
            self.unknown.add(number)
            raise

    def wait_for_more(self, count=50, timeout=60):
        """Until so many more were acknowledged than now."""
        wanted = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= wanted, timeout, f"{count} more writes are acknowledged")

    def missing_or_double(self, client):
        """What was acknowledged and is not there once, by that client's reading; and what is there that was told to have
        failed. Each with how often it is there, and the first few only."""
        there = collections.Counter(int(n) for (n,) in client.run("select n from ledger"))
        told = set(self.acknowledged)
        wrong = [("acknowledged", n, there[n]) for n in told if there[n] != 1]
        wrong += [("not told", n, count) for n, count in there.items() if n not in told and n not in self.unknown]
        return wrong[:20]
