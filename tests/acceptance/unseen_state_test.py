#!/usr/bin/python3
"""What functions and triggers leave in a session unseen does not outlive its transaction's end on the server (C4, C13, C15, C16)."""
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually

STAND = None
SETUP = """
create table plain (n int);
create table audited (n int);
create function set_tenant(text) returns text language plpgsql as
  $$begin perform set_config('app.tenant', $1, false); return $1; end$$;
create function enter(text) returns text language sql as 'select set_tenant($1)';
create function on_audited() returns trigger language plpgsql as $$begin set app.tenant = 'trigger'; return new; end$$;
create trigger audit before insert on audited for each row execute function on_audited();
create function harmless(int) returns int language plpgsql as
  $$begin update plain set n = n + 1 where n = $1; return $1; end$$;
create function lock_all() returns void language sql as 'select pg_advisory_lock(7)';
create function unlock_all() returns void language sql as 'select pg_advisory_unlock_all()';
create function open_cursor() returns void language plpgsql as
  $$begin execute 'declare mine cursor with hold for select 1'; end$$;
create function make_temp() returns void language plpgsql as $$begin create temp table scratch (n int); end$$;
"""
LEAVING = ("select set_tenant('42')", "select enter('42')", "insert into audited values (1)",
           "begin; select set_tenant('42'); commit", "select n from (select set_tenant('42') as n) x")


def setUpModule():
    with wire.Connection.login(STAND.address, timeout=60) as client:
        client.run(SETUP)
        eventually(lambda: reason_of(client, "select harmless(1)") == "volatile_function", 20, "the catalog is loaded")


def reason_of(client, statement):
    client.run(statement)
    return client.run("show fairlead.last_route")[0][2]


def tenant(client):
    return client.run("/* fairlead.route=primary */ select current_setting('app.tenant', true)")[0][0]


