"""asyncpg: transactions, cancelling, its pool with the reset query, listeners, settings."""
import asyncio
import time
import unittest

import asyncpg

from asyncpg_queries_test import LOGIN
from driver_case import fresh


class AsyncpgSessions(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        self.connection = await self.connect()
        self.table = fresh("async")
        await self.connection.execute(f"create table {self.table} (n int primary key)")

    async def connect(self, **options):
        connection = await asyncpg.connect(**{**LOGIN, **options})

        async def end():
            if not connection.is_closed():
                await connection.close(timeout=10)

        self.addAsyncCleanup(end)
        return connection

    async def pool(self, size):
        pool = await asyncpg.create_pool(min_size=1, max_size=size, **LOGIN)
        self.addAsyncCleanup(pool.close)
        return pool

    async def numbers(self):
        return [row["n"] for row in await self.connection.fetch(f"select n from {self.table} order by n")]

    async def insert(self, n):
        await self.connection.execute(f"insert into {self.table} values ($1)", n)

    async def test_nested_transactions(self):
        async with self.connection.transaction():
            await self.insert(1)
            with self.assertRaises(asyncpg.UniqueViolationError):
                async with self.connection.transaction():
                    await self.insert(2)
                    await self.insert(1)
            await self.insert(3)
        with self.assertRaises(asyncpg.DivisionByZeroError):
            async with self.connection.transaction():
                await self.insert(4)
                await self.connection.fetch("select 1/0")
        self.assertEqual(await self.numbers(), [1, 3])

    async def test_isolation_and_read_only(self):
        for level in ("read_committed", "repeatable_read", "serializable"):
            async with self.connection.transaction(isolation=level, readonly=True, deferrable=level == "serializable"):
                self.assertEqual(await self.connection.fetchval("show transaction_isolation"), level.replace("_", " "))
                with self.assertRaises(asyncpg.ReadOnlySQLTransactionError):
                    async with self.connection.transaction():
                        await self.insert(1)

    async def test_a_query_that_takes_too_long_is_cancelled(self):
        for _ in range(3):
            began = time.monotonic()
            with self.assertRaises(asyncio.TimeoutError):
                await self.connection.fetch("select pg_sleep(30)", timeout=0.3)
            self.assertLess(time.monotonic() - began, 10)
            self.assertEqual(await self.connection.fetchval("select 42"), 42)

    async def test_a_task_that_is_cancelled_takes_its_query_with_it(self):
        for _ in range(3):
            task = asyncio.create_task(self.connection.fetch("select pg_sleep($1)", 30))
            await asyncio.sleep(0.3)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual(await self.connection.fetchval("select 43"), 43)

    async def test_a_cancel_inside_a_transaction_fails_it_only(self):
        transaction = self.connection.transaction()
        await transaction.start()
        await self.insert(1)
        with self.assertRaises(asyncio.TimeoutError):
            await self.connection.fetch("select pg_sleep(30)", timeout=0.3)
        with self.assertRaises(asyncpg.InFailedSQLTransactionError):
            await self.connection.fetchval("select 1")
        await transaction.rollback()
        self.assertEqual(await self.numbers(), [])

    async def test_timeouts_beside_each_other_hit_only_their_own(self):
        pool = await self.pool(8)

        async def slow():
            with self.assertRaises(asyncio.TimeoutError):
                await pool.fetchval("select pg_sleep(20)", timeout=0.2)

        async def quick(n):
            for _ in range(20):
                self.assertEqual(await pool.fetchval("select $1::int", n), n)

        await asyncio.gather(*(slow() for _ in range(12)), *(quick(n) for n in range(12)))

    async def test_the_pool_resets_what_its_users_set(self):
        pool = await self.pool(1)
        zone = await pool.fetchval("show timezone")
        channel = fresh("pooled")
        for n in range(10):
            async with pool.acquire() as connection:
                self.assertEqual(await connection.fetchval("show timezone"), zone)
                self.assertEqual(await connection.fetchval("select current_setting('app.tenant', true)") or "", "")
                self.assertEqual(await connection.fetchval("select count(*) from pg_listening_channels()"), 0)
                self.assertTrue(await connection.fetchval("select pg_try_advisory_lock(hashtext($1))", channel))
                await connection.execute(f"set timezone = 'Asia/Tokyo'; set app.tenant = 'tenant {n}'")
                await connection.execute(f"listen {channel}")
                self.assertEqual(await connection.fetchval("select current_setting('app.tenant')"), f"tenant {n}")
        self.assertTrue(await self.connection.fetchval("select pg_try_advisory_xact_lock(hashtext($1))", channel))

    async def test_the_pool_serves_many_tasks(self):
        pool = await self.pool(10)

        async def work(number):
            for n in range(10):
                async with pool.acquire() as connection, connection.transaction():
                    key = number * 100 + n
                    await connection.execute(f"insert into {self.table} values ($1)", key)
                    self.assertEqual(await connection.fetchval(f"select n from {self.table} where n = $1", key), key)

        await asyncio.gather(*(work(number) for number in range(50)))
        self.assertEqual(len(await self.numbers()), 500)

    async def test_listeners_hear(self):
        channel, heard, done = fresh("async_channel"), [], asyncio.Event()

        def on_notify(_connection, _pid, _channel, payload):
            heard.append(payload)
            if len(heard) == 3:
                done.set()

        await self.connection.add_listener(channel, on_notify)
        other = await self.connect()
        for word in ("one", "dvě", "3"):
            await other.execute("select pg_notify($1, $2)", channel, word)
        await asyncio.wait_for(done.wait(), 10)
        self.assertEqual(heard, ["one", "dvě", "3"])
        await self.connection.remove_listener(channel, on_notify)
        await other.execute("select pg_notify($1, 'late')", channel)
        self.assertEqual(await self.connection.fetchval("select 1"), 1)
        self.assertEqual(len(heard), 3)

    async def test_log_listeners_get_notices(self):
        heard = []
        self.connection.add_log_listener(lambda _connection, message: heard.append(message.message))
        await self.connection.execute("do $$ begin raise notice 'hello'; end $$")
        await asyncio.sleep(0)
        self.assertEqual(heard, ["hello"])

    async def test_server_settings_are_startup_parameters(self):
        settings = {"application_name": "asy", "search_path": "pg_catalog", "timezone": "Asia/Tokyo", "app.tenant": "t",
                    "statement_timeout": "43210"}
        connection = await self.connect(server_settings=settings)
        self.assertEqual(connection.get_settings().application_name, "asy")
        for _ in range(5):
            for name, value in {**settings, "statement_timeout": "43210ms"}.items():
                self.assertEqual(await connection.fetchval("select current_setting($1)", name), value)
        await connection.execute("set app.tenant = 'other'")
        await connection.reset()
        self.assertEqual(await connection.fetchval("show app.tenant"), "t")
        self.assertEqual(await connection.fetchval("show timezone"), "Asia/Tokyo")

    async def test_reported_settings_follow_transactions(self):
        zone = self.connection.get_settings().TimeZone
        with self.assertRaises(ZeroDivisionError):
            async with self.connection.transaction():
                await self.connection.execute("set timezone = 'Asia/Tokyo'")
                self.assertEqual(self.connection.get_settings().TimeZone, "Asia/Tokyo")
                raise ZeroDivisionError
        self.assertEqual(self.connection.get_settings().TimeZone, zone)

    async def test_sqlalchemys_ping_and_reset(self):
        for _ in range(5):
            await self.connection.execute("BEGIN;")
            self.assertEqual(await (await self.connection.prepare(";")).fetch(), [])
            await self.connection.execute("ROLLBACK;")
            await self.connection.execute("BEGIN;")
            self.assertEqual(await self.connection.fetchval("select current_schema()"), "public")
            self.assertEqual(await self.connection.fetchval("show standard_conforming_strings"), "on")
            await self.connection.execute("COMMIT;")
            await self.connection.reset()

    async def test_a_client_that_is_cut_off_leaves_no_lock(self):
        lost = await self.connect()
        await lost.execute(f"begin; insert into {self.table} values (7)")
        lost.terminate()
        await self.connection.execute("set lock_timeout = '10s'")
        async with self.connection.transaction():
            await self.connection.execute(f"lock table {self.table}")
        self.assertEqual(await self.numbers(), [])
