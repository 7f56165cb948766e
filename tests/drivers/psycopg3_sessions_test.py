"""psycopg 3: transactions, COPY, notifications, settings, threads."""
import io
import threading
import unittest

import psycopg
from psycopg import IsolationLevel

from driver_case import DSN, fresh
from stand.processes import eventually


class Psycopg3Sessions(unittest.TestCase):
    def setUp(self):
        self.connection = self.connect()
        self.table = fresh("three")
        self.connection.execute(f"create table {self.table} (n int primary key, t text)")
        self.addCleanup(self.connection.execute, f"drop table {self.table}")

    def connect(self, **options):
        connection = psycopg.connect(DSN, **{"autocommit": True, **options})
        self.addCleanup(connection.close)
        return connection

    def numbers(self):
        return [n for (n,) in self.connection.execute(f"select n from {self.table} order by n")]

    def insert(self, n):
        self.connection.execute(f"insert into {self.table} values (%s, %s)", (n, f"t{n}"))

    def test_nested_transactions_keep_and_undo(self):
        with self.connection.transaction():
            self.insert(1)
            with self.assertRaises(psycopg.errors.UniqueViolation), self.connection.transaction():
                self.insert(2)
                self.insert(1)
            with self.connection.transaction():
                self.insert(3)
            with self.connection.transaction(force_rollback=True):
                self.insert(4)
        self.assertEqual(self.numbers(), [1, 3])

    def test_the_drivers_own_begin(self):
        self.connection.autocommit = False
        self.insert(1)
        self.connection.commit()
        self.insert(2)
        self.connection.rollback()
        self.assertEqual(self.numbers(), [1])
        self.connection.rollback()
        self.connection.autocommit = True

    def test_isolation_levels_and_read_only(self):
        for level in IsolationLevel:
            connection = self.connect(autocommit=False)
            connection.isolation_level, connection.read_only = level, True
            shown = connection.execute("show transaction_isolation").fetchone()[0]
            self.assertEqual(shown, level.name.lower().replace("_", " "))
            with self.assertRaises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute(f"insert into {self.table} values (1)")
            connection.rollback()

    def test_a_failed_transaction_recovers(self):
        self.connection.autocommit = False
        with self.assertRaises(psycopg.errors.UndefinedColumn):
            self.connection.execute("select nothing")
        with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
            self.connection.execute("select 1")
        self.connection.rollback()
        self.assertEqual(self.connection.execute("select 1").fetchone(), (1,))
        self.connection.rollback()
        self.connection.autocommit = True

    def test_copy_of_rows_in_text_and_binary(self):
        with self.connection.cursor() as cursor:
            with cursor.copy(f"copy {self.table} from stdin") as copy:
                for n in range(2000):
                    copy.write_row((n, "žlutý\t\\" if n % 2 else None))
            self.assertEqual(cursor.rowcount, 2000)
            with cursor.copy(f"copy {self.table} from stdin (format binary)") as copy:
                copy.set_types(("int4", "text"))
                for n in range(2000, 4000):
                    copy.write_row((n, "b"))
            with cursor.copy(f"copy (select * from {self.table} order by n) to stdout") as copy:
                copy.set_types(("int4", "text"))
                rows = list(copy.rows())
        self.assertEqual(len(rows), 4000)
        self.assertEqual(rows[:2] + rows[-1:], [(0, None), (1, "žlutý\t\\"), (3999, "b")])

    def test_fifty_megabytes_are_streamed(self):
        block = b"x" * 1023
        with self.connection.cursor() as cursor:
            with cursor.copy(f"copy {self.table} from stdin") as copy:
                for n in range(50 * 1024):
                    copy.write(b"%d\t%s\n" % (n, block))
            size = 0
            with cursor.copy(f"copy {self.table} to stdout (format binary)") as copy:
                for data in copy:
                    size += len(data)
        self.assertGreater(size, 50 << 20)

    def test_a_copy_that_fails_or_is_given_up_is_undone(self):
        with self.assertRaises(psycopg.errors.InvalidTextRepresentation):
            with self.connection.cursor().copy(f"copy {self.table} from stdin") as copy:
                for n in range(100000):
                    copy.write(f"{n}\tgood\n" if n != 500 else "bad\tbad\n")
        with self.assertRaisesRegex(psycopg.errors.QueryCanceled, "mine"):
            with self.connection.cursor().copy(f"copy {self.table} from stdin") as copy:
                copy.write(b"1\tone\n")
                raise RuntimeError("mine")
        self.assertEqual(self.numbers(), [])
        self.assertEqual(self.connection.execute("select 1").fetchone(), (1,))

    def test_notifications_are_heard_and_self_sent_ones_too(self):
        channel = fresh("three_channel")
        heard = []
        self.connection.add_notify_handler(lambda notify: heard.append(notify.payload))
        self.connection.execute(f"listen {channel}")
        other = self.connect()
        for n in range(5):
            other.execute("select pg_notify(%s, %s)", (channel, str(n)))
        self.connection.execute(f"notify {channel}, 'self'")

        def all_heard():
            self.connection.execute("select 1")
            return len(heard) == 6

        eventually(all_heard, 10, f"six notifications, not {heard}")
        self.assertEqual(sorted(heard), ["0", "1", "2", "3", "4", "self"])

    def test_notifications_are_pushed_to_a_client_that_only_waits(self):
        channel = fresh("three_channel")
        self.connection.execute(f"listen {channel}")
        timer = threading.Timer(0.3, self.connect().execute, ("select pg_notify(%s, 'pushed')", (channel,)))
        timer.start()
        self.assertEqual(next(self.connection.notifies()).payload, "pushed")
        timer.join()

    def test_notices_reach_their_handler(self):
        heard = []
        self.connection.add_notice_handler(lambda diag: heard.append((diag.severity_nonlocalized, diag.message_primary)))
        self.connection.execute("do $$ begin raise notice 'n'; raise warning 'w'; end $$")
        self.assertEqual(heard, [("NOTICE", "n"), ("WARNING", "w")])

    def test_client_encoding_and_settings_of_the_connection_string(self):
        connection = self.connect(client_encoding="latin1", application_name="psy3", options="-c app.tenant=t3")
        self.assertEqual(connection.info.parameter_status("application_name"), "psy3")
        for _ in range(5):
            row = connection.execute("select 'é', current_setting('app.tenant'), current_setting('client_encoding')")
            self.assertEqual(row.fetchone(), ("é", "t3", "LATIN1"))

    def test_row_level_security_sees_the_tenant_of_each_transaction(self):
        self.connection.execute(f"create view {self.table}_mine as select n from {self.table}"
                                " where t = current_setting('app.tenant', true)")
        self.addCleanup(self.connection.execute, f"drop view {self.table}_mine")
        for n in range(10):
            self.insert(n)
        for n in range(10):
            with self.connection.transaction():
                self.connection.execute("select set_config('app.tenant', %s, true)", (f"t{n}",))
                self.assertEqual(self.connection.execute(f"select n from {self.table}_mine").fetchall(), [(n,)])
            self.assertEqual(self.connection.execute(f"select n from {self.table}_mine").fetchall(), [])
            self.connection.execute("select set_config('app.tenant', %s, false)", (f"t{n}",))
            self.assertEqual(self.connection.execute(f"select n from {self.table}_mine").fetchall(), [(n,)])
            self.connection.execute("reset app.tenant")

    def test_thirty_two_threads_get_their_own_answers(self):
        wrong = []

        def work(number):
            with psycopg.connect(DSN, autocommit=True, prepare_threshold=2) as connection:
                for n in range(50):
                    got = connection.execute("select %s::int, %s::text", (number, f"{number}/{n}")).fetchone()
                    if got != (number, f"{number}/{n}"):
                        wrong.append((number, n, got))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_query_of_binary_copy_data_is_what_a_file_would_hold(self):
        out = io.BytesIO()
        with self.connection.cursor().copy("copy (select 1::int4) to stdout (format binary)") as copy:
            for data in copy:
                out.write(data)
        self.assertEqual(out.getvalue(), b"PGCOPY\n\xff\r\n\0" + b"\0" * 8 + b"\0\1\0\0\0\4\0\0\0\1" + b"\xff\xff")
