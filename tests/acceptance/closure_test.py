#!/usr/bin/python3
"""What writes without being called by name: views, policies, operators, casts, domains (A41, A45), and how soon DDL counts (A42)."""
import itertools
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually

STAND = None
SEEN_S = 4  # Less than the polling interval: only DDL that the proxy has seen counts as soon.
UNSEEN_S = 15
_NUMBERS = itertools.count()

SETUP = """
create table notes (n int);
create table plain (n int);
insert into plain values (1);
create table guarded (n int);
insert into guarded values (1);
alter table guarded enable row level security;
alter table guarded force row level security;
create policy everybody on guarded using (true);
create sequence numbers;
create function note(int, int) returns bool volatile language sql as
  'insert into notes values ($1) returning true';
create function note(text) returns int volatile language sql as
  'insert into notes values (1) returning n';
create function same(int, int) returns bool immutable language sql as 'select $1 = $2';
create function same(text, text) returns bool volatile language sql as
  'insert into notes values (1) returning true';
create type mood as enum ('good', 'bad');
create function to_mood(int) returns mood volatile language sql as
  'insert into notes values ($1) returning ''good''::mood';
create view harmless as select n from plain;
create function numbered(text default 'none') returns text stable language sql as 'select $1';
"""

# name: (what makes it, what ends it, a read of it that works before and afterwards, the reason)
NAMED = {
    "a view of a function that writes": (
        "create or replace view trap as select n from plain where note(n, n)",
        "create or replace view trap as select n from plain", "select count(*) as {} from trap", "unsafe_view"),
    "a view of a view": (
        "create or replace view inner_trap as select n from plain where note(n, n);"
        " create or replace view trap as select n from inner_trap",
        "create or replace view inner_trap as select n from plain", "select count(*) as {} from trap", "unsafe_view"),
    "a view of nextval()": (
        "create or replace view trap as select nextval('numbers')::int as n",
        "create or replace view trap as select n from plain", "select count(n) as {} from trap", "unsafe_view"),
    "a view of a lock": (
        "create or replace view trap as select n from plain where pg_try_advisory_xact_lock(7)",
        "create or replace view trap as select n from plain", "select count(*) as {} from trap", "unsafe_view"),
    "a view of what one server does": (
        "create or replace view trap as select pid as n from pg_stat_activity",
        "create or replace view trap as select n from plain", "select count(*) as {} from trap", "system_catalog"),
    "a view of the catalog": (
        "create or replace view trap as select relnatts::int as n from pg_class",
        "create or replace view trap as select n from plain", "select count(*) as {} from trap", "system_catalog"),
    "a view of an operator": (
        "create operator ### (leftarg = int, rightarg = int, function = note);"
        " create or replace view trap as select n from plain where n ### n",
        "create or replace view trap as select n from plain; drop operator ### (int, int)",
        "select count(*) as {} from trap", "unsafe_view"),
    "a policy": (
        "alter policy everybody on guarded using (note(n, n))", "alter policy everybody on guarded using (n > 0)",
        "select count(*) as {} from guarded", "unsafe_policy"),
    "a view over a table with a policy": (
        "alter policy everybody on guarded using (note(n, n)); create or replace view trap as select n from guarded",
        "alter policy everybody on guarded using (true)", "select count(*) as {} from trap", "unsafe_policy"),
    "an operator with an overload that writes": (
        "create operator ~=~= (leftarg = text, rightarg = text, function = same)", "drop operator ~=~= (text, text)",
        "select count(*) as {} from plain where n ~=~= n", "unsafe_operator"),
    "an operator that BETWEEN means": (
        "create operator >= (leftarg = mood, rightarg = int, function = moody)", "drop operator >= (mood, int)",
        "select count(*) as {} from plain where n between 1 and 2", "unsafe_operator"),
    "an operator whose negator writes": (
        "create operator !~=~= (leftarg = int, rightarg = int, function = note, negator = ~=~=)",
        "drop operator !~=~= (int, int)", "select count(*) as {} from plain where n ~=~= n", "unsafe_operator"),
    "an aggregate that calls one": (
        "drop aggregate if exists gather(int); create aggregate gather(int) (sfunc = gather_step, stype = int, initcond = 0)",
        "drop aggregate gather(int); create aggregate gather(int) (sfunc = int4pl, stype = int, initcond = 0)",
        "select gather(n) as {} from plain", "volatile_function"),
    "a default of an argument": (
        "create or replace function numbered(text default nextval('numbers')) returns text stable language sql as 'select $1'",
        "create or replace function numbered(text default 'none') returns text stable language sql as 'select $1'",
        "select numbered() as {}", "volatile_function"),
}
SETUP += """
create function moody(mood, int) returns bool volatile language sql as
  'insert into notes values ($2) returning true';
create function gather_step(int, int) returns int volatile language sql as
  'insert into notes values ($2) returning n';
create operator ~=~= (leftarg = int, rightarg = int, function = same);
create table moods (m mood);
"""

