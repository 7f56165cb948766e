#!/usr/bin/python3
"""One server for all: what holds it for its client, and that whoever has it next finds nothing of who left, in whatever state
that was: A51, C12d, C13-C17, C22, C23, C25, F23, F28, F29, F31, F41, F50; C18."""
import contextlib
import os
import signal
import socket
import struct
import sys
import time
import unittest

import wire
from stand.interceptor import Detainer
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None
COUNT = "select count(*) from marks"
LINGER_0 = struct.pack("ii", 1, 0)  # close() sends a reset.


def login(**options):
    return wire.Connection.login(STAND.address, timeout=20, **options)


def where(client):
    """(target, reason) of the last statement."""
    target, _, reason = client.run("show fairlead.last_route")[0][:3]
    return target, reason


def executed(sql, portal="", max_rows=0):
    """By the unnamed statement."""
    return wire.parse(sql) + wire.bind(portal=portal) + wire.execute(portal, max_rows)


class Case(unittest.TestCase):
    def setUp(self):
        with login() as client:
            client.run("drop table if exists marks; create table marks (n int)")
            eventually(lambda: client.run(COUNT) and where(client)[0] == "replica", 10, "reads go to the replica")


@only_proxied
class Held(Case):
    def test_who_is_held_reads_from_that_server_only(self):  # C13-C17, C22
        temporary, locked = "create temp table mine (n int)", "select pg_advisory_lock(7)"
        held, prepared = "begin; declare c cursor with hold for select 1; commit", "prepare mine as select 1; select 1"
        for take, give in (
            (temporary, "drop table mine"), (temporary, "discard temp"), ("listen news", "unlisten news"),
            ("listen news", "unlisten *"), (locked, "select pg_advisory_unlock(7)"), (locked, "select pg_advisory_unlock_all()"),
            (held, "close c"), (held, "close all"), (prepared, "deallocate mine"), (prepared, "deallocate all"),
            (f"{temporary}; listen news; {prepared}", "discard all"),
        ):
            with self.subTest(take=take, give=give), login() as client:
                client.run(take)
                for hint in ("", "/* fairlead.route=replica */", "/* fairlead.consistency=eventual */"):
                    self.assertEqual(client.value(f"{hint} {COUNT}"), "0")
                    self.assertEqual(where(client), ("primary", "pinned"), hint)
                client.run("set fairlead.route = 'replica'")
                client.run("begin read only")
                client.prepared(COUNT)
                self.assertEqual(where(client)[0], "primary")
                client.run("commit")
                client.run("reset fairlead.route")
                client.run(give)
                self.assertEqual((client.value(COUNT), where(client)[0]), ("0", "replica"))

    def test_a_temporary_table_hides_the_other_one_of_its_name(self):  # A51
        with login() as client:
            client.run("create temp table marks as select 7 as n")
            for hint in ("", "/* fairlead.route=replica */") * 2:
                self.assertEqual(client.run(f"{hint} select n from marks"), [("7",)])
            client.run("drop table pg_temp.marks")
            self.assertEqual(client.run("select n from marks"), [])

    def test_nobody_is_told_the_number_of_another_client(self):  # C18
        create = "create table if not exists numbered (id serial, parent int)"
        insert, last, current = "insert into numbered default values", "select lastval()", "select currval('numbered_id_seq')"
        child = "insert into numbered (parent) values (currval('numbered_id_seq'))"
        with login() as client, login() as other:
            client.run(create)
            mine = client.value(f"{insert} returning id")
            other.run(insert)
            for question in (last, current, child, f"select 1; {last}", f"{last}; {insert}"):
                with self.subTest(question=question):
                    answer = client.query(question)
                    self.assertEqual((answer.kinds, answer.errors[0]["C"], answer.status), ("EZ", "55000", "I"))
            for question in (last, current, child):
                with self.subTest(question=question):
                    answer = client.extended(executed(question), executed("insert into marks values (1)"))
                    self.assertEqual((answer.kinds, answer.errors[0]["C"], answer.status), ("12EZ", "55000", "I"))
            client.run("begin")
            answer = client.query(last)
            self.assertEqual((answer.errors[0]["C"], answer.status), ("55000", "E"))
            client.run("rollback")
            self.assertEqual(other.value(COUNT), "0")
            own = client.value(f"{insert}; {last}")
            self.assertGreater(int(own), int(mine) + 1)
            answer = client.extended(executed(insert), executed(last))
            self.assertEqual(answer.rows, [(str(int(own) + 1),)])
            client.run("begin")
            client.run(insert)
            self.assertEqual(client.value(last), client.value(current))
            client.run(child)
            client.run("commit")
            client.run("create temp table mine (n int)")  # Holds the server.
            client.run(insert)
            self.assertEqual(client.value(last), client.value(current))

    def test_a_transaction_that_took_no_number_is_told_none(self):  # C18
        insert, last, current = "insert into numbered default values", "select lastval()", "select currval('numbered_id_seq')"
        with login() as client:
            client.run("create table if not exists numbered (id serial, parent int); drop table if exists counted;"
                       "create table counted (id serial)")
        untaken = "delete from marks"
        asked = {
            "at once": lambda client, question: client.query(f"{untaken}; {question}"),
            "in a segment": lambda client, question: client.extended(executed(untaken), executed(question)),
            "later": lambda client, question: (client.run("begin"), client.run(untaken), client.query(question))[-1],
            "later, unnamed": lambda client, question:
                (client.run("begin"), client.extended(executed(untaken)), client.extended(executed(question)))[-1],
            "amid a pipeline": lambda client, question:
                (client.run("begin"), client.send(wire.query(untaken) + wire.query(question)), client.answer(), client.answer())[-1],
            "behind a number of its own": lambda client, question:
                (client.run("begin"), client.run("insert into counted default values"), client.query(current))[-1],
            "on a server of its own": lambda client, question: (client.run("listen news"), client.query(question))[-1],
        }
        for way, ask in asked.items():
            for known, question in ((False, last), (True, current)):  # Whether somebody has asked before.
                if way == "behind a number of its own" and not known:
                    continue  # docs/STATUS.md
                proxy = Proxy(STAND, {"proxy": {"workers": 1}, "database": {"pool_size": 1}})
                with self.subTest(way=way, known=known), contextlib.ExitStack() as closing:
                    closing.callback(proxy.stop)
                    client, other = (closing.enter_context(wire.Connection.login(proxy.address)) for _ in range(2))
                    if known:
                        other.query(last)
                    other.run(insert)
                    answer = ask(client, question)
                    self.assertEqual((answer.rows, [error["C"] for error in answer.errors]), ([], ["55000"]))

    def test_nor_by_what_asks_for_a_number_unseen(self):  # C18
        current = "currval(''numbered_id_seq'')"
        with login() as client:
            client.run(f"""drop table if exists linked, with_parent; drop view if exists latest;
                drop function if exists link, of_link;
                create table if not exists numbered (id serial, parent int);
                create function of_link() returns bigint stable language sql as 'select {current}';
                create function link() returns trigger language plpgsql as 'begin new.parent := of_link(); return new; end';
                create table linked (parent bigint);
                create trigger link before insert on linked for each row execute function link();
                create table with_parent (n int, parent bigint default currval('numbered_id_seq'));
                create view latest as select lastval() as n""")
        # One server, of which the proxy knows from the start what its functions do.
        proxy = Proxy(STAND, {"proxy": {"workers": 1}, "database": {"pool_size": 1}})
        self.addCleanup(proxy.stop)
        insert = "insert into numbered default values"
        with wire.Connection.login(proxy.address) as client, wire.Connection.login(proxy.address) as other:
            eventually(lambda: client.value(COUNT) == "0" and where(client)[0] == "replica", 10, "the catalog is known")
            for asks in ("insert into linked values (1) returning parent", "insert into with_parent values (1) returning parent",
                         "select n from latest", "select of_link()", "do 'begin perform lastval(); end'"):
                for begin in ("", "begin; delete from marks"):
                    with self.subTest(asks=asks, begin=begin):
                        other.run(insert)
                        client.query(begin)
                        self.assertEqual([error["C"] for error in client.query(asks).errors], ["55000"])
                        client.query("rollback")
                        client.run("begin")
                        own = client.value(f"{insert} returning id")
                        self.assertIn(client.query(asks).rows, ([(own,)], []) if asks.startswith("do") else ([(own,)],))
                        client.run("commit")

    def test_the_first_who_asks_is_told_the_number_of_its_transaction(self):  # C18
        insert, last = "insert into numbered default values", "select lastval()"
        with login() as client:
            client.run("create table if not exists numbered (id serial, parent int)")
        proxy = Proxy(STAND, {"proxy": {"workers": 1}, "database": {"pool_size": 1}})
        self.addCleanup(proxy.stop)
        with wire.Connection.login(proxy.address) as client, wire.Connection.login(proxy.address) as other:
            for begin in ("begin", "begin isolation level serializable"):
                other.run(insert)
                client.run(begin)
                own = client.value(f"{insert} returning id")
                client.run("savepoint s")
                self.assertEqual((client.value(last), client.value("select currval('numbered_id_seq')")), (own, own))
                client.run("rollback to s")
                self.assertEqual(client.value(last), own)
                client.run("commit")

    def test_suspended_portals_go_on_and_die_with_their_transaction(self):  # C12d
        rows = "select n from generate_series(1, 9) n"
        for begin in ("begin", "begin read only"):
            with self.subTest(begin=begin), login() as client:
                client.run(begin)
                first = client.extended(executed(rows, "a", 4), executed(f"{rows} order by n desc", "b", 1))
                self.assertEqual((first.kinds, first.status), ("12s12sZ", "T"))
                self.assertEqual(first.rows, [("1",), ("2",), ("3",), ("4",), ("9",)])
                self.assertEqual(client.extended(wire.execute("b", 2)).rows, [("8",), ("7",)])
                last = client.extended(wire.execute("a", 4), wire.execute("a", 4), wire.execute("a", 4))
                self.assertEqual((last.kinds, last.rows), ("sCCZ", [(str(n),) for n in range(5, 10)]))
                client.run("commit")
                client.run(begin)
                self.assertEqual(client.extended(wire.execute("b", 2)).errors[0]["C"], "34000")
                client.run("rollback")

    def test_what_a_portal_does_counts_in_whichever_request_it_is_executed(self):  # C2, C4, C12d, C15, F23
        setting, lock = "select set_config('app.held', '7', false) from generate_series(1, 3)", "select pg_advisory_lock(7)"
        with login() as client:
            client.send(wire.parse("set app.held = '7'") + wire.bind() + wire.FLUSH)
            self.assertEqual((client.next()[0], client.next()[0]), (b"1", b"2"))
            self.assertEqual(client.extended(wire.execute()).tags, ["SET"])
            self.assertEqual(client.value("show app.held"), "7")
        with login() as client:
            client.run("begin")
            client.extended(executed(setting, "c", 1)).checked()
            client.run("commit")
            self.assertEqual(client.value("show app.held"), "7")
        with login() as client:
            client.run("begin")
            client.extended(wire.parse(lock), wire.bind(portal="c")).checked()
            client.extended(wire.execute("c", 10)).checked()
            client.run("commit")
            client.run(COUNT)
            self.assertEqual(where(client), ("primary", "pinned"))
        with login() as other:  # Whoever has one of their servers now.
            self.assertIn(other.value("/* fairlead.route=primary */ select current_setting('app.held', true)"), (None, ""))
            eventually(lambda: other.value("select pg_try_advisory_lock(7)") == "t", 10, "nobody has the lock")

    def test_a_hint_of_a_prepared_statement_counts_for_each_execution(self):  # A7
        with login() as client:
            client.extended(wire.parse(f"/* fairlead.route=primary */ {COUNT}", "hinted"), wire.describe(b"S", "hinted")).checked()
            client.extended(wire.parse(COUNT, "plain"), wire.describe(b"S", "plain")).checked()
            for _ in range(2):
                for name, target in (("plain", "replica"), ("hinted", "primary")):
                    client.extended(wire.bind(statement=name), wire.execute()).checked()
                    self.assertEqual(where(client)[0], target, name)

    def test_a_client_that_leaves_amid_notifications_leaves_a_clean_server(self):  # C25, F26
        flood = "select count(pg_notify('news', n || repeat('x', 7900))) from generate_series(1, 200) n"
        with STAND.superuser(database="tests") as elsewhere:
            for _ in range(10):
                with login() as listener:
                    listener.run("listen news")
                    elsewhere.send(wire.query(flood))
                    self.assertEqual(listener.read()[0], b"A")
                elsewhere.answer().checked()
        with login() as client:
            self.assertEqual(client.value("/* fairlead.route=primary */ select count(*) from pg_listening_channels()"), "0")

    def test_outside_of_a_transaction_a_portal_ends_with_its_segment(self):  # C12d
        with login() as client:
            for portal in ("", "a"):
                answer = client.extended(executed("select n from generate_series(1, 9) n", portal, 3), wire.execute(portal, 3))
                self.assertEqual((answer.kinds, answer.rows), ("12ssZ", [(str(n),) for n in range(1, 7)]))
                refused = client.extended(wire.execute(portal, 3))
                self.assertEqual((refused.errors[0]["C"], refused.status), ("34000", "I"))
            self.assertEqual(client.run("select 1"), [("1",)])

    def test_flush_is_answered_at_once_and_keeps_the_server(self):  # F23
        with login() as client, login() as other:
            client.send(executed("insert into marks values (1)") + wire.FLUSH)
            self.assertEqual([client.next()[0] for _ in "12C"], [b"1", b"2", b"C"])
            other.send(wire.query("insert into marks values (2)"))  # There is one server, and it is not free.
            client.send(executed("table marks") + wire.FLUSH)
            self.assertEqual([client.next() for _ in "12DC"][2], (b"D", struct.pack("!hi", 1, 1) + b"1"))
            client.send(wire.SYNC)
            self.assertEqual(client.answer().status, "I")
            self.assertEqual(other.answer().tags, ["INSERT 0 1"])

    def test_a_function_call_is_the_primarys(self):  # F28
        with login() as client:
            pg_is_in_recovery = 3810
            client.send(wire.message(b"F", struct.pack("!ihhh", pg_is_in_recovery, 0, 0, 0)))
            self.assertEqual(client.next(), (b"V", struct.pack("!i", 1) + b"f"))
            self.assertEqual(client.answer().status, "I")

    def test_results_are_described_as_the_primary_describes_them(self):  # F31
        described = []
        with login() as client, contextlib.closing(wire.Connection.login(STAND.node_address(0))) as direct:
            for connection in (client, direct):
                connection.send(wire.parse("select n, $1::numeric(5, 2) as m from marks") + wire.describe(b"S") + wire.SYNC)
                described.append([connection.next() for _ in "1tTZ"])
        self.assertEqual(described[0], described[1])
        self.assertEqual([kind for kind, _ in described[0]], [b"1", b"t", b"T", b"Z"])


