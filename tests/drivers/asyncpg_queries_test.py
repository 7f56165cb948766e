"""asyncpg: the extended protocol at its most eager: named statements for everything, binary values, introspection."""
import asyncio
import datetime
import decimal
import unittest
import uuid

import asyncpg

from driver_case import ADDRESS, fresh, only_proxied

LOGIN = {
    "host": ADDRESS.host, "port": ADDRESS.port, "user": ADDRESS.user, "password": ADDRESS.password,
    "database": ADDRESS.database, "timeout": 20,
}


class AsyncpgQueries(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # unittest's debugging makes it several times slower.
        self.connection = await self.connect()

    async def connect(self, **options):
        connection = await asyncpg.connect(**{**LOGIN, **options})

        async def end():
            if not connection.is_closed():
                await connection.close(timeout=10)

        self.addAsyncCleanup(end)
        return connection

    async def test_values_of_many_types_in_binary(self):
        utc = datetime.timezone.utc
        for kind, value in (
            ("int2", -3), ("int8", -(2**62)), ("float8", 1.5), ("numeric", decimal.Decimal("123456789.000000001")),
            ("bool", True), ("text", ""), ("text", "žluťoučký 漢字 🐘"), ("bytea", b"\x00\xff" * 9), ("text", None),
            ("date", datetime.date(2024, 2, 29)), ("timestamptz", datetime.datetime(2024, 7, 1, 12, 0, 1, 5, tzinfo=utc)),
            ("interval", datetime.timedelta(days=3, seconds=7)), ("uuid", uuid.UUID(int=7)), ("int4[]", [1, None, 3]),
            ("text[]", ["a,b", "{}"]), ("jsonb", '{"č": [1]}'), ("int4range", asyncpg.Range(1, 5)),
        ):
            with self.subTest(kind=kind):
                self.assertEqual(await self.connection.fetchval(f"select $1::{kind}", value), value)

    async def test_types_of_ones_own_are_looked_up(self):
        name = fresh("mood")
        await self.connection.execute(f"create type {name} as enum ('sad', 'glad')")
        await self.connection.execute(f"create type {name}_pair as (a {name}, b int[])")
        # The driver asks the catalogue about both, with jit switched off by set_config() and on again.
        jit = await self.connection.fetchval("show jit")
        for connection in (self.connection, await self.connect()):
            pair = await connection.fetchval(f"select ('glad', '{{1,2}}')::{name}_pair")
            self.assertEqual((pair["a"], pair["b"]), ("glad", [1, 2]))
            self.assertEqual(await connection.fetchval(f"select $1::{name}[]", ["sad", "glad"]), ["sad", "glad"])
            self.assertEqual(await connection.fetchval("show jit"), jit)

    async def test_type_codecs_are_set_as_sqlalchemy_does(self):
        for name in ("json", "jsonb"):
            await self.connection.set_type_codec(
                name, encoder=lambda text: text, decoder=lambda text: "decoded " + text, schema="pg_catalog"
            )
        self.assertEqual(await self.connection.fetchval("select '[1]'::json"), "decoded [1]")

    async def test_a_megabyte_and_ten_thousand_rows(self):
        text = "0123456789abcdeř" * 65536
        self.assertEqual(await self.connection.fetchval("select $1::text", text), text)
        rows = await self.connection.fetch("select n, 'row ' || n as t from generate_series(1, 10000) n")
        self.assertEqual([(row["n"], row["t"]) for row in rows], [(n, f"row {n}") for n in range(1, 10001)])

    async def test_sql_prepare_by_one_protocol_and_execute_by_the_other(self):  # C12c
        name = fresh("prepared")
        await self.connection.execute(f"prepare {name}(int) as select $1 * 2 as doubled")
        others = [await self.connect() for _ in range(4)]
        for number, other in enumerate(others):  # The same name, and another statement behind it.
            await other.execute(f"prepare {name}(int) as select $1 + {number}")

        async def run(connection, compute):
            for n in range(20):
                self.assertEqual(await connection.fetchval(f"execute {name}({n})"), compute(n))
                async with connection.transaction():
                    self.assertEqual(await connection.fetchval(f"execute {name}(1)"), compute(1))

        await asyncio.gather(
            run(self.connection, lambda n: n * 2),
            *(run(other, lambda n, number=number: n + number) for number, other in enumerate(others)),
        )
        statement = await self.connection.prepare(f"execute {name}(21)")
        self.assertEqual(await statement.fetchval(), 42)
        self.assertEqual([column.name for column in statement.get_attributes()], ["doubled"])
        await self.connection.execute(f"deallocate {name}")
        await self.connection.execute(f"prepare {name}(int) as select $1 * 3 as doubled")
        self.assertEqual(await statement.fetchval(), 63)
        await self.connection.execute(f"deallocate {name}")
        with self.assertRaises(asyncpg.InvalidSQLStatementNameError):
            await statement.fetchval()
        with self.assertRaises(asyncpg.InvalidSQLStatementNameError):
            await self.connection.fetchval(f"execute {name}(1)")

    async def test_what_a_prepared_statement_refuses_is_told_where_it_is_executed(self):
        name = fresh("prepared")
        await self.connection.execute(f"create table {name} (n int); insert into {name} values (1)")
        await self.connection.execute(f"prepare {name} as select n from {name}")
        self.assertEqual(await self.connection.fetchval(f"execute {name}"), 1)
        await self.connection.execute(f"drop table {name}")
        for other in [self.connection] * 3:
            with self.assertRaises(asyncpg.UndefinedTableError):
                await other.fetchval(f"execute {name}")
        self.assertEqual(await self.connection.fetchval("select 1"), 1)

    async def test_many_statements_beyond_the_drivers_cache(self):
        connection = await self.connect(statement_cache_size=20)
        for _ in range(3):
            for n in range(60):
                self.assertEqual(await connection.fetchval(f"select $1::int + {n}", n), 2 * n)

    async def test_a_statement_can_be_held_and_described(self):
        statement = await self.connection.prepare("select $1::int as number, $2::text as name")
        self.assertEqual([p.name for p in statement.get_parameters()], ["int4", "text"])
        self.assertEqual([a.name for a in statement.get_attributes()], ["number", "name"])
        for n in range(50):
            self.assertEqual(tuple(await statement.fetchrow(n, str(n))), (n, str(n)))

    async def test_a_forgotten_statement_is_prepared_again(self):
        for forget in ("deallocate all", "discard all"):
            self.assertEqual(await self.connection.fetchval("select $1::int * 2", 2), 4)
            await self.connection.execute(forget)
            # The driver does not know; PostgreSQL says 26000 once, and the driver recovers by itself or is told to.
            with self.assertRaises(asyncpg.InvalidSQLStatementNameError):
                await self.connection.fetchval("select $1::int * 2", 2)
            await self.connection.reload_schema_state()
            self.assertEqual(await self.connection.fetchval("select $1::int * 2", 3), 6)

    async def test_writes_are_read_at_once_by_all_connections(self):
        table, other = fresh("own"), await self.connect()
        await self.connection.execute(f"create table {table} (n int)")
        for n in range(1, 101):
            self.assertEqual(await self.connection.execute(f"insert into {table} values ($1)", n), "INSERT 0 1")
            self.assertEqual(await self.connection.fetchval(f"select count(*) from {table}"), n)
            self.assertEqual(await other.fetchval(f"select max(n) from {table}"), n)

    async def test_executemany_is_all_or_nothing(self):
        table = fresh("many")
        await self.connection.execute(f"create table {table} (n int primary key)")
        await self.connection.executemany(f"insert into {table} values ($1)", [(n,) for n in range(5000)])
        self.assertEqual(await self.connection.fetchval(f"select count(*) from {table}"), 5000)
        with self.assertRaises(asyncpg.UniqueViolationError):
            await self.connection.executemany(f"insert into {table} values ($1)", [(6000,), (5,), (6001,)])
        self.assertEqual(await self.connection.fetchval(f"select count(*) from {table}"), 5000)

    async def test_cursors_need_and_end_with_their_transaction(self):
        async with self.connection.transaction():
            seen = [row[0] async for row in self.connection.cursor("select generate_series(1, $1)", 1000, prefetch=70)]
            self.assertEqual(seen, list(range(1, 1001)))
            cursor = await self.connection.cursor("select generate_series(1, 100)")
            self.assertEqual(await cursor.forward(10), 10)
            self.assertEqual((await cursor.fetchrow())[0], 11)
            self.assertEqual(len(await cursor.fetch(1000)), 89)
        self.assertEqual(await self.connection.fetchval("select 1"), 1)

    async def test_scripts_are_simple_queries(self):
        table = fresh("script")
        await self.connection.execute(f"create table {table} (n int); insert into {table} values (1), (2)")
        with self.assertRaises(asyncpg.DivisionByZeroError):
            await self.connection.execute(f"insert into {table} values (3); select 1/0")
        self.assertEqual(await self.connection.fetchval(f"select count(*) from {table}"), 2)
        for nothing in ("", ";", "-- nothing"):
            self.assertEqual(await self.connection.fetch(nothing), [])

    async def test_errors_carry_their_fields(self):
        table = fresh("errors")
        await self.connection.execute(f"create table {table} (n int constraint {table}_positive check (n > 0))")
        with self.assertRaises(asyncpg.CheckViolationError) as caught:
            await self.connection.execute(f"insert into {table} values ($1)", -1)
        self.assertEqual((caught.exception.constraint_name, caught.exception.table_name), (f"{table}_positive", table))
        with self.assertRaises(asyncpg.PostgresSyntaxError) as caught:
            await self.connection.fetch("select * form x")
        self.assertEqual(caught.exception.position, "10")

    async def test_copy_in_and_out(self):
        table = fresh("copied")
        await self.connection.execute(f"create table {table} (n int, t text)")
        rows = [(n, None if n % 3 else f"text {n}") for n in range(5000)]
        self.assertEqual(await self.connection.copy_records_to_table(table, records=rows), "COPY 5000")
        taken = []

        async def take(data):
            taken.append(data)

        await self.connection.copy_from_query(f"select * from {table} where n < $1 order by n", 2, output=take)
        self.assertEqual(b"".join(taken), b"0\ttext 0\n1\t\\N\n")

        async def source():
            for n in range(50 * 16):
                yield b"%d\t%s\n" % (n, b"x" * 65536)

        self.assertEqual(await self.connection.copy_to_table(table, source=source()), "COPY 800")
        with self.assertRaises(asyncpg.BadCopyFileFormatError):
            await self.connection.copy_to_table(table, source=self.broken_rows())
        self.assertEqual(await self.connection.fetchval(f"select count(*) from {table}"), 5800)
        await self.connection.execute(f"drop table {table}")

    @staticmethod
    async def broken_rows():
        for n in range(2000):
            yield b"%d\tgood\n" % n if n != 700 else b"1\ttoo\tmany\n"

    @only_proxied
    async def test_reads_go_to_replicas(self):
        for _ in range(500):  # Until a replica has what the tests before have written.
            await self.connection.fetchval("select 1")
            if (await self.connection.fetchrow("show fairlead.last_route"))["target"] == "replica":
                break
            await asyncio.sleep(0.01)
        for n in range(20):
            self.assertEqual(await self.connection.fetchval("select $1::int", n), n)
            route = await self.connection.fetchrow("show fairlead.last_route")
            self.assertEqual(route["target"], "replica", route["reason"])

    async def test_queries_of_many_connections_at_once_are_not_mixed_up(self):
        async def work(number):
            connection = await self.connect()
            for n in range(40):
                want = f"{number}/{n}"
                self.assertEqual(await connection.fetchval(f"select $1::text || ' of {number}'", want), f"{want} of {number}")

        await asyncio.gather(*(work(number) for number in range(32)))
