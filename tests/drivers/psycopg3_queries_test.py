"""psycopg 3: the extended protocol with parameters, prepared statements, server-side cursors, pipelines: B8, F22."""
import datetime
import decimal
import threading
import time
import unittest
import uuid

import psycopg
from psycopg.types.json import Jsonb

from driver_case import DSN, fresh, only_proxied


class Psycopg3Queries(unittest.TestCase):
    def setUp(self):
        self.connection = psycopg.connect(DSN, autocommit=True)
        self.addCleanup(self.connection.close)

    def value(self, sql, *values, **options):
        return self.connection.execute(sql, values or None, **options).fetchone()[0]

    def test_values_of_many_types_in_text_and_binary(self):
        zone = datetime.timezone.utc
        for binary in (False, True):
            cursor = self.connection.cursor(binary=binary)
            for value in (
                0, -(2**62), 1.5, decimal.Decimal("-0.000000001"), True, "", "žluťoučký 漢字 🐘", b"\x00\xff" * 9,
                datetime.date(2024, 2, 29), datetime.datetime(2024, 7, 1, 12, 0, 1, 5, tzinfo=zone), uuid.UUID(int=7),
                datetime.timedelta(days=3), [1, 2, None, 4], None,
            ):
                with self.subTest(value=value, binary=binary):
                    self.assertEqual(cursor.execute("select %s", (value,)).fetchone()[0], value)
            self.assertEqual(cursor.execute("select %s::text[]", (["a", "b,c", None],)).fetchone()[0], ["a", "b,c", None])
            self.assertEqual(cursor.execute("select %s", (Jsonb({"č": [1]}),)).fetchone()[0], {"č": [1]})

    def test_a_megabyte_and_ten_thousand_rows(self):
        text = "0123456789abcdeř" * 65536
        self.assertEqual(self.value("select %s::text", text), text)
        rows = self.connection.execute("select n, %s || n from generate_series(1, 10000) n", ("row ",)).fetchall()
        self.assertEqual(rows, [(n, f"row {n}") for n in range(1, 10001)])

    def test_a_statement_is_prepared_after_the_threshold_and_goes_on(self):
        self.connection.prepare_threshold = 3
        for n in range(30):
            self.assertEqual(self.value("select %s::int + 1", n), n + 1)
        for n in range(30):
            self.assertEqual(self.value("select %s::int + 2", n, prepare=True), n + 2)

    def test_more_statements_than_the_driver_keeps_are_deallocated_and_prepared_again(self):
        self.connection.prepared_max = 20
        for _ in range(3):
            for n in range(60):
                self.assertEqual(self.value(f"select %s::int + {n}", n, prepare=True), 2 * n)

    def test_deallocate_all_and_discard_all_forget_every_statement(self):
        server = self.connection.pgconn
        for n, forget in enumerate((b"deallocate all", b"discard all", b"deallocate kept")):
            # The same name every time, with another text: it must be free again.
            prepared = server.prepare(b"kept", b"select $1::int * %d" % n)
            self.assertEqual(prepared.status, psycopg.pq.ExecStatus.COMMAND_OK)
            for value in (3, 4):
                self.assertEqual(server.exec_prepared(b"kept", [b"%d" % value]).get_value(0, 0), b"%d" % (n * value))
            again = server.prepare(b"kept", b"select 1")
            self.assertEqual(again.error_field(psycopg.pq.DiagnosticField.SQLSTATE), b"42P05")
            self.assertEqual(server.exec_(forget).status, psycopg.pq.ExecStatus.COMMAND_OK)
            gone = server.exec_prepared(b"kept", [b"3"])
            self.assertEqual(gone.error_field(psycopg.pq.DiagnosticField.SQLSTATE), b"26000")

    def test_a_prepared_statement_survives_a_change_of_its_table(self):
        table = fresh("altered")
        self.connection.execute(f"create table {table} (a int)")
        self.connection.execute(f"insert into {table} values (1)")
        sql = f"select * from {table} where a = %s"
        self.assertEqual(self.connection.execute(sql, (1,), prepare=True).fetchall(), [(1,)])
        self.connection.execute(f"alter table {table} add column b int default 2")
        try:
            self.assertEqual(self.connection.execute(sql, (1,), prepare=True).fetchall(), [(1, 2)])
        except psycopg.errors.FeatureNotSupported as error:  # What plain PostgreSQL says (C11).
            self.assertIn("cached plan must not change result type", str(error))
        # Whoever prepares the same text now for the first time must not meet the old plan.
        with psycopg.connect(DSN, autocommit=True) as other:
            for _ in range(5):
                self.assertEqual(other.execute(sql, (1,), prepare=True).fetchall(), [(1, 2)])
        # The driver answers a DROP with DEALLOCATE ALL and prepares anew.
        self.connection.execute(f"alter table {table} drop column b")
        self.connection.execute(f"drop table if exists {table}_never")
        self.assertEqual(self.connection.execute(sql, (1,), prepare=True).fetchall(), [(1,)])

    @only_proxied
    def test_no_server_answers_with_a_plan_from_before_a_change_of_the_table(self):  # C11
        table = fresh("planned")
        self.connection.execute(f"create table {table} (a int)")
        sql = f"select * from {table} where a = %s"
        for _ in range(200):  # Until the servers of both replicas know the statement.
            self.connection.execute(sql, (1,), prepare=True)
        self.connection.execute(f"alter table {table} add column b int default 2")
        with psycopg.connect(DSN, autocommit=True) as other:
            for _ in range(20):
                self.assertEqual(len(other.execute(sql, (1,), prepare=True).description), 2)

    def test_writes_through_prepared_statements_are_read_at_once(self):
        table = fresh("own")
        self.connection.execute(f"create table {table} (n int)")
        for n in range(1, 101):
            self.connection.execute(f"insert into {table} values (%s)", (n,), prepare=True)
            self.assertEqual(self.value(f"select count(*) from {table} where n <= %s", n, prepare=True), n)

    def test_executemany_with_and_without_results(self):
        table = fresh("many")
        self.connection.execute(f"create table {table} (n int primary key, t text)")
        with self.connection.cursor() as cursor:
            cursor.executemany(f"insert into {table} values (%s, %s)", [(n, f"t{n}") for n in range(1000)])
            self.assertEqual(cursor.rowcount, 1000)
            cursor.executemany(f"update {table} set t = t where n < %s returning n", [(1,), (3,)], returning=True)
            self.assertEqual(cursor.fetchall(), [(0,)])
            self.assertTrue(cursor.nextset())
            self.assertEqual(sorted(cursor.fetchall()), [(0,), (1,), (2,)])
            with self.assertRaises(psycopg.errors.UniqueViolation):
                cursor.executemany(f"insert into {table} values (%s, 'again')", [(2000,), (5,), (2001,)])
        self.assertIn(self.value(f"select count(*) from {table}"), (1000, 1001))

    def test_a_server_side_cursor_walks_and_scrolls(self):
        with self.connection.transaction(), self.connection.cursor("walk", scrollable=True) as cursor:
            cursor.itersize = 70
            cursor.execute("select n from generate_series(1, %s) n", (1000,))
            self.assertEqual([n for (n,) in cursor], list(range(1, 1001)))
            cursor.scroll(10, mode="absolute")
            self.assertEqual(cursor.fetchone(), (11,))
        with self.connection.cursor("held", withhold=True) as cursor:
            cursor.execute("select n from generate_series(1, 100) n")
            self.assertEqual(self.value("select 7"), 7)
            self.assertEqual(len(cursor.fetchall()), 100)

    def test_rows_are_streamed_one_by_one(self):
        with self.connection.cursor() as cursor:
            total = sum(n for (n,) in cursor.stream("select n from generate_series(1, 5000) n"))
        self.assertEqual(total, 5000 * 5001 // 2)
        self.assertEqual(self.value("select 1"), 1)

    def test_a_pipeline_answers_in_order(self):
        with self.connection.pipeline():
            cursors = [self.connection.execute("select %s::int, %s::text", (n, f"t{n}")) for n in range(300)]
        self.assertEqual([cursor.fetchone() for cursor in cursors], [(n, f"t{n}") for n in range(300)])

    def test_an_error_in_a_pipeline_undoes_its_part_and_skips_the_rest(self):
        table = fresh("pipe")
        self.connection.execute(f"create table {table} (n int)")
        for prepare in (False, True):
            with self.assertRaises(psycopg.errors.DivisionByZero):
                with self.connection.pipeline() as pipeline:
                    self.connection.execute(f"insert into {table} values (%s)", (1,), prepare=prepare)
                    pipeline.sync()
                    self.connection.execute(f"insert into {table} values (%s)", (2,), prepare=prepare)
                    self.connection.execute("select 1 / %s::int", (0,), prepare=prepare)
                    self.connection.execute(f"insert into {table} values (%s)", (3,), prepare=prepare)
                    pipeline.sync()
            self.assertEqual(self.connection.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)
            self.assertEqual(self.connection.execute(f"select n from {table}").fetchall(), [(1,)])
            self.connection.execute(f"delete from {table}")

    def test_a_connection_goes_on_after_each_failed_pipeline(self):
        self.connection.prepare_threshold = None  # The driver takes a skipped statement for prepared.
        for n in range(20):
            with self.assertRaises(psycopg.errors.UndefinedTable), self.connection.pipeline() as pipeline:
                good = self.connection.execute("select %s::int", (n,), prepare=bool(n % 2))
                pipeline.sync()
                self.assertEqual(good.fetchone(), (n,))
                self.connection.execute("select * from nowhere_at_all")
                self.connection.execute("select 'skipped'")
            self.assertEqual(self.value("select %s::int", -n), -n)

    def test_a_transaction_inside_a_pipeline(self):
        table = fresh("pipe_tx")
        self.connection.execute(f"create table {table} (n int)")
        with self.connection.pipeline(), self.connection.transaction():
            self.connection.execute(f"insert into {table} values (1)")
            with self.assertRaises(psycopg.errors.DivisionByZero), self.connection.transaction():
                self.connection.execute(f"insert into {table} values (2)")
                self.connection.execute("select 1/0").fetchone()
            self.connection.execute(f"insert into {table} values (3)")
        self.assertEqual(self.connection.execute(f"select n from {table} order by n").fetchall(), [(1,), (3,)])

    def test_a_cancelled_query_leaves_the_connection_usable(self):
        for prepare in (False, True):
            timer = threading.Timer(0.3, self.connection.cancel)
            timer.start()
            began = time.monotonic()
            with self.assertRaises(psycopg.errors.QueryCanceled):
                self.connection.execute("select pg_sleep(%s)", (30,), prepare=prepare)
            timer.join()
            self.assertLess(time.monotonic() - began, 10)
            self.assertEqual(self.value("select %s::int", 5), 5)

    @only_proxied
    def test_prepared_reads_go_to_replicas(self):
        for _ in range(500):  # Until a replica has what the tests before have written.
            self.value("select 1")
            if self.value("show fairlead.last_route") == "replica":
                break
            time.sleep(0.01)
        for n in range(20):
            self.assertEqual(self.value("select %s::int", n, prepare=True), n)
            self.assertEqual(self.value("show fairlead.last_route"), "replica")