def in_segment(client):
    """An INSERT that is complete, but not committed: its Sync is missing."""
    client.send(executed("insert into marks values (1)") + wire.FLUSH)
    while client.next()[0] != b"C":
        pass


def in_copy(client):
    client.send(wire.query("copy marks from stdin"))
    client.next()
    client.send(wire.copy_data(b"1\n2\n"))


def in_extended_copy(client):
    client.send(executed("copy marks from stdin") + wire.SYNC)
    while client.next()[0] != b"G":
        pass
    client.send(wire.copy_data(b"1\n"))


def in_result(client):
    client.send(wire.query("select repeat('x', 1000) from generate_series(1, 10000000)"))
    client.read_bytes(100_000)


def held(sql):
    """By a server that has been asked what it holds, and is not being asked when the client leaves."""
    return lambda client: (client.run(sql), client.run("select 1"))


SLOW = "insert into marks select 1 from pg_sleep(60)"


def in_statement(client, messages):
    """It runs. What has not begun yet when its client leaves could not be cancelled, and would be carried out."""
    client.send(messages)
    with STAND.superuser() as primary:
        running = "select count(*) from pg_stat_activity where state = 'active' and query like 'insert into marks select%'"
        eventually(lambda: primary.value(running) == "1", 10, "the statement runs")


