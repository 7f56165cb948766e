#!/usr/bin/python3
"""What the configuration says about names: trusted_extensions and the lists for replicas and for the primary (A46, A54, A56)."""
import itertools
import json
import subprocess
import sys
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually
from stand.proxy import Proxy

STAND = None
UNSEEN_S = 20  # The polling interval, and replicas that replay what was created.
_NUMBERS = itertools.count()

LISTS = {
    "trusted_extensions": ["shapes"],
    "replica_functions": ["price_*", "next_slot"],
    "primary_functions": ["next_slot"],
    "replica_relations": ["remote_*"],
    "primary_relations": ["accounts", "remote_secrets"],
}

SETUP = """
create table plain (n int);
insert into plain values (1);
create table accounts (n int);
create view over_accounts as select n from accounts;
create view over_over as select n from over_accounts;
create table parted (n int) partition by list (n);
create table parted_1 partition of parted for values in (1);
create view over_parted as select n from parted;
create function price_of(int) returns int volatile language sql as 'select $1';
create view prices as select price_of(n) from plain;
create function next_slot() returns int stable language sql as 'select 1';
create view slots as select next_slot() as n from plain;
create unlogged table remote_unlogged (n int);
"""
FOREIGN = """
create extension postgres_fdw;
create server elsewhere foreign data wrapper postgres_fdw options (host '{0}', port '{1}', dbname 'tests');
create user mapping for tester server elsewhere options (user 'tester', password '{2}');
grant usage on foreign server elsewhere to tester;
set role tester;
create foreign table remote_plain (n int) server elsewhere options (table_name 'plain');
create foreign table remote_secrets (n int) server elsewhere options (table_name 'plain');
create foreign table archive (n int) server elsewhere options (table_name 'plain');
create view over_remote as select n from remote_plain;
"""
# Real code in C with types, operators, casts and operator classes, under a name that nobody has reviewed.
SHAPES = "begin; create extension cube; update pg_extension set extname = 'shapes' where extname = 'cube'; commit"
NO_SHAPES = "begin; update pg_extension set extname = 'cube' where extname = 'shapes'; drop extension cube; commit"

PLAIN = "select n as {} from plain"
# (a read, where it goes with the lists, where without)
READS = (
    (PLAIN, ("replica", "read"), ("replica", "read")),
    ("select price_of(n) as {} from plain", ("replica", "read"), ("primary", "volatile_function")),
    ("select count(*) as {} from prices", ("replica", "read"), ("primary", "unsafe_view")),
    ("select next_slot() as {}", ("primary", "primary_list"), ("replica", "read")),
    ("select count(*) as {} from slots", ("primary", "primary_list"), ("replica", "read")),
    ("select n as {} from accounts", ("primary", "primary_list"), ("replica", "read")),
    ("select n as {} from public.accounts", ("primary", "primary_list"), ("replica", "read")),
    ("select n as {} from over_over", ("primary", "primary_list"), ("replica", "read")),
    ("select n as {} from remote_plain", ("replica", "read"), ("primary", "primary_relation")),
    ("select n as {} from over_remote", ("replica", "read"), ("primary", "primary_relation")),
    ("select n as {} from remote_secrets", ("primary", "primary_list"), ("primary", "primary_relation")),
    ("select n as {} from archive", ("primary", "primary_relation"), ("primary", "primary_relation")),
    ("select n as {} from remote_unlogged", ("primary", "primary_relation"), ("primary", "primary_relation")),
)


def routed(client, read):
    """(target, reason) of a statement of a shape that nobody has met: nothing was learnt of it yet (A44)."""
    errors = client.query(read.format(f"column_{next(_NUMBERS)}")).errors
    if errors:
        return "error", errors[0]["C"]
    target, _, reason = client.run("show fairlead.last_route")[0][:3]
    return target, reason


def becomes(proxy, client, read, expected):
    seen = []

    def has_become():
        seen[:] = routed(client, read)
        return tuple(seen) == expected

    try:
        eventually(has_become, UNSEEN_S, f"{read} goes to {expected}")
    except AssertionError as error:
        raise AssertionError(f"{error}, but to {seen}\n{proxy.log()[-2000:]}") from None