@only_proxied
class UnseenState(unittest.TestCase):
    def test_a_setting_of_a_function_or_a_trigger_reaches_nobody_else(self):  # C4
        for statement in LEAVING:
            with self.subTest(statement), wire.Connection.login(STAND.address) as one, \
                    wire.Connection.login(STAND.address) as other:
                one.run(statement)
                self.assertIn(tenant(other), (None, ""))
                if ";" not in statement:
                    one.prepared(statement)
                    self.assertIn(tenant(other), (None, ""))

    def test_a_seed_for_random_reaches_nobody_else(self):  # C19
        with STAND.superuser() as server:
            chosen = server.run("select setseed(0.5); select random()")[-1][0]
        for seed in ("select setseed(0.5)", "set seed to 0.5", "select set_config('seed', '0.5', false)",
                     "do $$begin perform setseed(0.5); end$$"):
            with self.subTest(seed), wire.Connection.login(STAND.address) as one, wire.Connection.login(STAND.address) as other:
                self.assertEqual(one.run(f"begin; {seed}; select random()")[-1][0], chosen)
                one.run("commit")
                self.assertNotEqual(other.run("/* fairlead.route=primary */ select random()")[0][0], chosen)
                one.run(seed)
                self.assertNotEqual(other.run("/* fairlead.route=primary */ select random()")[0][0], chosen)

    def test_within_its_transaction_it_holds(self):  # C4
        with wire.Connection.login(STAND.address) as client:
            client.run("begin")
            client.run("select set_tenant('42')")
            self.assertEqual(tenant(client), "42")
            client.run("commit")

    def test_a_lock_of_a_function_is_held_until_it_is_given_back(self):  # C15
        with wire.Connection.login(STAND.address) as one, STAND.superuser(database="tests") as server:
            one.run("select lock_all()")
            self.assertEqual(server.run("select pg_try_advisory_lock(7)"), [("f",)])
            one.run("insert into plain values (1)")
            self.assertEqual(server.run("select pg_try_advisory_lock(7)"), [("f",)])
            one.run("select unlock_all()")
            self.assertEqual(server.run("select pg_try_advisory_lock(7)"), [("t",)])

    def test_no_lock_is_taken_on_a_replica(self):  # C15, C22
        for lock in ("select pg_advisory_lock(7)", "select pg_try_advisory_lock(7)", "select pg_advisory_xact_lock(7)"):
            with self.subTest(lock), wire.Connection.login(STAND.address) as one:
                for statement in ("begin read only", "select n from plain"):
                    one.run(statement)
                self.assertEqual(one.run("show fairlead.last_route")[0][0], "replica")
                refused = one.query(lock)
                self.assertEqual((refused.errors[0]["C"], refused.status), ("25006", "E"))
                one.run("rollback")
                one.run("insert into plain values (1)")
                one.run("begin read only")
                one.run(lock)
                self.assertEqual(one.run("show fairlead.last_route")[0][0], "primary")
                one.run("commit; select pg_advisory_unlock_all()")

    def test_a_lock_of_a_function_on_a_replica_does_not_keep_the_client_there(self):  # C22
        with wire.Connection.login(STAND.address) as one:
            for statement in ("begin read only", "select n from plain", "select lock_all()", "commit"):
                one.run(statement)
            one.run("insert into plain values (1)")
            self.assertEqual(one.run("show fairlead.last_route")[0][0], "primary")
            for statement in ("begin read only", "select lock_all()"):
                one.run(statement)
            self.assertEqual(one.run("show fairlead.last_route")[0][0], "primary")
            one.run("commit; select unlock_all()")

    def test_what_outlives_a_read_only_transaction_is_kept_by_no_replica(self):  # B3, C14, C17, C20, C22
        text = "prepare p as select 1"
        for name, send in (
            ("cursor", lambda one: one.query("declare c cursor with hold for select n from plain")),
            ("prepare by the extended protocol", lambda one: one.extended(wire.parse(text), wire.bind(), wire.execute())),
            ("prepare beside others", lambda one: one.query(f"{text}; select 1")),
            ("library", lambda one: one.query("load 'nothing'")),
        ):
            with self.subTest(name), wire.Connection.login(STAND.address) as one:
                one.run("begin read only")
                send(one)
                one.run("commit")
                self.assertEqual(one.run("show fairlead.last_route")[0][0], "primary")
                one.run("insert into plain values (1)")
            self.expect_refusal(send)

    def expect_refusal(self, send):
        """By a transaction that is on a replica already."""
        with wire.Connection.login(STAND.address) as one:
            for statement in ("begin read only", "select n from plain"):
                one.run(statement)
            self.assertEqual(one.run("show fairlead.last_route")[0][0], "replica")
            refused = send(one)
            self.assertEqual((refused.errors[0]["C"], refused.status), ("25006", "E"))
            self.assertIn("that reads from a replica", refused.errors[0]["M"])
            one.run("rollback")
            one.run("insert into plain values (1)")
            self.assertEqual(one.run("show fairlead.last_route")[0][0], "primary")

    def test_a_cursor_of_a_function_on_a_replica_does_not_keep_the_client_there(self):  # C22
        with wire.Connection.login(STAND.address) as one:
            for statement in ("begin read only", "select n from plain", "select open_cursor()", "commit"):
                one.run(statement)
            one.run("insert into plain values (1)")
            self.assertEqual(one.run("show fairlead.last_route")[0][0], "primary")

    def test_what_acts_on_a_server_or_needs_its_transaction_ids_acts_on_the_primary(self):  # A19, B3
        with STAND.superuser() as server:
            server.run("grant pg_execute_server_program to tester")
        program = "copy (select 1) to program 'cat > /dev/null'"
        for statement in (program, f"select 1; {program}", "select txid_current()", "select pg_current_xact_id()", "analyze plain"):
            with self.subTest(statement), wire.Connection.login(STAND.address) as one:
                one.run("begin read only")
                one.run(statement)
                self.assertEqual(one.run("show fairlead.last_route")[0][0], "primary")
                one.run("commit")
        for statement in (program, f"select 1; {program}", "analyze plain", "checkpoint"):
            with self.subTest(statement):
                self.expect_refusal(lambda one, text=statement: one.query(text))

    def test_attribute_notation_is_a_call(self):  # A40, C15
        with wire.Connection.login(STAND.address) as one, STAND.superuser(database="tests") as server:
            for lock in ("select (7).pg_advisory_lock", "select g.pg_advisory_lock from generate_series(7, 7) g"):
                harmless = "select (7).pg_try_advisory_xact_lock"
                eventually(lambda: reason_of(one, harmless) == "advisory_lock", 10, "the catalog is loaded")
                self.assertEqual(reason_of(one, lock), "advisory_lock")
                self.assertEqual(server.run("select pg_try_advisory_lock(7)"), [("f",)])
                one.run("insert into plain values (1)")
                self.assertEqual(server.run("select pg_try_advisory_lock(7)"), [("f",)])
                one.run("select pg_advisory_unlock_all()")
            runs = "select ('select ''a''::tsvector'::text).ts_stat"
            self.assertEqual(reason_of(one, runs), "dynamic_sql_function")

    def test_a_temporary_table_of_a_function_stays_with_its_client(self):  # C13
        with wire.Connection.login(STAND.address) as one:
            one.run("select make_temp()")
            for _ in range(3):
                one.run("insert into scratch values (1)")
            self.assertEqual(one.run("select count(*) from scratch"), [("3",)])
            one.run("drop table scratch")

    def test_a_function_that_leaves_nothing_costs_nothing(self):  # C4
        with wire.Connection.login(STAND.address) as one, STAND.superuser(database="tests") as server:
            for statement, last in (("select harmless(1)", 1), ("select set_tenant('harmless(1)')", 0)):
                one.run(statement)
                asked = "select count(*) from pg_stat_activity where query = $a${}$a$ and pid <> pg_backend_pid()"
                eventually(lambda: server.run(asked.format(statement)) == [(str(last),)], 5, f"{statement} was the last")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"pool_size": 1, "consistency": "eventual"})
