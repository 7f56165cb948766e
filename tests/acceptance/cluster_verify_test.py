#!/usr/bin/python3
"""`fairlead cluster verify` and `status`: equal is proven while others write, and each kind of difference is found and named."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import wire
from stand.commands import CommandedCluster
from stand.direct_writers import DirectWriters
from stand.open import is_long, run_program
from stand.processes import eventually, postgres_tool

STAND = None
ROUNDS = 40 if is_long() else 4
EQUAL = {"equal"}


def verdicts(report):
    return {node["name"]: node["verdict"] for node in report["nodes"]}


def run_on_primary(statement):
    with STAND.superuser(0, "tests") as server:
        return server.run(statement)


def schemas():
    """Those of verify, which writes in the cluster's own database."""
    with STAND.superuser(0, "app") as server:
        return server.run("select oid, nspname from pg_namespace where nspname like 'fairlead%'")


def writers():
    """Sessions that change tables as fast as they can."""
    return DirectWriters(
        STAND, "update hot set n = n + 1 where id = (random() * 9)::int",
        "insert into grows select x, repeat('x', 100) from generate_series(1, 5) x",
        "delete from grows where ctid in (select ctid from grows limit 4)",
        "begin; create table comes_and_goes (n int); insert into comes_and_goes values (1); commit;"
        " drop table comes_and_goes",
        "begin; truncate refilled; insert into refilled select generate_series(1, 20); commit",
    )


def heap_file(table):
    """Where a table's rows lie in each node's folder."""
    return run_on_primary(f"select pg_relation_filepath('{table}')")[0][0]