# What a client does before it leaves. After it nothing may be there that was not before.
STATES = {
    "nothing": lambda client: None,
    "transaction": lambda client: (client.run("begin"), client.run("insert into marks values (1)")),
    "transaction that servers do not know": lambda client: client.run("begin"),
    "failed transaction": lambda client: (client.run("begin; insert into marks values (1)"), client.query("select 1/0")),
    "savepoints": lambda client: client.run("begin; insert into marks values (1); savepoint s; lock table marks"),
    "replica's transaction": lambda client: (client.run("begin read only"), client.run(COUNT)),
    "temporary objects": held("create temp table mine (n int); create temp view theirs as table mine"),
    "temporary object in a transaction": lambda client: client.run("begin; create temp table mine (n int)"),
    "listen": held("listen news"),
    "listen, just now": lambda client: client.run("listen news"),
    "advisory locks": held("select pg_advisory_lock(1), pg_advisory_lock(1), pg_advisory_lock_shared(2)"),
    "advisory lock of a transaction": lambda client: client.run("begin; select pg_advisory_lock(1), pg_advisory_xact_lock(2)"),
    "cursor with hold": held("begin; declare c cursor with hold for select 1; commit"),
    "prepared by sql": held("prepare mine as select 1; select 1"),
    "settings": lambda client: client.run(
        "set work_mem = '7MB'; set application_name = 'mine'; set timezone = 'Asia/Tokyo'; set search_path = pg_catalog;"
        "set session characteristics as transaction isolation level serializable; set role mate; set my.own = 'mine'"),
    "settings in a transaction": lambda client: client.run("begin; set work_mem = '7MB'; set local timezone = 'Asia/Tokyo'"),
    "settings unseen": lambda client: client.run("do $$begin perform set_config('work_mem', '7MB', false); end$$"),
    "all at once": lambda client: client.run(
        "listen news; create temp table mine (n int); select pg_advisory_lock(1); set work_mem = '7MB'; prepare mine as select 1"),
    "copy": in_copy,
    "copy by messages": in_extended_copy,
    "result": in_result,
    "segment": in_segment,
    "suspended portal": lambda client: (
        client.run("begin; insert into marks values (1)"), client.extended(executed("table pg_class", "p", 2))),
    "suspended portal of a segment": lambda client: client.send(executed("table pg_class", "p", 2) + wire.FLUSH),
    "half a query": lambda client: client.send(wire.query("insert into marks values (1)")[:12]),
    "half a segment": lambda client: client.send(executed("insert into marks values (1)")[:-3]),
    "half a query in a transaction": lambda client: (
        client.run("begin; insert into marks values (1)"), client.send(wire.query("commit")[:8])),
    "statement": lambda client: in_statement(client, wire.query(SLOW)),
    "statement of a segment": lambda client: in_statement(client, executed(SLOW) + wire.SYNC),
    "unread answers": lambda client: client.send(wire.query("begin") + wire.query("insert into marks values (1)") * 20),
}


