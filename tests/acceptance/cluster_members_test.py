#!/usr/bin/python3
"""`fairlead cluster add-replica` and `remove-replica`: whole or not at all, whatever stops them, and no commit is lost by them: E10, E11."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from stand.commands import CommandedCluster
from stand.direct_writers import row_writer
from stand.open import fairlead_binary, run_program
from stand.processes import die_with_parent, eventually, postgres_tool

STAND = None


def slots():
    with STAND.superuser() as server:
        return [name for (name,) in server.run("select slot_name from pg_replication_slots order by 1")]


def names(index=0):
    with STAND.superuser(index) as server:
        return server.value("show synchronous_standby_names")


def members():
    return [node["name"] for node in STAND.json("status", code=None)]


def works_in(folder):
    """Whether any process works there."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd") == folder:
                return True
        except OSError:
            pass
    return False


class Members(unittest.TestCase):
    def setUp(self):
        with STAND.superuser(0, "tests") as server:
            server.run("create table if not exists written (n int)")
        self.settle()

    def settle(self):
        """Two nodes, asynchronous, whatever the last test has left."""
        STAND.command("start")
        STAND.command("sync", "off")
        for name in members()[2:]:
            STAND.command("remove-replica", name)
        STAND.nodes = STAND.json("start")["nodes"]
        self.expect_as_before()

    def add(self, *more):
        report = STAND.json("add-replica", *more)
        STAND.nodes = report["nodes"]
        return report

    def folder_of(self, name):
        return os.path.join(STAND.dir, name)

    def expect_as_before(self):
        """One replica, which streams, and no trace of another one."""
        self.assertEqual(members(), ["node1", "node2"])
        self.assertEqual(slots(), ["node2"])
        self.assertFalse(os.path.exists(self.folder_of("node3")))
        self.assertFalse(works_in(self.folder_of("node3")))
        STAND.await_streaming()