class AChangedFile:
    """A replica whose files were changed while it was down; restored at the end, unchanged."""

    def __init__(self, index, table, change, with_checksums=False, indexes=()):
        self.index, self.change, self.with_checksums = index, change, with_checksums
        # No image of its pages may be in the WAL that the replica replays as it comes up.
        run_on_primary(f"vacuum (freeze) {table}")
        run_on_primary("checkpoint")
        STAND.await_streaming()
        self.paths = [os.path.join(STAND.nodes[index]["data_dir"], heap_file(name)) for name in (table, *indexes)]

    def _checksums(self, word):
        if self.with_checksums:
            return
        done = subprocess.run([postgres_tool("pg_checksums"), f"--{word}", "-D", STAND.nodes[self.index]["data_dir"]],
                              user="postgres", cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    @staticmethod
    def _write(path, content):
        with open(path, "r+b") as file:
            file.truncate(0)
            file.write(content)

    def __enter__(self):
        with STAND.superuser(self.index) as server:
            server.run("checkpoint")
        STAND.stop_node(self.index)
        self.before = {}
        for path in self.paths:
            with open(path, "rb") as file:
                self.before[path] = file.read()
        self._checksums("disable")
        for path, content in self.before.items():
            self._write(path, self.change(content))
        STAND.start_nodes()
        STAND.await_streaming()

    def __exit__(self, *_):
        STAND.stop_node(self.index)
        for path, content in self.before.items():
            if os.path.exists(path):  # Not that of a table that was dropped meanwhile.
                self._write(path, content)
        self._checksums("enable")
        STAND.start_nodes()
        STAND.await_streaming()


class Verify(unittest.TestCase):
    def setUp(self):
        run_on_primary("""
            create table if not exists hot (id int primary key, n int);
            insert into hot select x, 0 from generate_series(0, 9) x on conflict do nothing;
            create table if not exists grows (n int, filler text);
            create table if not exists refilled (n int);
            create table if not exists still (n int, word text);
            insert into still select x, 'unchanged' from generate_series(1, 1000) x where not exists (select from still)""")
        STAND.await_streaming()

    def expect_equal(self, *options):
        report = STAND.json("verify", *options)
        self.assertEqual(set(verdicts(report).values()), EQUAL, report)
        self.assertEqual(report["verdict"], "equal")
        self.assertEqual([node["differences"] for node in report["nodes"]], [[], [], []])
        return report

    def difference(self, name, table):
        report = STAND.json("verify", code=3)
        others = {verdict for node, verdict in verdicts(report).items() if node != name}
        self.assertEqual(others, EQUAL, report)
        node = next(node for node in report["nodes"] if node["name"] == name)
        self.assertEqual(node["verdict"], "differs", report)
        [found] = node["differences"]
        self.assertEqual((found["database"], found["schema"], found["table"]), ("tests", "public", table))
        return found

    def test_equal_replicas_are_equal_whatever_their_tables_are(self):
        run_on_primary("""
            drop schema if exists "Odd ""one" cascade; create schema "Odd ""one";
            set search_path = "Odd ""one";
            create table t (t int, "select" text); insert into t values (1, null), (1, null), (2, 'ä');
            create table no_columns (); insert into no_columns default values; insert into no_columns default values;
            create table parent (n int); create table child () inherits (parent); insert into child values (1);
            create table parted (n int) partition by range (n); create table part partition of parted for values from (0) to (9);
            insert into parted values (3);
            create unlogged table volatile_rows (n int); insert into volatile_rows values (1);
            create materialized view seen as select count(*) from t; create materialized view unseen as select 1 with no data;
            create table types (a timestamptz, b interval, c bytea, d float8, e money, f jsonb, g int[], h xml, i regclass);
            insert into types values (now(), '1 day', '\\x00ff', 0.1, 12, '{"a": 1}', '{1,2}', '<a/>', 'pg_class');
            create table large (n text); insert into large values (repeat('0123456789', 100000));
            select lo_from_bytea(0, '\\x0102')""")
        report = self.expect_equal()
        self.assertGreaterEqual(report["tables"], 14)
        self.assertGreaterEqual(report["rows"], 1010)
        for node in report["nodes"][1:]:
            self.assertLess(node["write_seen_ms"], 10_000)
        self.assertEqual(schemas(), [])
        text = STAND.command("verify").stdout
        self.assertIn("Write Seen", text)
        self.assertIn("Equal on every node", text)

    def test_a_dry_run_tells_the_steps_and_writes_nothing(self):
        before = schemas()
        plan = STAND.command("verify", "--dry-run").stdout
        self.assertEqual(plan.splitlines()[0], " 1. write on node1, and see it on the replicas")
        self.assertIn("compare database tests", plan)
        self.assertEqual(STAND.json("verify", "--dry-run")["plan"], plan.splitlines())
        self.assertEqual(schemas(), before)

    def test_writers_make_nothing_look_different_and_see_no_error(self):
        for names in ("", "ANY 1 (node2, node3)"):
            with self.subTest(synchronous_standby_names=names), STAND.superuser() as server:
                server.run(f"alter system set synchronous_standby_names = '{names}'")
                server.run("select pg_reload_conf()")
                try:
                    with writers() as all_of_them:
                        for _ in range(ROUNDS):
                            self.expect_equal()
                            all_of_them.go_on()
                finally:
                    server.run("alter system reset synchronous_standby_names")
                    server.run("select pg_reload_conf()")

    def test_a_writer_that_does_not_end_leaves_its_table_undecided(self):
        # Its own row is seen by nobody yet; the table changes under every look, and its lock is not to be had.
        with writers(), STAND.superuser(0, "tests") as open_transaction:
            open_transaction.run("begin; insert into hot values (1000, 0)")
            report = STAND.json("verify", code=None)
            self.assertIn(report["verdict"], ("undecided", "equal"))
            for node in report["nodes"]:
                for found in node["differences"]:
                    self.assertEqual((found["table"], found["what"]), ("hot", "undecided"))
                    self.assertIn("could not be held up", found["detail"])

    def test_a_table_that_is_dropped_before_its_lock_is_had_is_looked_at_again(self):
        run_on_primary("create table goes as select x as n, 'unchanged' as word from generate_series(1, 10) x")
        is_waited_for = "select from pg_locks where not granted and mode = 'ShareLock' and relation = 'goes'::regclass"
        with AChangedFile(1, "goes", lambda heap: heap.replace(b"unchanged", b"UNCHANGED", 1)), \
                STAND.superuser(0, "tests") as writer:
            writer.run("begin; lock table goes in row exclusive mode")
            process = STAND.begin("verify", "--json")
            eventually(lambda: run_on_primary(is_waited_for), 20, "verify waits for the lock")
            writer.run("drop table goes; commit")
            report = json.loads(process.communicate(timeout=60)[0])
        self.assertEqual(report["verdict"], "equal", report)

    def test_a_table_that_is_dropped_before_what_was_held_is_read_is_looked_at_again(self):
        run_on_primary("create table dropped (id int primary key, n int); insert into dropped select x, 0 from generate_series(0, 9) x")

        def write(statement):
            with STAND.superuser(0, "tests") as server, contextlib.suppress(wire.ServerError):  # Until it is gone.
                while True:
                    server.run(statement)

        work = ["update dropped set n = n + 1 where id = 1", "update dropped set n = n + 1 where id = 2",
                # So that verify waits for its lock, and the one that drops it stands behind that.
                "begin; lock table dropped in row exclusive mode; select pg_sleep(0.5); commit"]
        threads = [threading.Thread(target=write, args=(statement,)) for statement in work]
        for thread in threads:
            thread.start()
        process = STAND.begin("verify", "--json")
        is_waited_for = "select from pg_locks where not granted and mode = 'ShareLock' and relation = 'dropped'::regclass"
        try:
            eventually(lambda: run_on_primary(is_waited_for), 20, "verify waits for the lock")
        finally:
            run_on_primary("drop table dropped")
            for thread in threads:
                thread.join()
        report = json.loads(process.communicate(timeout=60)[0])
        self.assertEqual(report["verdict"], "equal", report)

    def test_a_table_whose_commit_waits_for_a_replica_is_not_an_extra_one(self):
        # The replicas show it, the primary does not yet.
        with STAND.superuser() as server:
            server.run("alter system set synchronous_standby_names = 'nobody'")
            server.run("select pg_reload_conf()")
            maker = threading.Thread(target=run_on_primary, args=("create table waits (n int)",))
            try:
                maker.start()
                eventually(lambda: server.run("select from pg_stat_activity where wait_event = 'SyncRep'"), 10, "the commit waits")
                report = STAND.json("verify", code=3)
            finally:
                server.run("alter system reset synchronous_standby_names")
                server.run("select pg_reload_conf()")
                maker.join()
        self.assertEqual(report["verdict"], "undecided")
        for node in report["nodes"][1:]:
            [found] = node["differences"]
            self.assertEqual((found["table"], found["what"]), ("waits", "undecided"))
            self.assertEqual(found["detail"], "a transaction that makes or drops it has not ended")
        self.expect_equal()

    def test_a_table_that_a_replica_lacks_and_one_that_only_it_has_are_differences(self):
        run_on_primary("create table lone_a (n int); insert into lone_a values (1), (2)")
        with AChangedFile(2, "pg_class", lambda file: file.replace(b"lone_a", b"lone_b"), indexes=["pg_class_relname_nsp_index"]):
            report = STAND.json("verify", code=3)
        self.assertEqual(verdicts(report), {"node1": "equal", "node2": "equal", "node3": "differs"})
        found = {each["table"]: (each["what"], each["primary_rows"], each["rows"]) for each in report["nodes"][2]["differences"]}
        self.assertEqual(found, {"lone_a": ("missing", 2, None), "lone_b": ("extra", None, 2)})

    def test_other_values_in_a_row_are_a_difference(self):
        with AChangedFile(2, "still", lambda heap: heap.replace(b"unchanged", b"UNCHANGED", 1)):
            found = self.difference("node3", "still")
            self.assertEqual((found["what"], found["rows"], found["primary_rows"]), ("content", 1000, 1000))
            self.assertIn("node3: tests.public.still: 1000 rows as on the primary, with other values",
                          STAND.command("verify", code=3).stdout)
            # What there was no time to look at twice may only have been written to.
            self.assertEqual(STAND.json("verify", "--timeout", "1ms", code=3)["verdict"], "undecided")
        self.expect_equal()

    def test_missing_rows_are_a_difference_also_while_others_write(self):
        with AChangedFile(1, "still", lambda heap: b""):
            with writers():
                found = self.difference("node2", "still")
            self.assertEqual((found["what"], found["rows"], found["primary_rows"]), ("rows", 0, 1000))

    def test_a_damaged_page_is_named(self):
        with AChangedFile(1, "still", lambda heap: heap[:4000] + b"\xff" * 100 + heap[4100:], with_checksums=True):
            found = self.difference("node2", "still")
            self.assertEqual(found["what"], "unreadable")
            self.assertIn("invalid page", found["detail"])

    def test_a_paused_replica_differs_and_one_that_is_down_or_hangs_is_unreachable(self):
        with STAND.paused_replay(1):
            report = STAND.json("verify", code=3)
            self.assertEqual(verdicts(report), {"node1": "equal", "node2": "differs", "node3": "equal"})
            self.assertEqual(report["nodes"][1]["why"], "its replay is paused")
        STAND.signal_node(1, signal.SIGSTOP)
        try:
            report = STAND.json("verify", code=4)
            self.assertEqual(verdicts(report), {"node1": "equal", "node2": "unreachable", "node3": "equal"})
        finally:
            STAND.signal_node(1, signal.SIGCONT)
        STAND.stop_node(2)
        self.assertEqual(STAND.json("verify", code=4)["nodes"][2]["why"], "stopped")
        STAND.start_nodes()
        STAND.await_streaming()
        self.expect_equal()

    def test_a_replica_that_receives_nothing_does_not_show_the_write(self):
        with STAND.superuser(1) as replica:
            replica.run("alter system set primary_conninfo = ''")
            replica.run("select pg_reload_conf()")
            try:
                eventually(lambda: STAND.json("status")[1]["state"] == "not streaming", 10, "it does not stream")
                report = STAND.json("verify", "--wait", "300ms", code=3)
                self.assertEqual(report["nodes"][1]["why"], "the write was not there after 0.3 s")
                self.assertEqual(verdicts(report)["node3"], "equal")
            finally:
                replica.run("alter system reset primary_conninfo")
                replica.run("select pg_reload_conf()")
        STAND.await_streaming()

    def begin_that_waits(self):
        """A verify whose write is there, and which waits for a replica that hangs."""
        before = schemas()
        process = STAND.begin("verify", "--wait", "60s")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        eventually(lambda: schemas() not in ([], before), 10, "the write is there")
        return process

    def test_a_killed_verify_leaves_what_the_next_one_removes(self):
        with STAND.superuser(1) as replica:
            replica.run("alter system set recovery_min_apply_delay = '1h'")
            replica.run("select pg_reload_conf()")
            try:
                process = self.begin_that_waits()
                self.assertIn("another verify is at work", STAND.command("verify", code=1).stderr)
                process.kill()
                process.wait()
                self.assertEqual([name for _, name in schemas()], ["fairlead_verify"])
                stopped = self.begin_that_waits()
                stopped.send_signal(signal.SIGINT)
                self.assertEqual(stopped.wait(30), 1)
                self.assertEqual(schemas(), [])
            finally:
                replica.run("alter system reset recovery_min_apply_delay")
                replica.run("select pg_reload_conf()")
        STAND.await_streaming()

    def test_somebody_elses_schema_is_left_alone(self):
        run_on_primary("create schema fairlead_verify; create table fairlead_verify.mine (n int)")
        try:
            # Another database than that where it writes.
            self.expect_equal()
        finally:
            run_on_primary("drop schema fairlead_verify cascade")
        with STAND.superuser(0, "app") as server:
            server.run("create schema fairlead_verify; create table fairlead_verify.mine (n int)")
            try:
                self.assertIn("that verify did not make", STAND.command("verify", code=1).stderr)
                self.assertEqual(server.run("select count(*) from fairlead_verify.mine"), [("0",)])
            finally:
                server.run("drop schema fairlead_verify cascade")

    def test_a_folder_without_a_cluster_is_an_error_that_says_so(self):
        done = subprocess.run([STAND.binary, "cluster", "verify", "--dir", STAND.folder], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not a cluster made by fairlead", done.stderr)
        self.assertIn("next: ", done.stderr)

    def test_status_has_the_columns_of_patronictl(self):
        lines = STAND.command("status").stdout.splitlines()
        self.assertRegex(lines[0], r"^Cluster: cluster \(\d+\)$")
        self.assertRegex(lines[1], r"^Member +Host +Role +State +TL +Receive LSN +Receive Lag +Replay LSN +Replay Lag +Time Lag$")
        self.assertRegex(lines[2], r"^node1 +127\.0\.0\.1:\d+ +Leader +running +1 +- ")


class WhenTakenApart(unittest.TestCase):
    """Last: it takes the cluster apart."""

    def make_foreign_data(self, folder):
        """The data of a node of another cluster, to whose server node2's connections and files fit."""
        other = f"{folder}/other"
        made = subprocess.run([STAND.binary, "cluster", "create", "--dir", other, "--replicas", "0", "--json"], capture_output=True,
                              text=True, check=True)
        with open(os.path.join(STAND.dir, "cluster.json"), encoding="utf-8") as file:
            password = json.load(file)["secrets"]["superuser"]
        url = json.loads(made.stdout)["nodes"][0]["url"]
        subprocess.run(["psql", "-Xq", url, "-c", f"alter role postgres password '{password}'"], check=True)
        subprocess.run([STAND.binary, "cluster", "stop", "--dir", other], capture_output=True, check=True)
        return f"{other}/node1"

    def test_a_node_of_another_cluster_is_named(self):
        data = STAND.nodes[1]["data_dir"]
        with tempfile.TemporaryDirectory(prefix="fl-") as folder:
            os.chmod(folder, 0o711)
            foreign = self.make_foreign_data(folder)
            for name in ("fairlead.conf", "standby.signal"):
                subprocess.run(["cp", "-p", f"{data}/{name}", f"{foreign}/{name}"], check=True)
            STAND.stop_node(1)
            os.rename(data, f"{data}.own")
            subprocess.run(["cp", "-a", foreign, data], check=True)
            try:
                STAND.start_nodes()
                node = STAND.json("verify", code=3)["nodes"][1]
                self.assertEqual(node["verdict"], "differs")
                self.assertRegex(node["why"], r"it belongs to another cluster: its system identifier is \d+, not \d+")
                STAND.stop_node(1)
            finally:
                shutil.rmtree(data)
                os.rename(f"{data}.own", data)
                STAND.start_nodes()
                subprocess.run([STAND.binary, "cluster", "destroy", "--dir", f"{folder}/other"], capture_output=True, check=True)
        STAND.await_streaming()
        self.assertEqual(STAND.json("verify")["verdict"], "equal")

    def test_a_replica_that_somebody_promoted_is_a_primary_of_its_own(self):
        with STAND.superuser(2) as replica:
            replica.run("select pg_promote()")
        rows = STAND.json("status")
        self.assertEqual((rows[0]["state"], rows[2]["state"]), ("superseded", "running"))
        report = STAND.json("verify", "--wait", "300ms", code=3)
        self.assertEqual(report["nodes"][0]["why"], "it is a primary of its own, on timeline 1")


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=CommandedCluster)
