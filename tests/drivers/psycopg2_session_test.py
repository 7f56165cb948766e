"""psycopg2: what a session keeps: settings, LISTEN, temporary tables, locks, notices, large objects: C13, C15, C16, C24."""
import select
import time
import unittest

import psycopg2
import psycopg2.extensions

from driver_case import ADDRESS, DSN, fresh, only_proxied


class Psycopg2Session(unittest.TestCase):
    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.connection.cursor()

    def connect(self, more=""):
        connection = psycopg2.connect(DSN + more)
        self.addCleanup(connection.close)
        connection.autocommit = True
        return connection

    def value(self, sql, *values, connection=None):
        cursor = (connection or self.connection).cursor()
        cursor.execute(sql, values or None)
        return cursor.fetchone()[0]

    def test_the_login_reports_what_postgresql_reports(self):
        status = self.connection.get_parameter_status
        self.assertEqual(status("client_encoding"), "UTF8")
        self.assertEqual(status("server_encoding"), "UTF8")
        self.assertEqual(status("integer_datetimes"), "on")
        self.assertEqual(status("standard_conforming_strings"), "on")
        self.assertEqual(status("in_hot_standby"), "off")
        self.assertEqual(status("default_transaction_read_only"), "off")
        self.assertEqual(status("is_superuser"), "off")
        self.assertEqual(status("session_authorization"), ADDRESS.user)
        self.assertGreaterEqual(self.connection.server_version, 130000)
        self.assertEqual(status("server_version").split()[0], self.value("show server_version").split()[0])
        for name in ("DateStyle", "IntervalStyle", "TimeZone"):
            self.assertEqual(status(name), self.value(f"show {name}"))

    def test_startup_parameters_and_options_hold(self):
        options = "-c statement_timeout=54321 -c search_path=pg_catalog,public -c app.tenant=a\\ b --work-mem=5MB"
        connection = self.connect(f" application_name=named options='{options}'".replace("\\", "\\\\"))
        for _ in range(5):
            for name, expected in (
                ("application_name", "named"), ("statement_timeout", "54321ms"), ("app.tenant", "a b"),
                ("search_path", "pg_catalog,public"), ("work_mem", "5MB"),
            ):
                self.assertEqual(self.value(f"select current_setting('{name}')", connection=connection), expected)
                self.assertEqual(self.value(f"show {name}", connection=connection), expected)
        connection.cursor().execute("set statement_timeout = 0; reset statement_timeout; set app.tenant = 'other'; reset all")
        self.assertEqual(self.value("show statement_timeout", connection=connection), "54321ms")
        self.assertEqual(self.value("select current_setting('app.tenant')", connection=connection), "a b")
        self.assertNotEqual(self.value("show statement_timeout"), "54321ms")

    def test_a_bad_startup_option_is_refused_as_postgresql_does(self):
        for option, text in (("-c work_mem=lots", "invalid value for parameter"), ("-c nonsense=1", "unrecognized")):
            with self.subTest(option=option), self.assertRaisesRegex(psycopg2.OperationalError, text):
                self.connect(f" options='{option}'")

    def test_wrong_passwords_and_unknown_databases_are_refused(self):  # F7
        with self.assertRaisesRegex(psycopg2.OperationalError, "password authentication failed"):
            psycopg2.connect(DSN, password="wrong")
        with self.assertRaisesRegex(psycopg2.OperationalError, "password authentication failed"):
            psycopg2.connect(DSN, user="nobody_of_that_name")
        with self.assertRaisesRegex(psycopg2.OperationalError, "does not exist"):
            psycopg2.connect(DSN, dbname="no_such_database").cursor().execute("select 1")

    def test_settings_follow_transactions(self):
        def shown():
            return self.value("show statement_timeout"), self.value("select current_setting('app.tenant', true)")

        self.cursor.execute("set statement_timeout = '11s'; set app.tenant = 'one'")
        self.assertEqual(shown(), ("11s", "one"))
        self.cursor.execute("begin; set statement_timeout = '12s'; set local app.tenant = 'two'")
        self.assertEqual(shown(), ("12s", "two"))
        self.cursor.execute("savepoint s; set statement_timeout = '13s'")
        self.cursor.execute("select set_config('app.tenant', 'three', false)")
        self.assertEqual(shown(), ("13s", "three"))
        self.cursor.execute("rollback to s")
        self.assertEqual(shown(), ("12s", "two"))
        self.cursor.execute("commit")
        self.assertEqual(shown(), ("12s", "one"))
        self.cursor.execute("begin; set statement_timeout = '14s'; reset app.tenant; rollback")
        self.assertEqual(shown(), ("12s", "one"))
        self.cursor.execute("reset all")
        self.assertEqual(shown(), ("0", ""))

    def test_set_local_outside_a_transaction_only_warns(self):
        del self.connection.notices[:]
        self.cursor.execute("set local statement_timeout = '9s'")
        self.assertIn("SET LOCAL can only be used in transaction blocks", "".join(self.connection.notices))
        self.assertEqual(self.value("show statement_timeout"), "0")

    def test_reported_settings_are_reported_when_they_change(self):
        status = self.connection.get_parameter_status
        self.cursor.execute("set timezone = 'Asia/Tokyo'")
        self.assertEqual(status("TimeZone"), "Asia/Tokyo")
        self.cursor.execute("begin; set local timezone = 'America/Lima'")
        self.assertEqual(status("TimeZone"), "America/Lima")
        self.cursor.execute("commit")
        self.assertEqual(status("TimeZone"), "Asia/Tokyo")
        self.cursor.execute("select set_config('application_name', 'via function', false)")
        self.assertEqual(status("application_name"), "via function")
        self.connection.set_client_encoding("LATIN1")
        self.assertEqual((status("client_encoding"), self.value("select 'é'")), ("LATIN1", "é"))
        with self.assertRaises(psycopg2.errors.UntranslatableCharacter):
            self.cursor.execute("select chr(27721)")
        self.cursor.execute("discard all")
        self.assertEqual((status("client_encoding"), status("application_name")), ("UTF8", ""))
        self.assertEqual(self.value("show timezone"), status("TimeZone"))

    def test_the_time_zone_and_datestyle_shape_what_reads_return(self):
        self.cursor.execute("set timezone = 'Asia/Kolkata'; set datestyle = 'German'; set intervalstyle = 'iso_8601'")
        for _ in range(10):
            self.assertEqual(self.value("select ('2024-01-31 12:00+00'::timestamptz)::text"), "31.01.2024 17:30:00 IST")
            self.assertEqual(self.value("select (interval '1 day 2 hours')::text"), "P1DT2H")

    def test_the_search_path_decides_what_a_name_means(self):
        one, two = fresh("one"), fresh("two")
        for schema in (one, two):
            self.cursor.execute(f"create schema {schema}; create table {schema}.who as select '{schema}'::text as name")
        for _ in range(5):
            for schema in (one, two):
                self.cursor.execute(f"set search_path = {schema}")
                self.assertEqual(self.value("select name from who"), schema)

    def test_roles_are_kept_and_reset(self):
        self.cursor.execute(f"set role {ADDRESS.user}; set session authorization default; reset role")
        self.assertEqual(self.value("select current_user"), ADDRESS.user)
        with self.assertRaises(psycopg2.errors.InsufficientPrivilege):
            self.cursor.execute("set role postgres")

    def test_listen_hears_what_others_notify(self):
        channel = fresh("channel")
        other = self.connect()
        self.cursor.execute(f"listen {channel}")
        for n in range(3):
            other.cursor().execute("select pg_notify(%s, %s)", (channel, f"ž{n}"))
        other.cursor().execute(f"notify {channel}")
        heard = self.wait_for_notifies(4)
        self.assertEqual([(n.channel, n.payload) for n in heard],
                         [(channel, "ž0"), (channel, "ž1"), (channel, "ž2"), (channel, "")])
        self.assertEqual(self.value("select 1"), 1)
        self.cursor.execute("begin; unlisten *; rollback")
        other.cursor().execute(f"notify {channel}, 'still'")
        self.assertEqual(self.wait_for_notifies(1)[0].payload, "still")
        self.cursor.execute(f"unlisten {channel}")
        other.cursor().execute(f"notify {channel}, 'not heard'")
        self.assertEqual(self.value("select 2"), 2)
        self.assertEqual(self.connection.notifies, [])

    def wait_for_notifies(self, count):
        deadline, heard = time.monotonic() + 10, []
        while len(heard) < count and time.monotonic() < deadline:
            select.select([self.connection], [], [], 0.5)
            self.connection.poll()
            heard += self.connection.notifies
            del self.connection.notifies[:]
        return heard

    def test_a_notify_waits_for_its_commit(self):
        channel, other = fresh("late"), self.connect()
        self.cursor.execute(f"listen {channel}")
        other.cursor().execute(f"begin; notify {channel}, 'rolled back'; rollback")
        other.cursor().execute(f"begin; notify {channel}, 'kept'")
        self.assertEqual(self.value("select 1"), 1)
        self.assertEqual(self.connection.notifies, [])
        other.cursor().execute("commit")
        self.assertEqual([n.payload for n in self.wait_for_notifies(1)], ["kept"])

    def test_temporary_tables_last_for_the_session_and_are_nobody_elses(self):
        name, other = fresh("temporary"), self.connect()
        self.cursor.execute(f"create temporary table {name} (n int)")
        for n in range(5):
            self.cursor.execute(f"insert into {name} values (%s)", (n,))
            self.assertEqual(self.value(f"select count(*) from {name}"), n + 1)
            with self.assertRaises(psycopg2.errors.UndefinedTable):
                other.cursor().execute(f"select * from {name}")
        self.cursor.execute(f"create table {name}_all as select 99 as n")
        self.cursor.execute("discard temp")
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            self.cursor.execute(f"select * from {name}")

    def test_a_temporary_table_on_commit_drop_ends_with_its_transaction(self):
        name = fresh("brief")
        self.cursor.execute(f"begin; create temp table {name} on commit drop as select 5 as n")
        self.assertEqual(self.value(f"select n from {name}"), 5)
        self.cursor.execute("commit")
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            self.cursor.execute(f"select n from {name}")

    def test_session_advisory_locks_exclude_others_and_count(self):
        key, other = fresh("lock"), self.connect()
        try_lock, unlock = "select pg_try_advisory_lock(hashtext(%s))", "select pg_advisory_unlock(hashtext(%s))"
        self.assertTrue(self.value(try_lock, key))
        self.assertTrue(self.value(try_lock, key))
        self.assertFalse(self.value(try_lock, key, connection=other))
        self.assertTrue(self.value(unlock, key))
        self.assertFalse(self.value(try_lock, key, connection=other))
        self.assertTrue(self.value(unlock, key))
        self.assertTrue(self.value(try_lock, key, connection=other))
        other.close()
        deadline = time.monotonic() + 10
        while not self.value(try_lock, key):  # The server frees it when it has seen the end of the session.
            self.assertLess(time.monotonic(), deadline)
        self.cursor.execute("select pg_advisory_unlock_all()")

    def test_transaction_advisory_locks_end_with_the_transaction(self):
        key, other = fresh("lock"), self.connect()
        self.cursor.execute("begin")
        self.cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", (key,))
        self.assertFalse(self.value("select pg_try_advisory_xact_lock(hashtext(%s))", key, connection=other))
        self.cursor.execute("commit")
        self.assertTrue(self.value("select pg_try_advisory_xact_lock(hashtext(%s))", key, connection=other))

    def test_sequences_answer_for_their_transaction(self):
        name = fresh("sequence")
        self.cursor.execute(f"create sequence {name}")
        for expected in (1, 2, 3):
            self.cursor.execute("begin")
            self.assertEqual(self.value("select nextval(%s)", name), expected)
            self.assertEqual(self.value("select currval(%s)", name), expected)
            self.assertEqual(self.value("select lastval()"), expected)
            self.cursor.execute("commit")

    @only_proxied
    def test_sequences_answer_for_no_other_session(self):  # C18
        name = fresh("sequence")
        self.cursor.execute(f"create sequence {name}")
        self.assertEqual(self.value("select nextval(%s)", name), 1)
        for question in (f"select currval('{name}')", "select lastval()"):
            with self.assertRaises(psycopg2.errors.ObjectNotInPrerequisiteState) as refused:
                self.cursor.execute(question)
            self.assertIn("RETURNING", refused.exception.diag.message_hint)

    def test_sql_prepare_lasts_until_deallocate(self):
        self.cursor.execute("prepare twice(int) as select $1 * 2")
        for n in range(10):
            self.assertEqual(self.value("execute twice(%s)", n), n * 2)
        self.cursor.execute("deallocate twice")
        with self.assertRaises(psycopg2.errors.InvalidSqlStatementName):
            self.cursor.execute("execute twice(1)")

    def test_what_is_made_from_a_prepared_statement_is_the_sessions_own(self):
        name, sequence = fresh("made"), fresh("made")
        self.cursor.execute(f"create sequence {sequence}")
        self.cursor.execute(f"prepare {name}(bigint) as select $1 as n")
        self.cursor.execute(f"create temp table {name} as execute {name}(7)")
        others = [self.connect() for _ in range(8)]
        for other in others:  # In a transaction each: had the table stayed on a server without its owner, one would have it.
            other.autocommit = False
            self.assertIsNone(self.value("select to_regclass(%s)::text", name, connection=other))
        self.assertEqual(self.value(f"select n from {name}"), 7)
        for other in others:
            other.rollback()
        for expected in (1, 2, 3):  # An argument may write.
            self.assertEqual(self.value(f"execute {name}(nextval('{sequence}'))"), expected)

    def test_notices_arrive_in_order_with_their_severity(self):
        del self.connection.notices[:]
        self.cursor.execute("do $$ begin raise notice 'one %', 1; raise warning 'two'; raise notice 'žtři'; end $$")
        self.assertEqual(self.connection.notices, ["NOTICE:  one 1\n", "WARNING:  two\n", "NOTICE:  žtři\n"])
        self.cursor.execute("set client_min_messages = error; do $$ begin raise notice 'no'; end $$")
        self.assertEqual(len(self.connection.notices), 3)

    def test_large_objects_are_written_and_read(self):
        self.connection.autocommit = False
        data = bytes(range(256)) * 4096
        written = self.connection.lobject(0, "wb")
        written.write(data)
        oid = written.oid
        written.close()
        self.connection.commit()
        read = self.connection.lobject(oid, "rb")
        read.seek(256 * 10)
        self.assertEqual(read.read(256), data[:256])
        read.close()
        self.assertEqual(bytes(self.value("select lo_get(%s)", oid)), data)
        self.connection.lobject(oid).unlink()
        self.connection.commit()

    def test_discard_all_leaves_a_new_session(self):
        name, channel = fresh("gone"), fresh("gone")
        self.cursor.execute(f"create temp table {name} (n int); listen {channel}; prepare {name} as select 1")
        self.cursor.execute("set timezone = 'Asia/Tokyo'; select pg_advisory_lock(77)")
        self.cursor.execute("discard all")
        self.assertEqual(self.value("select count(*) from pg_listening_channels()"), 0)
        self.assertNotEqual(self.value("show timezone"), "Asia/Tokyo")
        self.assertTrue(self.value("select pg_try_advisory_xact_lock(77)", connection=self.connect()))
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            self.cursor.execute(f"select * from {name}")
        with self.assertRaises(psycopg2.errors.InvalidSqlStatementName):
            self.cursor.execute(f"execute {name}")
        with self.assertRaises(psycopg2.errors.ActiveSqlTransaction):
            self.cursor.execute("select 1; discard all")
