#!/usr/bin/python3
"""What is a commit, and that everybody sees it from its answer on, while the replica replays nothing: B9, B10, B12, B16, B19,
D4, D8, D12, D13, D17, D18, D28."""
import contextlib
import socket
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None
COUNT = "select count(*) from seen"


def login(address=None, **options):
    return wire.Connection.login(address or STAND.address, timeout=20, **options)


def where(client):
    """(target, reason) of the last statement."""
    target, _, reason = client.run("show fairlead.last_route")[0][:3]
    return target, reason


def read(client, hint=""):
    """(rows that it sees, where)."""
    seen = int(client.value(f"{hint} {COUNT}"))
    return seen, where(client)[0]


def executed(sql):
    """By the unnamed statement."""
    return wire.parse(sql) + wire.bind() + wire.execute()


def is_answered(client, within):
    """Whether something comes within so many seconds; nothing of it is taken."""
    client.socket.settimeout(within)
    try:
        return bool(client.socket.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
    finally:
        client.socket.settimeout(20)


class Case(unittest.TestCase):
    def setUp(self):
        with login() as client:
            client.run("drop table if exists seen; create table seen (n int); insert into seen values (0)")
            eventually(lambda: read(client)[1] == "replica", 10, "reads go to the replica")

    @contextlib.contextmanager
    def frozen(self):
        """What the replica has now is all that it has; nobody has to see more."""
        with login() as client:
            eventually(lambda: read(client)[1] == "replica", 10, "reads go to the replica")
        with STAND.paused_replay() as replica:
            yield replica


@only_proxied
class Commits(Case):
    def setUp(self):
        super().setUp()
        with login() as client:
            client.run("create or replace procedure write(times int) language plpgsql as "
                       "$$begin for n in 1..times loop insert into seen values (n); commit; end loop; end$$")
            client.run("create or replace procedure write_and_fail() language plpgsql as "
                       "$$begin insert into seen values (1); commit; perform 1/0; end$$")

    def assert_seen(self, written, send, status="I"):
        """`send(writer)` commits so many rows and gives the answer; another connection sees them at once, nowhere but on the
        primary."""
        with login() as writer, login() as reader:
            eventually(lambda: read(reader)[1] == "replica", 10, "its worker has a server there")
            with self.frozen():
                before = read(reader)
                self.assertEqual(before[1], "replica")
                self.assertEqual(send(writer).status, status)
                self.assertEqual(read(reader), (before[0] + written, "primary"))

    def test_each_commit_within_one_query_is_seen(self):  # B10
        insert = "insert into seen values (1)"
        for sql, written, status in (
            (f"{insert}; commit; {insert}", 2, "I"), (f"{insert}; rollback; {insert}; {insert}", 2, "I"),
            (f"{insert}; commit; select 1/0", 1, "I"), (f"{insert}; commit; {insert}; rollback", 1, "I"),
            (f"{insert}; commit; begin; select 1", 1, "T"), (f"begin; {insert}; commit; begin; {insert}", 1, "T"),
        ):
            with self.subTest(sql=sql):
                self.assert_seen(written, lambda writer, sql=sql: writer.query(sql), status)

    def test_a_commit_that_goes_on_with_a_transaction_is_seen(self):  # B12
        def chained(writer):
            writer.run("begin")
            writer.run("insert into seen values (1)")
            return writer.query("commit and chain")

        def chained_by_messages(writer):
            return writer.extended(executed("begin"), executed("insert into seen values (1)"), executed("commit and chain"))

        for send in (chained, chained_by_messages):
            with self.subTest(send=send.__name__):
                self.assert_seen(1, send, "T")

    def test_what_procedures_and_blocks_commit_is_seen(self):  # B16
        block = "do $$begin for n in 1..2 loop insert into seen values (n); commit; end loop; insert into seen values (3); end$$"
        for sql, written in (("call write(3)", 3), (block, 3), ("call write_and_fail()", 1)):
            with self.subTest(sql=sql):
                self.assert_seen(written, lambda writer, sql=sql: writer.query(sql))
                self.assert_seen(written, lambda writer, sql=sql: writer.extended(executed(sql)))

    def test_begin_takes_what_came_before_it_in_its_segment_along(self):  # B9
        def by_messages(writer):
            return writer.extended(executed("insert into seen values (1)"), executed("begin"))

        def by_query(writer):
            return writer.query("insert into seen values (1); begin")

        for send in (by_messages, by_query):
            for end, written in (("rollback", 0), ("commit", 1)):
                with self.subTest(send=send.__name__, end=end), login() as writer, login() as reader, self.frozen():
                    before = read(reader)
                    answer = send(writer)
                    self.assertEqual((answer.tags, answer.status), (["INSERT 0 1", "BEGIN"], "T"))
                    self.assertEqual(read(reader), before)  # Complete is not committed.
                    self.assertEqual(writer.value(COUNT), str(before[0] + 1))
                    self.assertEqual(writer.query(end).status, "I")
                    self.assertEqual(read(writer, "/* fairlead.route=primary */")[0], before[0] + written)
                    self.assertEqual(read(reader)[0], before[0] + written)

    def test_a_sample_of_before_the_commit_does_not_count(self):  # D11, D12
        with login() as client:
            client.run("create or replace function dawdle() returns trigger language plpgsql as "
                       "'begin perform pg_sleep(0.5); return new; end'")
            client.run("create constraint trigger dawdles after insert on seen deferrable initially deferred "
                       "for each row execute function dawdle()")
        with login() as writer, login() as reader, login(**{"fairlead.consistency": "strict"}) as strict:
            writer.run("begin")
            writer.run("insert into seen values (1)")  # Its WAL is there, but for the commit.
            eventually(lambda: read(strict) == (1, "replica"), 10, "the replica has replayed all that there is")
            with STAND.paused_replay():
                writer.send(wire.query("commit"))
                sampled = 0
                while not is_answered(writer, within=0.02):
                    sampled += read(strict) == (1, "replica")  # Each with a sample of its own time.
                self.assertGreater(sampled, 3)
                self.assertEqual(writer.answer().tags, ["COMMIT"])
                self.assertEqual(read(reader), (2, "primary"))

    def test_who_only_reads_on_the_primary_raises_nobodys_floor(self):  # D28
        with login() as owner, login() as reader, STAND.superuser(database="tests") as elsewhere, self.frozen():
            seen = read(reader)
            elsewhere.run("insert into seen values (1)")  # So that the replica lacks something, which nobody has to see.
            owner.run("set fairlead.route = 'primary'")
            for statements in (
                (COUNT,), ("begin", COUNT, "commit"), ("begin read only", COUNT, "commit"), (f"begin read only; {COUNT}; commit",),
                ("begin isolation level serializable read only", COUNT, "commit"), ("begin", COUNT, "rollback"),
            ):
                for statement in statements:
                    owner.run(statement)
                    self.assertEqual(where(owner)[0], "primary", statements)
                owner.extended(executed(COUNT))
                self.assertEqual((read(reader), seen[1]), (seen, "replica"), statements)
            owner.run("insert into seen values (1)")
            self.assertEqual(read(reader), (seen[0] + 2, "primary"))


@only_proxied
class Freshness(Case):
    def test_received_is_not_replayed(self):  # D17
        with login() as writer, login() as reader, STAND.superuser() as primary, self.frozen() as replica:
            written = read(reader)[0] + 1
            writer.run("insert into seen values (1)")
            position = primary.value("select pg_current_wal_lsn()")
            received = f"select pg_last_wal_receive_lsn() >= '{position}'::pg_lsn"
            eventually(lambda: replica.value(received) == "t", 10, "the replica has received it")
            # Nothing else is written: by its clock it is not behind at all.
            for client in (writer, reader):
                self.assertEqual(read(client), (written, "primary"))
                self.assertEqual(where(client)[1], "own_write")

    def test_a_commit_that_is_not_flushed_yet_is_seen(self):  # D4, D14
        with login() as writer, login() as reader:
            for _ in range(3):
                with self.frozen():
                    before = read(reader)[0]
                    writer.run("begin; set local synchronous_commit = off; insert into seen values (1); commit")
                    self.assertEqual(read(reader), (before + 1, "primary"))

    def test_a_read_only_transaction_begins_when_its_replica_is_fresh(self):  # D18
        patient = Proxy(STAND, {"database": {"max_lag": "1min", "freshness_wait": "10s"}})
        self.addCleanup(patient.stop)
        with login(patient.address) as client:
            eventually(lambda: read(client)[1] == "replica", 10, "it knows the replica")
        for begin in ("begin read only", "begin isolation level repeatable read read only"):
            with self.subTest(begin=begin), login() as writer, login() as reader, login(patient.address) as waiter:
                with self.frozen():
                    written = read(reader)[0] + 1
                    writer.run("insert into seen values (1)")
                    waiter.run("insert into seen values (2)")
                    reader.run(begin)
                    self.assertEqual(read(reader), (written + 1, "primary"))
                    reader.run("commit")
                    waiter.run(begin)
                    waiter.send(wire.query(COUNT))
                    self.assertFalse(is_answered(waiter, within=0.3))
                [(seen,)] = waiter.answer().checked().rows
                self.assertEqual((int(seen), where(waiter)[0]), (written + 1, "replica"))
                waiter.run("commit")


@only_proxied
class CommitsThatWaitForAReplica(Case):
    """synchronous_standby_names names nobody who is there."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.set_names, "")
        self.set_names("nobody")

    def set_names(self, names):
        with STAND.superuser() as primary:
            primary.run(f"alter system set synchronous_standby_names = '{names}'")
            primary.run("select pg_reload_conf()")
            eventually(lambda: primary.value("show synchronous_standby_names") == names, 10, "the primary has read it")
        if names:
            eventually(self.commits_wait, 10, "its checkpointer, too, from which the others know that they have to wait")

    @staticmethod
    def commits_wait():
        with STAND.superuser() as probe:
            probe.send(wire.query("select pg_logical_emit_message(true, 'probe', '')"))
            waits = not is_answered(probe, within=0.2)
            if waits:
                probe.cancel()
            probe.answer().checked()
            return waits

    def waiting(self):
        """The process that waits; None for none."""
        with STAND.superuser() as primary:
            return primary.run("select pid from pg_stat_activity where wait_event = 'SyncRep' and datname = 'tests'")

    def start(self, writer, *statements):
        for statement in statements[:-1]:
            writer.run(statement)
        writer.send(wire.query(statements[-1]))
        return eventually(self.waiting, 10, "the commit waits for a replica")[0][0]

    def test_a_cancelled_wait_is_a_commit_that_everybody_sees(self):  # B19, D13
        insert = "insert into seen values (1)"
        for statements, tag in (((insert,), "INSERT 0 1"), (("begin", insert, "commit"), "COMMIT")):
            with self.subTest(statements=statements), login() as writer, login() as reader, self.frozen():
                before = read(reader)
                self.start(writer, *statements)
                self.assertEqual(read(reader), before)
                writer.cancel()
                answer = writer.answer()
                self.assertEqual((answer.errors, answer.tags, answer.status), ([], [tag], "I"))
                self.assertEqual([(notice["S"], notice["C"]) for notice in writer.notices], [("WARNING", "01000")])
                for client in (reader, writer):
                    self.assertEqual(read(client), (before[0] + 1, "primary"))
                    self.assertEqual(where(client)[1], "own_write")

    def test_a_replica_shows_what_the_primary_does_not_show_yet(self):  # D8, as CONSISTENCY.md says.
        with login() as writer, login() as reader:
            before = read(reader)[0]
            self.start(writer, "insert into seen values (1)")
            eventually(lambda: read(reader) == (before + 1, "replica"), 10, "the replica has replayed it")
            self.assertEqual(read(reader, "/* fairlead.route=primary */"), (before, "primary"))
            writer.cancel()
            writer.answer().checked()
            self.assertEqual(read(reader, "/* fairlead.route=primary */"), (before + 1, "primary"))

    def test_a_commit_whose_server_is_lost_is_unknown_and_not_repeated(self):  # E21
        for statements in (("insert into seen values (1)",), ("begin", "insert into seen values (1)", "commit")):
            with self.subTest(statements=statements), login() as reader, STAND.superuser() as primary:
                before = read(reader, "/* fairlead.route=primary */")[0]
                with contextlib.closing(login()) as writer:
                    pid = self.start(writer, *statements)
                    primary.run(f"select pg_terminate_backend({pid}, 5000)")
                    answer = writer.answer()
                    self.assertEqual(([error["C"] for error in answer.errors], answer.status), (["08007"], "I"))
                    self.assertEqual(writer.run("select 1"), [("1",)])  # The connection has survived.
                self.assertEqual(read(reader, "/* fairlead.route=primary */")[0], before + 1)


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"max_lag": "1min", "freshness_wait": "20ms"})
