#!/usr/bin/python3
"""The primary asks for a pause before a planned change: nothing new begins there, what runs ends as it likes, and what waited
goes on, on whichever node is the primary then: E25, E26, F42."""
import subprocess
import sys
import threading
import time
import unittest

import wire
from stand import pause, roles
from stand.open import only_proxied, run_program
from stand.processes import eventually, postgres_tool
from stand.proxy import Proxy

STAND = None
PGBENCH_SECONDS = 12


def login(address=None, **options):
    return wire.Connection.login(address or STAND.address, timeout=30, **options)


def is_silent(client, seconds=0.4):
    """Nothing comes from it for so long."""
    client.socket.settimeout(seconds)
    try:
        client.socket.recv(1, wire.socket.MSG_PEEK)
        return False
    except TimeoutError:
        return True
    finally:
        client.socket.settimeout(30)


def reads_from_replica(client):
    client.run("select 1 from pauses limit 1")
    return client.run("show fairlead.last_route")[0][0] == "replica"


@only_proxied
class Case(unittest.TestCase):
    def setUp(self):
        with login() as client:
            client.run("create table if not exists pauses (n int)")
            client.run("delete from pauses")
            # DDL makes Fairlead ask for the catalog anew, and meanwhile some reads need the primary, which would wait.
            settled = "reads go to the replica, and go on to do so"
            eventually(lambda: all(reads_from_replica(client) for _ in range(200)), 20, settled)

    def count(self):
        with login() as client:
            return int(client.value("/* fairlead.route=primary */ select count(*) from pauses"))


class Pause(Case):
    def test_nothing_new_begins_and_what_runs_ends(self):
        with login() as runs, login() as waits, login() as reads:
            runs.run("begin; insert into pauses values (1)")
            with pause.held(STAND, 0):
                pause.wait_until_held(STAND, 0)
                waits.send(wire.query("insert into pauses values (2)"))
                runs.run("insert into pauses values (3)")
                for _ in range(3):
                    self.assertTrue(reads_from_replica(reads), "reads go on")
                self.assertEqual(runs.query("commit").tags, ["COMMIT"])
                runs.send(wire.query("begin") + wire.query("insert into pauses values (4)") + wire.query("commit"))
                self.assertEqual(runs.answer().tags, ["BEGIN"])  # No server is needed for that.
                self.assertTrue(is_silent(waits))
                self.assertTrue(is_silent(runs))
                with login() as new:
                    self.assertEqual(new.run("select 1"), [("1",)])
                pause.wait_until_quiet(STAND, 0)
            self.assertEqual(waits.answer().tags, ["INSERT 0 1"])
            self.assertEqual([runs.answer().tags, runs.answer().tags], [["INSERT 0 1"], ["COMMIT"]])
        self.assertEqual(self.count(), 4)

    def test_who_keeps_a_server_waits_before_the_next_statement(self):
        with login() as keeps, STAND.superuser() as primary:
            keeps.run("create temp table mine (n int)")
            with pause.held(STAND, 0):
                pause.wait_until_held(STAND, 0)
                keeps.send(wire.query("insert into mine values (1)"))
                self.assertTrue(is_silent(keeps))
                self.assertEqual(pause.look(primary)[2], 0)
            self.assertEqual(keeps.answer().tags, ["INSERT 0 1"])
            self.assertEqual(keeps.run("select n from mine"), [("1",)])

    def test_a_pipeline_comes_to_rest(self):
        with login() as client:
            client.send(wire.query("insert into pauses select 0 from pg_sleep(1)") + wire.query("insert into pauses values (1)") * 20)
            with STAND.superuser() as primary:
                eventually(lambda: pause.look(primary)[2] == 1, 10, "the first one runs")
            with pause.held(STAND, 0):
                pause.wait_until_held(STAND, 0)
                self.assertEqual(client.answer().tags, ["INSERT 0 1"])
                pause.wait_until_quiet(STAND, 0)
            for _ in range(20):
                self.assertEqual(client.answer().tags, ["INSERT 0 1"])
        self.assertEqual(self.count(), 21)

    def test_whoever_waits_can_be_cancelled(self):  # F42
        with login() as plain, login() as keeps:
            keeps.run("create temp table mine (n int)")
            with pause.held(STAND, 0):
                pause.wait_until_held(STAND, 0)
                for client in (plain, keeps):
                    for _ in range(2):
                        client.send(wire.query("insert into pauses values (1)"))
                        self.assertTrue(is_silent(client, 0.2))
                        client.cancel()
                        answer = client.answer()
                        self.assertEqual([error["C"] for error in answer.errors], ["57014"])
                        self.assertEqual(answer.status, "I")
                keeps.send(wire.query("insert into mine values (1)"))
                self.assertTrue(is_silent(keeps, 0.2))
            self.assertEqual(keeps.answer().tags, ["INSERT 0 1"])
            self.assertEqual(plain.run("select 1"), [("1",)])

    def test_nobody_waits_longer_than_failover_hold(self):
        short = Proxy(STAND, {"database": {"failover_hold": "1s"}})
        self.addCleanup(short.stop)
        with login(short.address) as plain, login(short.address) as keeps:
            keeps.run("create temp table mine (n int)")
            with pause.held(STAND, 0):
                pause.wait_until_held(STAND, 0, monitors=2)
                for client in (plain, keeps, plain, keeps):
                    with self.assertRaises(wire.ServerError) as refused:
                        client.run("insert into pauses values (1)")
                    self.assertEqual(refused.exception.sqlstate, "57P03")
                    self.assertIn("held", refused.exception.fields["M"])
            plain.run("insert into pauses values (1)")
            keeps.run("insert into mine values (1)")
        self.assertEqual(self.count(), 1)

    def test_the_pause_ends_by_itself(self):
        with pause.held(STAND, 0, seconds=3):
            pause.wait_until_held(STAND, 0)
            with login() as client:
                client.run("insert into pauses values (1)")
            with STAND.superuser() as primary:
                eventually(lambda: pause.look(primary)[:2] == (0, 1), 10, "the monitor shows that it is over")

    def test_what_is_no_time_to_come_holds_nothing(self):
        self.addCleanup(pause.ask, STAND, 0, None)
        later = int(time.time()) + 1000
        for value in (str(later - 2000), "0", "", "soon", f"-{later}", f"{later}.5", f" {later}", "1e9", "9" * 13, "0x7fffffffff",
                      "1; drop table pauses", "٩٩٩٩٩٩٩٩٩٩"):
            with self.subTest(value=value), login() as client, STAND.superuser() as primary:
                pause.ask(STAND, 0, value)
                seen = primary.value("select max(query_start) from pg_stat_activity where application_name = 'fairlead-monitor'")
                since = f"select count(*) from pg_stat_activity where application_name = 'fairlead-monitor' and query_start > '{seen}'"
                eventually(lambda: primary.value(since) == "1", 10, "it was probed since")
                client.run("insert into pauses values (1)")
                self.assertEqual(pause.look(primary)[:2], (0, 1))


