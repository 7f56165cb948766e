#!/usr/bin/python3
"""psql at a terminal: \\d, \\copy in and out, Ctrl-C on a running query."""
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

from stand.open import only_proxied, run_program
from stand.processes import die_with_parent, postgres_tool

STAND = None


class Terminal:
    """psql on a pseudo-terminal, as a person has it, but without prompts and line editing."""

    def __init__(self, address, port=None):
        self._master, slave = pty.openpty()
        environment = {**address.libpq_environment(port), "TERM": "dumb", "PAGER": "cat", "PSQL_HISTORY": os.devnull}
        prepare = die_with_parent()

        def in_child():
            prepare()
            os.setsid()
            os.close(os.open(os.ttyname(0), os.O_RDWR))  # Becomes the controlling terminal: Ctrl-C is a signal.

        self._process = subprocess.Popen(
            [postgres_tool("psql"), "-X", "-n", "-P", "pager=off", "-v", "PROMPT1=", "-v", "PROMPT2="],
            stdin=slave, stdout=slave, stderr=slave, env=environment, preexec_fn=in_child,
        )
        os.close(slave)
        self._text = ""
        self._commands = 0

    def type(self, text):
        os.write(self._master, text.encode("utf-8"))

    def wait_for(self, pattern, timeout=30):
        """What was shown up to the pattern, which is used up."""
        deadline = time.monotonic() + timeout
        while not (found := re.search(pattern, self._text)):
            ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"psql does not show {pattern!r}:\n{self._text[-3000:]}")
            self._text += os.read(self._master, 65536).decode("utf-8", "replace")
        shown, self._text = self._text[: found.start()], self._text[found.end() :]
        return shown

    def run(self, command, timeout=30):
        """Types a command and returns what it shows."""
        self._commands += 1
        done = f"done-{self._commands}"
        self.type(f"{command}\n\\echo {done}\n")
        return self.wait_for(rf"(?m)^{done}\r?$", timeout)

    def quit(self):
        self.type("\\q\n")
        code = self._process.wait(20)
        os.close(self._master)
        return code


class Psql(unittest.TestCase):
    def setUp(self):
        self.terminal = Terminal(STAND.address)
        self.addCleanup(self.terminal._process.kill)

    def test_describe_shows_tables(self):
        self.terminal.run("drop table if exists described; create table described (id int primary key, name text);")
        self.assertRegex(self.terminal.run("\\d"), r"public \| described +\| table")
        shown = self.terminal.run("\\d described")
        self.assertIn('"described_pkey" PRIMARY KEY, btree (id)', shown)
        self.assertIn("name", shown)
        for command in ("\\dt", "\\dn", "\\du", "\\l", "\\df pg_catalog.now", "\\conninfo", "\\dx"):
            self.assertNotIn("ERROR", self.terminal.run(command))
        self.assertEqual(self.terminal.quit(), 0)

    def test_copy_in_and_out(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
            lines = "".join(f"{n}\tžlutý {n}\n" for n in range(20000))
            with open(source, "w", encoding="utf-8") as file:
                file.write(lines)
            self.terminal.run("drop table if exists copied; create table copied (n int, t text);")
            self.assertIn("COPY 20000", self.terminal.run(f"\\copy copied from '{source}'"))
            self.assertIn("COPY 20000", self.terminal.run(f"\\copy (select * from copied order by n) to '{target}'"))
            with open(target, encoding="utf-8") as file:
                self.assertEqual(file.read(), lines)
            with open(source, "a", encoding="utf-8") as file:
                file.write("not a number\tx\n")
            self.assertIn("invalid input syntax", self.terminal.run(f"\\copy copied from '{source}'"))
            self.assertRegex(self.terminal.run("select count(*) from copied;"), r"\b20000\b")
        self.assertEqual(self.terminal.quit(), 0)

    def test_ctrl_c_stops_a_query_and_the_session_goes_on(self):
        for _ in range(3):
            self.terminal.type("select pg_sleep(30);\n")
            time.sleep(0.7)
            began = time.monotonic()
            self.terminal.type("\x03")
            self.terminal.wait_for("canceling statement due to user request", 10)
            self.assertLess(time.monotonic() - began, 10)
            self.assertRegex(self.terminal.run("select 6 * 7 as answer;"), r"\b42\b")
        self.assertEqual(self.terminal.quit(), 0)

    def test_ctrl_c_in_a_transaction_fails_it(self):
        self.terminal.run("begin;")
        self.terminal.type("select pg_sleep(30);\n")
        time.sleep(0.7)
        self.terminal.type("\x03")
        self.terminal.wait_for("canceling statement due to user request", 10)
        self.assertIn("current transaction is aborted", self.terminal.run("select 1;"))
        self.assertIn("ROLLBACK", self.terminal.run("rollback;"))
        self.assertRegex(self.terminal.run("select 6 * 7 as answer;"), r"\b42\b")
        self.assertEqual(self.terminal.quit(), 0)

    def test_large_results_and_fetch_count(self):
        shown = self.terminal.run("\\set FETCH_COUNT 100\nselect n from generate_series(1, 1000) n;")
        self.assertIn("(1000 rows)", shown)
        self.assertEqual(self.terminal.quit(), 0)

    @only_proxied
    def test_the_read_port_refuses_writes_and_the_primary_port_takes_them(self):
        primary = Terminal(STAND.address, STAND.address.primary_port)
        self.addCleanup(primary._process.kill)
        primary.run("drop table if exists ported; create table ported (n int);")
        self.assertIn("INSERT 0 1", primary.run("insert into ported values (1);"))
        self.assertRegex(primary.run("show in_hot_standby;"), r"\boff\b")
        reads = Terminal(STAND.address, STAND.address.read_port)
        self.addCleanup(reads._process.kill)
        self.assertIn("read-only", reads.run("create table never (n int);"))
        self.assertRegex(reads.run("show in_hot_standby;"), r"\bon\b")
        self.assertRegex(reads.run("select 6 * 7 as answer;"), r"\b42\b")
        self.assertEqual((primary.quit(), reads.quit()), (0, 0))


if __name__ == "__main__":
    run_program(sys.modules["__main__"])