def left_by_terminate(client):
    client.send(wire.TERMINATE)
    client.close()


def left_by_reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    client.close()


@only_proxied
class Left(Case):
    """PostgreSQL takes Terminate amid a COPY or a message for part of it, or not at all; the end of the connection counts."""

    @classmethod
    def setUpClass(cls):
        with STAND.superuser() as primary:
            primary.run("drop role if exists mate; create role mate; grant mate to tester")

    def find_nothing(self, defaults):
        with login() as client:
            # As soon as the server is free, and not when some time limit has passed.
            client.run("begin; lock table marks in access exclusive mode; commit")
            for question, expected in defaults.items():
                answer = client.value(f"/* fairlead.route=primary */ {question}")
                self.assertIn(answer, (expected, "") if expected is None else (expected,), question)
        with STAND.superuser() as primary:
            locked = "select count(*) from pg_locks where locktype = 'advisory'"
            busy = "select count(*) from pg_stat_activity where usename = 'tester' and state <> 'idle'"
            for held in (locked, busy):  # A server that was closed may need a moment to notice.
                eventually(lambda: primary.value(held) == "0", 5, held)

    def defaults(self):
        with STAND.superuser(database="tests") as primary:
            found = {f"show {name}": primary.value(f"show {name}")
                     for name in ("work_mem", "timezone", "search_path", "default_transaction_isolation")}
        return {
            **found, COUNT: "0", "show application_name": "", "select current_user = session_user": "t",
            "select current_setting('my.own', true)": None, "select to_regclass('mine')": None,
            "select to_regclass('theirs')": None, "select count(*) from pg_listening_channels()": "0",
            "select count(*) from pg_cursors where is_holdable": "0",
            "select count(*) from pg_prepared_statements where name not like 'fl\\_%'": "0",
        }

    def test_whoever_comes_next_finds_nothing_of_who_left(self):  # C23, C25, F29
        defaults = self.defaults()
        for state, reach in STATES.items():
            for leave in (left_by_terminate, wire.Connection.close, left_by_reset):
                with self.subTest(state=state, leave=leave.__name__):
                    with login() as client:
                        client.run("truncate marks")
                    client = login()
                    self.addCleanup(client.close)
                    reach(client)
                    leave(client)
                    self.find_nothing(defaults)

    def test_who_leaves_while_the_server_is_looked_at_takes_no_server_along(self):  # C4, C25
        backends = "select string_agg(backend_start::text, ' ') from pg_stat_activity where usename = 'tester'"
        with STAND.superuser() as primary:
            with login() as client:
                client.run("insert into marks values (1)")
            before = primary.value(backends)
            for text in ("do 'begin end'", "set work_mem = '1MB'; do 'begin end'", "select pg_advisory_lock(5)", "create temp table mine (n int)"):
                for _ in range(10):
                    client = login()
                    client.run(text)  # Its answer is there before what Fairlead asks behind it.
                    client.send(wire.TERMINATE)
                    client.close()
            with login() as client:
                client.run("insert into marks values (1)")
            self.assertEqual(primary.value(backends), before)

    def test_a_server_that_died_while_nobody_had_it_is_not_used(self):  # F50
        with login() as client, STAND.superuser() as primary:
            for _ in range(10):
                client.run("insert into marks values (1)")
                # Its end and the next statement arrive at the same moment.
                os.kill(STAND.proxy_pid, signal.SIGSTOP)
                try:
                    primary.run("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'tester'")
                    client.send(wire.query("insert into marks values (1)"))
                finally:
                    os.kill(STAND.proxy_pid, signal.SIGCONT)
                self.assertEqual(client.answer().checked().tags, ["INSERT 0 1"])