# What no text names, so that it concerns every read of the database.
UNNAMED = {
    "a cast that is asked for": ("create cast (int as mood) with function to_mood", "drop cast (int as mood)", "unsafe_cast"),
    "a cast that nobody asks for": (
        "create cast (int as mood) with function to_mood as implicit", "drop cast (int as mood)", "unsafe_cast"),
    "a domain's CHECK": (
        "create domain noted as int check (note(value, value))", "drop domain noted", "unsafe_domain"),
    "a CHECK that a domain gets later": (
        "create domain later as int; alter domain later add constraint c check (note(value, 1))",
        "alter domain later drop constraint c", "unsafe_domain"),
}


def login(**options):
    return wire.Connection.login(STAND.address, timeout=20, **options)


def routed(client, read):
    """(target, reason) of a statement of a shape that nobody has met: nothing was learnt of it yet (A44)."""
    errors = client.query(read.format(f"column_{next(_NUMBERS)}")).errors
    if errors:  # At this level of consistency a replica may be in the middle of replaying the DDL.
        return "error", errors[0]["C"]
    target, _, reason = client.run("show fairlead.last_route")[0][:3]
    return target, reason


@only_proxied
class Closure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with login() as client:
            client.run(SETUP)
            cls.becomes(client, "select count(*) as {} from plain", ("replica", "read"), UNSEEN_S)

    @staticmethod
    def becomes(client, read, expected, within=SEEN_S):
        seen = []

        def has_become():
            seen[:] = routed(client, read)
            return tuple(seen) == expected

        try:
            eventually(has_become, within, f"{read} goes to {expected}")
        except AssertionError as error:
            raise AssertionError(f"{error}, but to {seen}\n{STAND.log()[-2000:]}") from None

    def plain_reads_are_the_replicas(self, client):
        self.assertEqual(routed(client, "select n as {} from plain where n = 1"), ("replica", "read"))
        self.assertEqual(routed(client, "select count(*) as {} from harmless"), ("replica", "read"))

    def test_what_a_text_names_goes_to_the_primary_and_comes_back(self):  # A41, A45
        for name, (make, end, read, reason) in NAMED.items():
            with self.subTest(name), login() as client:
                client.run(make)
                self.becomes(client, read, ("primary", reason))
                if reason != "unsafe_operator":  # BETWEEN and its like would be among them.
                    self.plain_reads_are_the_replicas(client)
                client.run(end)
                self.becomes(client, read, ("replica", "read"))

    def test_what_no_text_names_sends_all_reads_to_the_primary_until_it_is_gone(self):  # A41
        for name, (make, end, reason) in UNNAMED.items():
            with self.subTest(name), login() as client:
                client.run(make)
                self.becomes(client, "select count(*) as {} from plain", ("primary", reason))
                self.assertEqual(routed(client, "select m as {} from moods"), ("primary", reason))
                client.run(end)
                self.becomes(client, "select count(*) as {} from plain", ("replica", "read"))
        self.assertIn("all reads of database \"tests\" go to the primary: unsafe_cast (from integer to public.mood)", STAND.log())

    def test_ddl_in_a_transaction_counts_from_its_commit_on(self):  # A42, B12
        make, end, read, reason = NAMED["a view of a view"]
        with login() as client, login() as other:
            for _ in range(3):  # By chance the catalog is asked for anew just then.
                for commit in ("commit", "commit and chain"):
                    for ddl, route in ((make, ("primary", reason)), (end, ("replica", "read"))):
                        for statement in ("begin", ddl, "select 1", commit):
                            client.run(statement)
                        self.becomes(other, read, route)
                        client.run("rollback")

    def test_what_was_made_a_moment_ago_is_the_primarys_at_once(self):  # G1, A42, A45
        with login() as client, login() as other:
            for number in range(5):
                client.run(f"create view fresh_{number} as select n from plain where note(n, n)")
                self.assertEqual(routed(other, f"select count(*) as {{}} from fresh_{number}")[0], "primary")
                client.run(f"create or replace view fresh_{number} as select n from plain")
                self.becomes(other, f"select count(*) as {{}} from fresh_{number}", ("replica", "read"))
                client.run(f"create or replace view fresh_{number} as select n from plain where note(n, n)")
                self.assertEqual(routed(other, f"select count(*) as {{}} from fresh_{number}")[0], "primary")
            self.assertEqual(routed(other, "select 1 as {} from nobody_s")[0], "error")

    def test_ddl_that_the_proxy_has_not_seen_counts_soon(self):  # A42
        names = ("a view of a view", "a policy", "an operator with an overload that writes", "an aggregate that calls one",
                 "a default of an argument")
        with login() as client, STAND.superuser(database="tests") as elsewhere:
            elsewhere.run("set role tester")
            for name in names:
                elsewhere.run(NAMED[name][0])
            for name in names:
                self.becomes(client, NAMED[name][2], ("primary", NAMED[name][3]), UNSEEN_S)
            for name in names:
                elsewhere.run(NAMED[name][1])
            for name in names:
                self.becomes(client, NAMED[name][2], ("replica", "read"), UNSEEN_S)
            for make, end, reason in list(UNNAMED.values())[1:3]:
                elsewhere.run(make)
                self.becomes(client, "select n as {} from plain", ("primary", reason), UNSEEN_S)
                elsewhere.run(end)
                self.becomes(client, "select n as {} from plain", ("replica", "read"), UNSEEN_S)

    def test_an_operator_class_that_writes_sends_all_reads_to_the_primary(self):  # A41
        with login() as client, STAND.superuser(database="tests") as elsewhere:  # Only a superuser can make one.
            elsewhere.run("create function compare(int, int) returns int volatile language sql as 'select 0';"
                          " create operator class noted_ops for type int using btree as function 1 compare(int, int)")
            self.becomes(client, "select n as {} from plain", ("primary", "unsafe_operator_class"), UNSEEN_S)
            elsewhere.run("drop operator family noted_ops using btree; drop function compare")
            self.becomes(client, "select n as {} from plain", ("replica", "read"), UNSEEN_S)

    def test_the_traps_are_traps(self):
        """A replica refuses them, or worse: it runs them."""
        with login() as client, wire.Connection.login(STAND.node_address(1)) as replica:
            client.run("create view reads_trap as select n from plain where note(n, n)")
            client.run("alter policy everybody on guarded using (note(n, n))")
            client.run("create view locks_trap as select n from plain where pg_try_advisory_xact_lock(7)")
            eventually(lambda: not replica.query("select from locks_trap").errors, 10, "the replica has replayed")
            for statement in ("table reads_trap", "table guarded"):
                [error] = replica.query(statement).errors
                self.assertEqual(error["C"], "25006", statement)
            client.run("drop view reads_trap, locks_trap; alter policy everybody on guarded using (true)")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"max_lag": "1min", "consistency": "eventual"})