class Add(Members):
    def test_it_streams_and_has_everything_and_a_commit_may_wait_for_it(self):
        STAND.command("sync", "any 1")
        with row_writer(STAND):
            report = self.add()
        self.assertEqual(report["node"], "node3")
        self.assertEqual([node["name"] for node in report["nodes"]], ["node1", "node2", "node3"])
        self.assertEqual(slots(), ["node2", "node3"])
        self.assertEqual([names(index) for index in range(3)], [
            'ANY 1 ("node2", "node3")', 'ANY 1 ("node1", "node3")', 'ANY 1 ("node1", "node2")'])
        self.assertEqual(STAND.json("status")[2]["sync_state"], "quorum")
        self.assertEqual(STAND.json("verify")["verdict"], "equal")

    def test_it_tells_how_far_the_copy_is(self):
        with STAND.superuser(0, "tests") as server:
            server.run("create table filler as select repeat(md5(x::text), 30) from generate_series(1, 60000) x")
        try:
            done = STAND.command("add-replica")
            self.assertRegex(done.stderr, r"\] clone node1 into node3: \d+ MiB of \d+ MiB, [\d.]+ [KMG]iB/s\b")
            self.assertRegex(done.stdout, r"node3 +replica +postgresql://")
            self.assertIn("next: ", done.stderr)
        finally:
            with STAND.superuser(0, "tests") as server:
                server.run("drop table filler")

    def test_a_dry_run_prints_the_plan_and_changes_nothing(self):
        with open(os.path.join(STAND.dir, "cluster.json"), "rb") as file:
            before = file.read()
        plan = STAND.command("add-replica", "--dry-run").stdout
        self.assertIn("clone node1 into node3", plan)
        self.assertIn("undo: remove the data of node3 and its replication slot", plan)
        self.assertNotIn("secret", plan)
        self.assertIn("count node3 as a member", "\n".join(STAND.json("add-replica", "--dry-run")["plan"]))
        with open(os.path.join(STAND.dir, "cluster.json"), "rb") as file:
            self.assertEqual(file.read(), before)
        self.expect_as_before()

    def test_its_name_can_be_chosen_among_those_that_are_free_and_fit(self):
        for name in ("node1", "log", "s", "Node3", "../x", "", "a" * 64, "pg-1"):
            with self.subTest(name=name):
                done = STAND.command("add-replica", f"--name={name}", code=None)
                if name == "":
                    continue  # None was chosen.
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("next: ", done.stderr)
        self.settle()
        self.assertEqual(self.add("--name", "reports")["node"], "reports")
        self.assertEqual(slots(), ["node2", "reports"])

    def test_a_port_that_is_in_use_is_named_and_nothing_is_made(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            done = STAND.command("add-replica", "--port", port, code=1)
            self.assertIn(port, done.stderr)
            self.assertIn("next: ", done.stderr)
        self.expect_as_before()
        done = STAND.command("add-replica", "--port", str(STAND.nodes[0]["port"]), code=1)
        self.assertIn("another node of the cluster has port", done.stderr)
        self.assertEqual(self.add("--port", port)["nodes"][2]["port"], int(port))

    def test_a_wrong_password_is_told_and_everything_is_taken_back(self):
        with open(os.path.join(STAND.dir, "cluster.json"), encoding="utf-8") as file:
            secret = json.load(file)["secrets"]["replication"]
        with STAND.superuser() as server:
            server.run("alter role replicator password 'another'")
            done = STAND.command("add-replica", code=1)
            server.run(f"alter role replicator password '{secret}'")
        self.assertIn("password authentication failed", done.stderr)
        self.assertIn("was taken back", done.stderr)
        self.expect_as_before()

    def test_a_replica_that_does_not_keep_up_does_not_join(self):
        with STAND.superuser() as server:
            server.run("alter system set recovery_min_apply_delay = '4s'")  # The copy takes it over.
            try:
                with row_writer(STAND):
                    done = STAND.command("add-replica", "--max-lag", "500ms", "--timeout", "3s", code=1)
            finally:
                server.run("alter system reset recovery_min_apply_delay")
        self.assertIn("node3 stays more than 500 ms behind", done.stderr)
        self.assertIn("was taken back", done.stderr)
        self.expect_as_before()

    def test_whatever_moment_it_is_killed_at_the_next_command_takes_it_back(self):
        for delay in (0.05, 0.3, 0.8, 1.3, 2.0, 3.0):
            with self.subTest(delay=delay):
                process = STAND.begin("add-replica")
                try:
                    process.wait(delay)  # Each place in the middle is fine.
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                process.communicate()
                done = STAND.command("sync", "off")
                if "node3" in members():  # It was over already.
                    STAND.command("remove-replica", "node3")
                elif "interrupted" in done.stderr:
                    self.assertIn("add-replica node3 was interrupted: taking it back", done.stderr)
                self.expect_as_before()
        self.add()

    def test_a_signal_takes_it_back(self):
        process = STAND.begin("add-replica")
        eventually(lambda: os.path.exists(self.folder_of("node3")), 20, "the copy has begun")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn("add-replica node3 was taken back", err)
        self.expect_as_before()


class Remove(Members):
    def test_nothing_of_it_is_left_and_nobody_waits_for_it(self):
        self.add()
        STAND.command("sync", "any 1")
        with row_writer(STAND):
            report = STAND.json("remove-replica", "node3")
        self.assertEqual([node["name"] for node in report["nodes"]], ["node1", "node2"])
        self.assertEqual((names(0), names(1)), ('ANY 1 ("node2")', 'ANY 1 ("node1")'))
        self.expect_as_before()

    def test_one_that_is_down_is_removed_too(self):
        self.add()
        STAND.stop_node(2)
        STAND.command("remove-replica", "node3")
        self.expect_as_before()

    def test_a_dry_run_prints_the_plan_and_changes_nothing(self):
        plan = STAND.command("remove-replica", "node2", "--dry-run").stdout
        self.assertIn("drop the replication slot of node2 on node1", plan)
        self.assertIn("undo: none, from here on it is finished", plan)
        self.expect_as_before()

    def test_what_cannot_be_removed_is_refused_with_the_next_step(self):
        self.assertIn("node1 is the primary", STAND.command("remove-replica", "node1", code=1).stderr)
        self.assertIn("its nodes are node1, node2", STAND.command("remove-replica", "node7", code=1).stderr)
        STAND.command("sync", "any 1")
        done = STAND.command("remove-replica", "node2", code=1)
        self.assertIn("a commit cannot wait for 1 of 0 replicas", done.stderr)
        self.assertIn("change the rule first: fairlead cluster sync", done.stderr)
        self.add()
        STAND.stop_node(1)
        done = STAND.command("remove-replica", "node3", code=1)
        self.assertIn("commits on node1 would wait for 1 replica, and 0 of the others stream", done.stderr)
        self.assertEqual(members(), ["node1", "node2", "node3"])

    def test_what_only_the_leaving_one_has_reaches_another_first(self):
        self.add()
        STAND.command("sync", "any 1")
        with STAND.superuser(1) as replica:
            receiver = int(replica.value("select pid from pg_stat_wal_receiver"))
        os.kill(receiver, signal.SIGSTOP)
        try:
            with STAND.superuser(0, "tests") as writer:
                writer.run("insert into written values (9)")  # Acknowledged: node3 has it, node2 has not.
            process = STAND.begin("remove-replica", "node3")
            self.addCleanup(lambda: (process.kill(), process.communicate()))
            eventually(lambda: names() == 'ANY 1 ("node2")', 20, "the rule has changed")
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(1.5)
            self.assertTrue(os.path.exists(self.folder_of("node3")))
        finally:
            os.kill(receiver, signal.SIGCONT)
        self.assertEqual(process.wait(60), 0)
        with STAND.superuser(1, "tests") as replica:
            eventually(lambda: replica.value("select count(*) from written where n = 9") != "0", 10, "node2 has the row")

    def test_whatever_moment_it_is_killed_at_the_next_command_settles_it(self):
        for delay in (0.02, 0.1, 0.2, 0.3, 0.5, 0.8):
            with self.subTest(delay=delay):
                if "node3" not in members():
                    self.add()
                process = STAND.begin("remove-replica", "node3")
                try:
                    process.wait(delay)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                process.communicate()
                STAND.command("sync", "off")  # Any command settles it.
                if "node3" in members():
                    STAND.await_streaming()
                    self.assertEqual(slots(), ["node2", "node3"])
                else:
                    self.expect_as_before()


@unittest.skipIf(os.geteuid() != 0, "only root mounts")
class ASmallDisk(unittest.TestCase):
    """A cluster of its own on a file system that becomes full."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fl-")
        os.chmod(self.folder, 0o711)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=220m,mode=711", "tmpfs", self.folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=False)
        self.run_cluster("create", "--replicas", "0")
        self.addCleanup(self.run_cluster, "destroy", code=None)

    def run_cluster(self, command, *more, code=0):
        done = subprocess.run([fairlead_binary(), "cluster", command, "--dir", f"{self.folder}/c", *more], capture_output=True,
                              text=True, timeout=120, check=False, preexec_fn=die_with_parent())
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_a_full_disk_is_told_and_what_was_copied_is_removed(self):
        filler = f"{self.folder}/filler"
        free = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_bsize
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - (24 << 20))
        done = self.run_cluster("add-replica", code=1)
        self.assertIn("No space left on device", done.stderr)
        self.assertIn("add-replica node2 was taken back", done.stderr)
        self.assertFalse(os.path.exists(f"{self.folder}/c/node2"))
        status = json.loads(self.run_cluster("status", "--json").stdout)
        self.assertEqual([node["state"] for node in status], ["running"])
        os.unlink(filler)
        self.run_cluster("add-replica")
        self.run_cluster("verify")


class AMissingProgram(unittest.TestCase):
    def test_a_program_that_is_gone_is_named(self):
        with tempfile.TemporaryDirectory(prefix="fl-") as folder:
            os.chmod(folder, 0o711)
            real, programs = os.path.dirname(postgres_tool("initdb")), f"{folder}/bin"
            os.mkdir(programs)
            for name in ("initdb", "postgres", "pg_ctl", "pg_basebackup"):
                os.symlink(f"{real}/{name}", f"{programs}/{name}")
            run = lambda *words: subprocess.run([fairlead_binary(), "cluster", *words, "--dir", f"{folder}/c"], capture_output=True,
                                                text=True, timeout=120, check=False)
            made = run("create", "--replicas", "0", "--pg-bin", programs)
            try:
                self.assertEqual(made.returncode, 0, made.stderr)
                os.unlink(f"{programs}/pg_basebackup")
                done = run("add-replica")
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, re.escape(f"{programs}/pg_basebackup") + r"(.|\n)*next: ")
                self.assertFalse(os.path.exists(f"{folder}/c/node2"))
            finally:
                self.assertEqual(run("destroy").returncode, 0)


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=CommandedCluster, replicas=1)