def unread_of(ports):
    """Bytes that have arrived from these ports of this machine, and that nobody has read."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return sum(int(row[4].split(":")[1], 16) for row in rows if int(row[2].split(":")[1], 16) in ports)


def is_all_read(ports):
    """As soon as nothing moves any more."""
    seen = []
    while len(seen) < 10 or len(set(seen[-10:])) > 1:
        seen.append(unread_of(ports))
        time.sleep(0.02)
    return seen[-1] == 0


@only_proxied
class Cancelled(unittest.TestCase):
    def setUp(self):
        self.detainer = Detainer(STAND.nodes[0]["port"])
        self.addCleanup(self.detainer.stop)
        nodes = [{**STAND.nodes[0], "port": self.detainer.port}]
        self.proxy = Proxy(STAND, {"database": {"pool_size": 1, "pool_timeout": "30s"}}, nodes=nodes)
        self.addCleanup(self.proxy.stop)

    def login(self):
        return wire.Connection.login(self.proxy.address, timeout=30)

    def test_a_cancel_that_is_on_its_way_for_long_hits_nobody_else(self):  # F41
        detainer = self.detainer
        running = "select count(*) from pg_stat_activity where state = 'active' and query = 'select pg_sleep({})'"
        with self.login() as one, self.login() as other:
            with STAND.superuser() as primary:
                one.send(wire.query("select pg_sleep(1)"))
                eventually(lambda: primary.value(running.format(1)) == "1", 10, "it runs")
                before = detainer.kept  # Of clients that left before the catalog was known.
                one.cancel()
                one.answer().checked()
                self.assertEqual(detainer.kept, before + 1)
                other.send(wire.query("select pg_sleep(2)"))
                eventually(lambda: primary.value(running.format(2)) == "1", 10, "the other one's runs")
                detainer.let_go.set()
                other.answer().checked()

    def test_a_server_whose_last_client_does_not_read_is_read_for_the_next_one(self):  # F20, F41
        ports = (self.detainer.port, STAND.nodes[0]["port"])
        state = "select count(*) from pg_stat_activity where usename = 'tester' and state = '{}' and query like 'select pg_sleep(0.2)%'"
        with STAND.superuser() as primary:
            # Where the client's sockets are full at the very end of its result is not known before.
            for size in range(3 * 1024 * 1024, 6 * 1024 * 1024, 48 * 1024):
                with self.login() as deaf, self.login() as other:
                    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    self.detainer.let_go.clear()
                    deaf.send(wire.query(f"select pg_sleep(0.2), repeat('x', {size})"))
                    eventually(lambda: primary.value(state.format("active")) == "1", 10, "it runs")
                    deaf.cancel()
                    eventually(lambda: primary.value(state.format("active")) == "0", 10, "it has run")
                    if not is_all_read(ports):
                        break  # From this size on the server itself waits for its client.
                    self.detainer.let_go.set()
                    self.assertEqual(other.value("select 1"), "1", size)
            else:
                self.fail("sockets hold more here: no result was too large, so nothing was tried")
            self.detainer.let_go.set()

    def test_who_leaves_without_reading_its_answer_leaves_its_server_behind(self):  # C25, F20
        ports, backend = (self.detainer.port, STAND.nodes[0]["port"]), "select pg_backend_pid()"
        has_run = "select count(*) from pg_stat_activity where state = 'idle in transaction' and query like 'select repeat(%'"
        with STAND.superuser() as primary:
            for size in range(3 * 1024 * 1024, 6 * 1024 * 1024, 48 * 1024):  # As above.
                with self.login() as deaf, self.login() as other:
                    before = other.value(backend)
                    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    deaf.run("begin")
                    deaf.send(wire.query(f"select repeat('x', {size})"))
                    eventually(lambda: primary.value(has_run) == "1" or not is_all_read(ports), 20, "it has run, or waits for its client")
                    if not is_all_read(ports):
                        break
                    deaf.send(wire.TERMINATE)
                    self.assertEqual(other.value(backend), before, size)
            else:
                self.fail("sockets hold more here: no result was too large, so nothing was tried")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"pool_size": 1, "pool_timeout": "10s", "max_lag": "1min"})