@only_proxied
class Switchover(Case):
    """A replica takes the primary's place while 50 clients write, and nobody sees an error."""

    def test_pgbench_sees_nothing_of_it(self):
        environment = STAND.address.libpq_environment()
        subprocess.run([postgres_tool("pgbench"), "-i", "-s", "2", "-q"], env=environment, check=True, capture_output=True)
        arguments = ["-c", "50", "-j", "2", "-T", str(PGBENCH_SECONDS), "-n", "--progress", "1"]
        with subprocess.Popen([postgres_tool("pgbench"), *arguments], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as bench:
            said = {}
            readers = [threading.Thread(target=lambda name=name: said.update({name: getattr(bench, name).read()}))
                       for name in ("stdout", "stderr")]
            for reader in readers:
                reader.start()
            with STAND.superuser() as primary:
                eventually(lambda: pause.look(primary)[2] > 0, 20, "it writes")
            took = self.switch_over(0, 1)
            self.assertEqual(bench.wait(PGBENCH_SECONDS + 60), 0, said)
            for reader in readers:
                reader.join()
        print(f"\nheld for {took:.2f} s; {said['stdout'].splitlines()[-1]}", flush=True)
        self.assertIn("number of failed transactions: 0", said["stdout"])
        self.assertNotRegex(said["stderr"], r"(?i)error|aborted|fatal")
        self.check_sums(said["stdout"])

    def switch_over(self, old, new):
        """Seconds that writes were held for."""
        began = time.monotonic()
        pause.ask(STAND, old, str(int(time.time()) + 60))
        pause.wait_until_quiet(STAND, old)
        roles.stop(STAND, old)
        pause.write(STAND, old, None)
        roles.promote(STAND, new)
        with login() as client:
            client.run("insert into pauses values (1)")
        took = time.monotonic() - began
        roles.become_standby(STAND, old, new)
        roles.start(STAND, old)
        roles.wait_for_replicas(STAND, new, 1)
        return took

    def check_sums(self, stdout):
        processed = stdout.split("number of transactions actually processed: ")[1].split()[0].split("/")[0]
        with login() as client:
            [sums] = client.run("/* fairlead.route=primary */ select (select sum(abalance) from pgbench_accounts), (select sum(delta) from pgbench_history),"
                                " (select count(*) from pgbench_history)")
        self.assertEqual(sums[0], sums[1])
        self.assertEqual(sums[2], processed, "as many rows of history as acknowledged transactions")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1)
