"""psycopg2: values, results, cursors. The driver sends everything as simple queries with the values inside."""
import datetime
import decimal
import time
import unittest
import uuid

import psycopg2
import psycopg2.extras

from driver_case import DSN, fresh, only_proxied


class Psycopg2Queries(unittest.TestCase):
    def setUp(self):
        self.connection = psycopg2.connect(DSN)
        self.addCleanup(self.connection.close)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def value(self, sql, *values):
        self.cursor.execute(sql, values or None)
        return self.cursor.fetchone()[0]

    def test_values_of_many_types_come_back_as_they_went(self):
        psycopg2.extras.register_uuid(conn_or_curs=self.connection)
        zone = datetime.timezone(datetime.timedelta(hours=2))
        for value in (
            0, -(2**62), 1.5, decimal.Decimal("123456789.000000001"), True, "", "plain", "it's \\ \"quoted\" %s $1",
            "žluťoučký 漢字 🐘", b"\x00\x01\xff binary", datetime.date(2024, 2, 29), datetime.time(23, 59, 59, 999999),
            datetime.datetime(1999, 12, 31, 23, 59, 59, 123456), datetime.datetime(2024, 7, 1, 12, 0, tzinfo=zone),
            datetime.timedelta(days=3, seconds=7), uuid.UUID(int=7), [1, 2, None, 4], ["a", "b,c", "{}"],
        ):
            with self.subTest(value=value):
                got = self.value("select %s", value)
                self.assertEqual(bytes(got) if isinstance(got, memoryview) else got, value)

    def test_null_is_not_the_empty_string(self):
        self.cursor.execute("select %s, %s, null::int, array[null, 'x']", (None, ""))
        self.assertEqual(self.cursor.fetchone(), (None, "", None, [None, "x"]))

    def test_json_and_ranges(self):
        document = {"a": [1, 2, {"b": None}], "č": "ü"}
        self.assertEqual(self.value("select %s::jsonb", psycopg2.extras.Json(document)), document)
        got = self.value("select %s::int4range", psycopg2.extras.NumericRange(1, 5))
        self.assertEqual((got.lower, got.upper), (1, 5))

    def test_a_megabyte_goes_there_and_back(self):
        text = "0123456789abcdeř" * 65536
        self.cursor.execute("select %s, length(%s)", (text, text))
        self.assertEqual(self.cursor.fetchone(), (text, len(text)))

    def test_ten_thousand_rows_arrive_in_order(self):
        self.cursor.execute("select n, 'row ' || n from generate_series(1, 10000) n order by n")
        self.assertEqual(self.cursor.fetchall(), [(n, f"row {n}") for n in range(1, 10001)])

    def test_column_names_and_types_are_described(self):
        self.cursor.execute("select 1::int8 as number, 'x'::varchar(7) as name where false")
        self.assertEqual([(column.name, column.type_code) for column in self.cursor.description],
                         [("number", 20), ("name", 1043)])
        self.assertEqual(self.cursor.fetchall(), [])

    def test_an_empty_query_is_an_error_of_the_driver_only(self):
        for sql in ("", ";", "-- nothing", "/* nothing */ ;"):
            with self.subTest(sql=sql), self.assertRaisesRegex(psycopg2.ProgrammingError, "empty query"):
                self.cursor.execute(sql)
            self.assertEqual(self.value("select 1"), 1)

    def test_several_statements_are_one_transaction(self):
        table = fresh("multi")
        self.cursor.execute(f"create table {table} (n int); insert into {table} values (1), (2); select 7")
        self.assertEqual(self.cursor.fetchone(), (7,))
        with self.assertRaises(psycopg2.errors.DivisionByZero):
            self.cursor.execute(f"insert into {table} values (3); select 1/0")
        self.assertEqual(self.value(f"select count(*) from {table}"), 2)
        with self.assertRaises(psycopg2.errors.DivisionByZero):
            self.cursor.execute(f"insert into {table} values (3); commit; insert into {table} values (4); select 1/0")
        self.assertEqual(self.value(f"select sum(n) from {table}"), 6)

    def test_writes_are_read_at_once(self):
        table = fresh("own")
        self.cursor.execute(f"create table {table} (n int)")
        for n in range(1, 101):
            self.cursor.execute(f"insert into {table} values (%s) returning n", (n,))
            self.assertEqual(self.cursor.fetchone(), (n,))
            self.assertEqual(self.value(f"select count(*) from {table}"), n)
        self.cursor.execute(f"update {table} set n = n + 1 where n > 50")
        self.assertEqual(self.cursor.rowcount, 50)
        self.cursor.execute(f"delete from {table}")
        self.assertEqual((self.cursor.rowcount, self.cursor.statusmessage), (100, "DELETE 100"))

    def test_a_write_of_one_connection_is_read_by_the_next(self):
        table = fresh("others")
        self.cursor.execute(f"create table {table} (n int)")
        other = psycopg2.connect(DSN)
        self.addCleanup(other.close)
        other.autocommit = True
        reader = other.cursor()
        for n in range(1, 51):
            self.cursor.execute(f"insert into {table} values (%s)", (n,))
            reader.execute(f"select max(n) from {table}")
            self.assertEqual(reader.fetchone(), (n,))

    def test_an_error_says_where_and_why(self):
        with self.assertRaises(psycopg2.errors.UndefinedColumn) as caught:
            self.cursor.execute("select nothing from pg_class")
        self.assertEqual((caught.exception.diag.sqlstate, caught.exception.diag.statement_position), ("42703", "8"))
        self.assertEqual(self.value("select 1"), 1)

    def test_server_side_cursor_in_a_transaction(self):
        self.connection.autocommit = False
        with self.connection.cursor("walk") as walk:
            walk.itersize = 100
            walk.execute("select n from generate_series(1, 1000) n")
            self.assertEqual([n for (n,) in walk], list(range(1, 1001)))
        with self.connection.cursor("scroll", scrollable=True) as scroll:
            scroll.execute("select n from generate_series(1, 10) n")
            scroll.scroll(5)
            self.assertEqual(scroll.fetchone(), (6,))
            scroll.scroll(-3)
            self.assertEqual(scroll.fetchone(), (4,))
        self.connection.commit()

    def test_server_side_cursor_with_hold_outlives_its_transaction(self):
        for autocommit in (True, False):
            self.connection.autocommit = autocommit
            held = self.connection.cursor(f"held_{autocommit}", withhold=True)
            held.execute("select n from generate_series(1, 1000) n")
            self.assertEqual(held.fetchmany(10)[-1], (10,))
            if not autocommit:
                self.connection.commit()
            self.assertEqual(self.value("select 41 + 1"), 42)
            self.assertEqual(len(held.fetchall()), 990)
            held.close()
            if not autocommit:
                self.connection.commit()

    def test_execute_values_and_batches(self):
        table = fresh("batch")
        self.cursor.execute(f"create table {table} (n int, t text)")
        rows = [(n, f"text {n}") for n in range(2500)]
        psycopg2.extras.execute_values(self.cursor, f"insert into {table} values %s", rows, page_size=1000)
        psycopg2.extras.execute_batch(self.cursor, f"insert into {table} values (%s, %s)", rows, page_size=500)
        self.cursor.executemany(f"insert into {table} values (%s, %s)", rows[:100])
        self.assertEqual(self.value(f"select count(*) from {table}"), 5100)

    @only_proxied
    def test_reads_go_to_replicas_and_all_else_to_the_primary(self):
        table = fresh("routed")
        self.cursor.execute(f"create table {table} (n int)")
        for sql, target in (
            (f"insert into {table} values (1)", "primary"),
            ("select n from generate_series(1, 3) n", "replica"),
            (f"select * from {table} for update", "primary"),
            ("with w as (select 1) select * from w", "replica"),
            ("/* fairlead.route=primary */ select 1 as hinted", "primary"),
        ):
            until = time.monotonic() + 5  # A read may have to see a write before a replica has it.
            while self.target_of(sql) != target and target == "replica" and time.monotonic() < until:
                pass
            self.assertEqual(self.target_of(sql), target, sql)

    def target_of(self, sql):
        self.cursor.execute(sql)
        self.cursor.execute("show fairlead.last_route")
        return dict(zip((column.name for column in self.cursor.description), self.cursor.fetchone()))["target"]
