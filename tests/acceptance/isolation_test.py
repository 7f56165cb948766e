#!/usr/bin/python3
"""Isolation soak: 64 clients over 4 servers, all with the same names for everything and their own data: C3, C5, C10, F21.

Not one foreign byte, no setting that leaks, no answer out of step. The seed is printed; FAIRLEAD_SEED repeats it (what
each client does is then the same; how they interleave is not).
"""
import os
import random
import sys
import threading
import time
import unittest

import wire
from isolation_client import TABLE, IsolationClient
from stand.open import is_long, run_program

STAND = None
CLIENTS = 64
SECONDS = 60 if is_long() else 12


def prepare_schemas():
    with wire.Connection.login(STAND.address) as client:
        client.run(f"drop table if exists {TABLE}; create table {TABLE} (token text not null, n int);"
                   f" create index on {TABLE} (token)")
        for number in range(CLIENTS):
            client.run(f"drop schema if exists isolation_{number} cascade; create schema isolation_{number};"
                       f" create table isolation_{number}.whoami as select 'schema-{number}'::text as token")


class Isolation(unittest.TestCase):
    def test_no_client_sees_anything_of_another(self):
        seed = os.environ.get("FAIRLEAD_SEED") or str(random.SystemRandom().randrange(10**6))
        print(f"seed {seed}", flush=True)
        prepare_schemas()
        deadline, wrong, clients = time.monotonic() + SECONDS, [], []

        def work(number):
            client = None
            try:
                client = IsolationClient(STAND.address, number, seed)
                clients.append(client)
                while time.monotonic() < deadline and not wrong:
                    client.step()
            except Exception as error:  # Whatever it is, it is a finding; the first one stops everybody.
                where = f"step {client.steps}, {client.counts}" if client else "login"
                wrong.append(f"client {number}, {where}: {type(error).__name__}: {error}")
            finally:
                if client is not None:
                    client.connection.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [], f"seed {seed}")
        totals = {}
        for client in clients:
            for kind, count in client.counts.items():
                totals[kind] = totals.get(kind, 0) + count
        print(f"{sum(totals.values())} steps: {totals}")
        self.assertTrue(all(client.steps > 10 for client in clients), "some client starved")
        self.check_what_was_written(clients)

    def check_what_was_written(self, clients):
        with wire.Connection.login(STAND.address) as reader:
            found = dict(reader.run(f"select token, count(*)::text from {TABLE} group by token"))
        self.assertEqual(found, {client.token: str(client.written) for client in clients if client.written})


if __name__ == "__main__":
    # Pinned clients (temporary tables, held cursors) keep a server each: the others must wait, not fail.
    run_program(sys.modules["__main__"], database={"pool_size": 4, "pool_timeout": "60s"})
