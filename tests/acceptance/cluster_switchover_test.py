#!/usr/bin/python3
"""`fairlead cluster switchover` with a proxy in front and 50 clients at work: no error, no lost row, and a pause that is
printed: E26."""
import json
import re
import subprocess
import sys
import threading
import unittest

import wire
from stand.open import is_long, only_proxied, run_program
from stand.processes import postgres_tool

STAND = None
CLIENTS = 50
SWITCHES = 20 if is_long() else 3
SECONDS = 5 * SWITCHES


def switchover(*arguments):
    done = subprocess.run([STAND.binary, "cluster", "switchover", "--dir", STAND.dir, "--json", *arguments],
                          capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


class Pgbench:
    """Runs beside the test until stop(); errors of any client end it with an exit code."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [postgres_tool("pgbench"), *arguments], env=STAND.address.libpq_environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.out, self.err = "", ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        self.out, self.err = self.process.communicate()

    def wait(self):
        self._reader.join(SECONDS + 120)
        return self.process.returncode

    def stop(self):
        self.process.terminate()
        self._reader.join(30)


@only_proxied
class SwitchoverUnderLoad(unittest.TestCase):
    def test_fifty_clients_see_no_error_and_every_transaction_is_there(self):
        subprocess.run([postgres_tool("pgbench"), "-i", "-s", "5", "-q"], env=STAND.address.libpq_environment(),
                       capture_output=True, check=True, timeout=120)
        pgbench = Pgbench("-n", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "-M", "prepared")
        try:
            pauses = []
            for _ in range(SWITCHES):
                done = switchover()
                self.assertEqual(done["need_rejoin"], [])
                self.assertEqual(len(done["followers"]), 2)
                pauses.append(done["pause_ms"])
            code = pgbench.wait()
        finally:
            pgbench.stop()
        self.assertEqual((code, pgbench.err if code else ""), (0, ""))
        done = int(re.search(r"transactions actually processed: (\d+)", pgbench.out).group(1))
        self.assertIn("number of failed transactions: 0 ", pgbench.out)
        with wire.Connection.login(STAND.address) as client:
            self.assertEqual(int(client.value("select count(*) from pgbench_history")), done)
            sums = client.run("select (select sum(abalance) from pgbench_accounts), (select sum(delta) from pgbench_history)")
        self.assertEqual(sums[0][0], sums[0][1])
        print(f"\n{done} transactions through {SWITCHES} switchovers, pauses in ms: {pauses}", flush=True)

    def test_a_client_in_a_transaction_is_named_and_loses_nothing(self):
        with wire.Connection.login(STAND.address) as client:
            client.run("create table if not exists kept (n int)")
            client.run("begin")
            client.run("insert into kept values (1)")
            with self.assertRaisesRegex(AssertionError, "idle in transaction"):
                switchover("--timeout", "500ms")
            client.run("commit")
            self.assertEqual(client.value("select count(*) from kept"), "1")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=2, database={"pool_size": 20})
