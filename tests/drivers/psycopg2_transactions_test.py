"""psycopg2: transactions, cancelling, pools: B1, B13, F40."""
import threading
import time
import unittest

import psycopg2
import psycopg2.extensions
import psycopg2.pool

from driver_case import DSN, fresh

IDLE = psycopg2.extensions.TRANSACTION_STATUS_IDLE
ACTIVE = psycopg2.extensions.TRANSACTION_STATUS_INTRANS
FAILED = psycopg2.extensions.TRANSACTION_STATUS_INERROR


class Psycopg2Transactions(unittest.TestCase):
    def setUp(self):
        self.connection = psycopg2.connect(DSN)
        self.addCleanup(self.connection.close)
        self.cursor = self.connection.cursor()
        self.table = fresh("tx")
        self.cursor.execute(f"create table {self.table} (n int primary key)")
        self.connection.commit()

    def insert(self, n):
        self.cursor.execute(f"insert into {self.table} values (%s)", (n,))

    def numbers(self):
        self.cursor.execute(f"select n from {self.table} order by n")
        return [n for (n,) in self.cursor]

    def status(self):
        return self.connection.info.transaction_status

    def test_commit_keeps_and_rollback_forgets(self):
        self.insert(1)
        self.connection.commit()
        self.insert(2)
        self.assertEqual((self.numbers(), self.status()), ([1, 2], ACTIVE))
        self.connection.rollback()
        self.assertEqual(self.status(), IDLE)
        self.assertEqual(self.numbers(), [1])

    def test_another_connection_sees_nothing_before_the_commit(self):
        other = psycopg2.connect(DSN)
        self.addCleanup(other.close)
        other.autocommit = True
        self.insert(1)
        with other.cursor() as cursor:
            cursor.execute(f"select count(*) from {self.table}")
            self.assertEqual(cursor.fetchone(), (0,))
            self.connection.commit()
            cursor.execute(f"select count(*) from {self.table}")
            self.assertEqual(cursor.fetchone(), (1,))

    def test_savepoints_undo_a_part(self):
        self.insert(1)
        self.cursor.execute("savepoint a")
        self.insert(2)
        self.cursor.execute("savepoint b")
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            self.insert(1)
        self.assertEqual(self.status(), FAILED)
        self.cursor.execute("rollback to savepoint b")
        self.assertEqual(self.numbers(), [1, 2])
        self.cursor.execute("rollback to savepoint a")
        self.cursor.execute("release savepoint a")
        self.connection.commit()
        self.assertEqual(self.numbers(), [1])

    def test_a_failed_transaction_refuses_everything_until_its_end(self):
        self.insert(1)
        with self.assertRaises(psycopg2.errors.DivisionByZero):
            self.cursor.execute("select 1/0")
        for sql in ("select 1", "show timezone", "set timezone = 'utc'", f"insert into {self.table} values (3)"):
            with self.assertRaises(psycopg2.errors.InFailedSqlTransaction):
                self.cursor.execute(sql)
        self.cursor.execute("commit")
        self.assertEqual((self.cursor.statusmessage, self.status()), ("ROLLBACK", IDLE))
        self.assertEqual(self.numbers(), [])

    def test_commit_and_chain_goes_on_with_the_same_characteristics(self):
        self.connection.autocommit = True
        self.cursor.execute("begin isolation level repeatable read")
        self.insert(1)
        self.cursor.execute("commit and chain")
        self.assertEqual(self.status(), ACTIVE)
        self.cursor.execute("show transaction_isolation")
        self.assertEqual(self.cursor.fetchone(), ("repeatable read",))
        self.insert(2)
        self.cursor.execute("rollback and chain")
        self.cursor.execute("rollback")
        self.assertEqual((self.numbers(), self.status()), ([1], IDLE))

    def test_a_begin_inside_a_message_adopts_what_came_before(self):
        self.connection.autocommit = True
        self.cursor.execute(f"insert into {self.table} values (1); begin; insert into {self.table} values (2)")
        self.assertEqual(self.status(), ACTIVE)
        self.cursor.execute("rollback")
        self.assertEqual(self.numbers(), [])

    def test_each_isolation_level_and_access_mode_holds(self):
        for level, name in ((1, "read committed"), (2, "repeatable read"), (3, "serializable")):
            for readonly in (False, True):
                with self.subTest(level=name, readonly=readonly):
                    self.connection.set_session(isolation_level=level, readonly=readonly, deferrable=readonly)
                    self.cursor.execute("select current_setting('transaction_isolation')")
                    self.assertEqual(self.cursor.fetchone(), (name,))
                    if readonly:
                        with self.assertRaises(psycopg2.errors.ReadOnlySqlTransaction):
                            self.insert(1)
                    self.connection.rollback()

    def test_repeatable_read_sees_one_snapshot(self):
        other = psycopg2.connect(DSN)
        self.addCleanup(other.close)
        other.autocommit = True
        self.connection.set_session(isolation_level="REPEATABLE READ")
        self.assertEqual(self.numbers(), [])
        other.cursor().execute(f"insert into {self.table} values (1)")
        self.assertEqual(self.numbers(), [])
        self.connection.commit()
        self.assertEqual(self.numbers(), [1])

    def test_set_transaction_after_begin_counts(self):
        self.connection.autocommit = True
        self.cursor.execute("begin")
        self.cursor.execute("set transaction read only, isolation level repeatable read")
        with self.assertRaises(psycopg2.errors.ReadOnlySqlTransaction):
            self.insert(1)
        self.cursor.execute("rollback")
        self.cursor.execute("begin")
        self.cursor.execute("select 1")
        with self.assertRaises(psycopg2.errors.ActiveSqlTransaction):
            self.cursor.execute("set transaction isolation level serializable")
        self.cursor.execute("rollback")

    def test_two_phase_commit_is_refused_or_done_as_the_server_says(self):
        self.connection.tpc_begin(self.connection.xid(1, fresh("gid"), "branch"))
        self.insert(1)
        # max_prepared_transactions is 0 unless somebody raised it.
        with self.assertRaises(psycopg2.errors.ObjectNotInPrerequisiteState):
            self.connection.tpc_prepare()
        self.connection.tpc_rollback()
        self.assertEqual(self.numbers(), [])

    def test_a_running_query_is_cancelled_and_the_connection_goes_on(self):
        for _ in range(3):
            timer = threading.Timer(0.3, self.connection.cancel)
            timer.start()
            began = time.monotonic()
            with self.assertRaises(psycopg2.errors.QueryCanceled):
                self.cursor.execute("select pg_sleep(30)")
            timer.join()
            self.assertLess(time.monotonic() - began, 10)
            self.connection.rollback()
            self.assertEqual(self.numbers(), [])

    def test_a_cancel_without_a_query_harms_nobody(self):
        for n in range(20):
            self.connection.cancel()
            try:
                self.cursor.execute("select %s", (n,))
                self.assertEqual(self.cursor.fetchone(), (n,))
            except psycopg2.errors.QueryCanceled:  # It may come late on PostgreSQL, but only to its own client.
                pass
            self.connection.rollback()

    def test_a_waiting_lock_can_be_cancelled(self):
        self.insert(1)
        other = psycopg2.connect(DSN)
        self.addCleanup(other.close)
        timer = threading.Timer(0.3, other.cancel)
        timer.start()
        with self.assertRaises(psycopg2.errors.QueryCanceled), other.cursor() as cursor:
            cursor.execute(f"lock table {self.table}")
        timer.join()
        other.rollback()
        self.connection.commit()
        self.assertEqual(self.numbers(), [1])

    def test_a_disconnect_rolls_back_and_frees_the_locks(self):
        lost = psycopg2.connect(DSN)
        lost.cursor().execute(f"insert into {self.table} values (7)")
        lost.close()
        self.cursor.execute("set lock_timeout = '10s'")
        self.cursor.execute(f"lock table {self.table} in access exclusive mode")
        self.assertEqual(self.numbers(), [])
        self.connection.commit()

    def test_a_threaded_pool_serves_more_threads_than_connections(self):
        pool = psycopg2.pool.ThreadedConnectionPool(1, 8, DSN)
        self.addCleanup(pool.closeall)
        gate, wrong = threading.Semaphore(8), []

        def work(thread):
            for n in range(25):
                with gate:
                    connection = pool.getconn()
                    with connection.cursor() as cursor:
                        cursor.execute(f"insert into {self.table} values (%s) returning n", (thread * 1000 + n,))
                        cursor.execute(f"select n from {self.table} where n = %s", (thread * 1000 + n,))
                        if cursor.fetchall() != [(thread * 1000 + n,)]:
                            wrong.append((thread, n))
                    connection.commit()
                    pool.putconn(connection)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(self.numbers()), 16 * 25)