@only_proxied
class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.listed = Proxy(STAND, sections={"cluster": LISTS, "database": {"max_lag": "1min", "consistency": "eventual"}})
        cls.addClassCleanup(cls.listed.stop)
        node = STAND.nodes[0]
        with wire.Connection.login(STAND.address, STAND.address.primary_port) as client:
            client.run(SETUP)
        with STAND.superuser(database="tests") as server:
            server.run(FOREIGN.format(node["host"], node["port"], STAND.address.password))

    def setUp(self):
        self.client = wire.Connection.login(self.listed.address, timeout=20)
        self.addCleanup(self.client.close)
        self.without = wire.Connection.login(STAND.address, timeout=20)
        self.addCleanup(self.without.close)

    def test_the_lists_count_for_what_is_named_and_for_what_reads_or_calls_it(self):  # A54, A56
        for read, listed, without in READS:
            with self.subTest(read):
                becomes(self.listed, self.client, read, listed)
                becomes(STAND, self.without, read, without)

    def test_a_partition_on_the_list_takes_what_it_is_part_of_along(self):  # A45, A56
        for read in ("select n as {} from parted", "select n as {} from over_parted"):
            becomes(self.listed, self.client, read, ("replica", "read"))
        with STAND.superuser(database="tests") as server:
            server.run("alter table parted_1 rename to accounts_1; alter table accounts rename to accounts_0")
            server.run("alter table accounts_1 rename to accounts")
            for read in ("select n as {} from parted", "select n as {} from over_parted"):
                becomes(self.listed, self.client, read, ("primary", "primary_list"))
            server.run("alter table accounts rename to parted_1; alter table accounts_0 rename to accounts")

    def test_an_extension_that_nobody_knows_keeps_all_reads_on_the_primary_until_it_is_trusted(self):  # A46
        with STAND.superuser(database="tests") as server:
            server.run(SHAPES)
            self.addCleanup(self._without_shapes)
            becomes(STAND, self.without, PLAIN, ("primary", "unsafe_type"))
            self.assertRegex(STAND.log(), "all reads of database \"tests\" go to the primary: unsafe_type "
                                          r"\(public.cube of extension shapes\)\. .*name it in trusted_extensions")
            becomes(self.listed, self.client, "select cube_dim(cube(n, 2)) as {} from plain", ("replica", "read"))
            for read in (PLAIN, "select '(1,2)'::cube && '(2,3)'::cube as {}", "select cube(n, n) as {} from plain order by 1",
                         "select c as {} from (select '(1)'::cube as c) x group by c"):
                self.assertEqual(routed(self.client, read), ("replica", "read"), read)
            self.assertNotIn("all reads of database", self.listed.whole_log())

    @staticmethod
    def _without_shapes():
        with STAND.superuser(database="tests") as server:
            server.run(NO_SHAPES)

    def test_no_extension_of_postgresql_keeps_other_reads_on_the_primary(self):  # A46
        with STAND.superuser(database="tests") as server:
            server.run("create database extended")
        with STAND.superuser(database="extended") as server:
            server.run("create table plain (n int); grant select on plain to public")
            names = [row[0] for row in server.run("select name from pg_available_extensions where installed_version is null")]
            self.assertGreater(len(names), 40)
            for name in names:
                server.run(f'create extension if not exists "{name}" cascade')
            server.run("create function last_of_all() returns int stable language sql as 'select 1'")
        with wire.Connection.login(STAND.address, database="extended", timeout=20) as client:
            becomes(STAND, client, "select last_of_all() as {}", ("replica", "read"))
            for read in (PLAIN, "select n as {} from plain where n between 1 and 2 order by n", "select lower('A') as {}"):
                self.assertEqual(routed(client, read), ("replica", "read"), read)
        self.assertNotIn("all reads of database \"extended\"", STAND.log())

    def test_a_database_whose_catalog_cannot_be_read_keeps_its_relations_on_the_primary(self):  # G1, A56
        with STAND.superuser(database="tests") as server:
            monitor = STAND.monitor()["monitor_user"]
            server.run("create database closed")
            server.run("revoke connect on database closed from public; grant connect on database closed to tester")
            self.assertEqual(server.run(f"select has_database_privilege('{monitor}', 'closed', 'connect')"), [("f",)])
        with STAND.superuser(database="closed") as server:
            server.run("create table accounts (n int); grant select on accounts to tester;"
                       " create view over_accounts as select n from accounts; grant select on over_accounts to tester")
        for address in (STAND.address, self.listed.address) * 3:
            with wire.Connection.login(address, database="closed", timeout=20) as client:
                for read in ("select n as {} from accounts", "select n as {} from over_accounts"):
                    self.assertEqual(routed(client, read), ("primary", "catalog_loading"), read)

    def test_explain_knows_the_lists(self):
        for read, listed, without in READS:
            for config, expected in ((self.listed.config, listed), (STAND.config, without)):
                with self.subTest(read, config=config):
                    found = self._explained(config, read.format("x"))
                    self.assertEqual((found["target"], found["reason"]), expected)
        found = self._explained(self.listed.config, "select n, next_slot() from over_over")
        self.assertEqual((found["functions"], found["objects"]), (["next_slot"], ["over_over"]))

    @staticmethod
    def _explained(config, text):
        done = subprocess.run([STAND.binary, "explain", "-c", config, "--database", "tests", "--json", text],
                              capture_output=True, text=True, timeout=30, check=True)
        return json.loads(done.stdout)


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1, database={"max_lag": "1min", "consistency": "eventual"})
