#!/usr/bin/python3
"""`fairlead cluster promote`, `rejoin` and `switchover` as people type them: plans that change nothing, refusals with a cause
and a next step, and a disk that is full in the middle: E10, E12."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from stand.commands import CommandedCluster
from stand.open import run_program
from stand.processes import eventually, is_alive

STAND = None
DISK_MIB, LEFT_MIB = 420, 40


def primary():
    return next(row["name"] for row in STAND.json("status", code=None) if row["role"] == "primary" and row["state"] == "running")


def kill_node(name):
    index = STAND.node(name)
    pid = STAND.node_pid(index)
    STAND.signal_node(index, signal.SIGKILL)
    eventually(lambda: not is_alive(pid), 10, "the server has ended")


def stand_in(folder):
    """A cluster whose files lie there."""
    old, tempfile.tempdir = tempfile.tempdir, folder
    try:
        return CommandedCluster(STAND.binary, replicas=1)
    finally:
        tempfile.tempdir = old


class Promote(unittest.TestCase):
    def setUp(self):
        STAND.command("start")
        STAND.await_streaming()

    def test_a_plan_is_printed_and_nothing_is_changed(self):
        before = STAND.json("status")
        for command in (("promote",), ("promote", "node3"), ("switchover",)):
            text = STAND.command(*command, "--dry-run").stdout
            self.assertIn("SELECT pg_promote()", text)
            self.assertIn("undo: none, from here on it is finished", text)
            self.assertEqual(STAND.json(*command, "--dry-run")["plan"], text.splitlines())
        self.assertIn("nothing to do", STAND.command("rejoin", "node2", "--dry-run").stdout)
        rows = ("name", "role", "state", "timeline")
        self.assertEqual([[row[key] for key in rows] for row in STAND.json("status")],
                         [[row[key] for key in rows] for row in before])

    def test_what_cannot_be_is_refused_with_the_next_step(self):
        for command, message, step in (
            (("promote", "node9"), "there is no node node9", "its nodes are node1, node2, node3"),
            (("promote", primary()), "is the primary already", "name another node"),
            (("switchover", "--to", primary()), "is the primary already", "name a replica"),
            (("rejoin", primary()), "is the primary: there is nobody that it could follow", "name a replica"),
            (("rejoin", "node9"), "there is no node node9", "its nodes are"),
        ):
            told = STAND.command(*command, code=1).stderr
            self.assertIn(message, told)
            self.assertIn(step, told)
        for command in ("promote", "switchover", "up"):
            done = subprocess.run([STAND.binary, "cluster", command, "--dir", "/usr/share"], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is not a cluster made by fairlead", done.stderr)
        self.assertEqual(STAND.command("switchover", "--timeout", "soon", code=2).stdout, "")

    def test_after_a_crash_one_is_promoted_the_old_primary_stays_out_and_rejoins(self):
        old = primary()
        kill_node(old)
        told = STAND.command("switchover", code=4).stderr
        self.assertIn("cluster promote", told)
        done = STAND.json("promote")
        self.assertEqual(done["need_rejoin"], [old])
        self.assertIn("asynchronous", done["reason"])
        self.assertIn(f"{old} needs a rejoin and was not started", STAND.command("start").stderr)
        self.assertEqual(STAND.json("rejoin", old), {"node": old, "primary": done["primary"], "method": "rewind", "reason": ""})
        STAND.await_streaming()
        self.assertIn("nothing to do", STAND.command("rejoin", old).stdout)

    def test_under_first_a_node_is_promoted_only_when_whoever_may_have_more_was_looked_at(self):  # E10, E12
        STAND.command("sync", "first 1")
        self.addCleanup(STAND.command, "sync", "off")
        old = primary()
        with STAND.superuser(STAND.node(old)) as server:
            [(first,), (second,)] = server.run("select application_name from pg_stat_replication order by sync_priority")
        STAND.stop_node(STAND.node(first))
        with STAND.superuser(STAND.node(old), "tests") as server:  # The second one stands in for the first one.
            server.run("create table only_on_second (n int)")
        kill_node(old)
        kill_node(second)
        folder = STAND.nodes[STAND.node(second)]["data_dir"]
        os.rename(folder, folder + ".away")
        try:
            told = STAND.command("promote", code=1).stderr
        finally:
            os.rename(folder + ".away", folder)
        self.assertIn(second, told)
        self.assertIn("--allow-loss", told)

        done = STAND.json("promote")
        self.assertEqual((done["primary"], done["nothing_lost"]), (second, True), done["reason"])
        with STAND.superuser(STAND.node(second), "tests") as server:
            self.assertEqual(server.value("select count(*) from only_on_second"), "0")
        STAND.command("rejoin", old)
        STAND.await_streaming()

    def test_a_program_that_is_missing_is_named_and_nothing_is_lost(self):
        with open(os.path.join(STAND.dir, "cluster.json"), encoding="utf-8") as file:
            text = file.read()
        programs = tempfile.mkdtemp(prefix="programs-")
        os.chmod(programs, 0o755)
        real = STAND.state["spec"]["pg_bin"]
        for name in os.listdir(real):
            if name not in ("pg_rewind", "pg_basebackup"):
                os.symlink(os.path.join(real, name), os.path.join(programs, name))
        try:
            with open(os.path.join(STAND.dir, "cluster.json"), "w", encoding="utf-8") as file:
                file.write(text.replace(f'"{real}"', f'"{programs}"'))
            told = STAND.command("rejoin", "node3" if primary() != "node3" else "node2", "--copy", code=1).stderr
            self.assertIn("cannot run " + os.path.join(programs, "pg_basebackup"), told)
            self.assertIn("check --pg-bin", told)
        finally:
            with open(os.path.join(STAND.dir, "cluster.json"), encoding="utf-8") as file:
                now = file.read()
            with open(os.path.join(STAND.dir, "cluster.json"), "w", encoding="utf-8") as file:
                file.write(now.replace(f'"{programs}"', f'"{real}"'))
            shutil.rmtree(programs)
        STAND.command("rejoin", "node3" if primary() != "node3" else "node2")
        STAND.await_streaming()


@unittest.skipUnless(os.geteuid() == 0, "mounting a small disk needs root")
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = tempfile.mkdtemp(prefix="fl-disk-")
        os.chmod(self.disk, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", self.disk], check=True)
        self.addCleanup(lambda: (subprocess.run(["umount", self.disk], check=True), os.rmdir(self.disk)))

    def test_a_copy_that_does_not_fit_leaves_the_node_out_and_the_primary_at_work(self):
        cluster = stand_in(self.disk)
        try:
            pid = cluster.node_pid(1)
            cluster.signal_node(1, signal.SIGKILL)
            eventually(lambda: not is_alive(pid), 10, "the replica has ended")
            shutil.rmtree(cluster.nodes[1]["data_dir"])
            filler, space = os.path.join(self.disk, "filler"), os.statvfs(self.disk)
            with open(filler, "wb") as file:
                # Enough for the primary's own WAL, and for the first files of a copy.
                os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - LEFT_MIB * 1024 * 1024)
            told = cluster.command("rejoin", "node2", code=1).stderr
            self.assertIn("No space left on device", told)
            self.assertIn("was taken back", told)
            self.assertFalse(os.path.exists(cluster.nodes[1]["data_dir"]), "half a copy is left")
            with cluster.superuser() as server:
                self.assertEqual(server.value("select pg_is_in_recovery()"), "f")
            os.unlink(filler)
            self.assertEqual(cluster.json("rejoin", "node2")["method"], "copy")
            cluster.await_streaming()
        finally:
            cluster.stop()


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=CommandedCluster, replicas=2)
