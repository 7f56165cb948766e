"""psycopg2: COPY in and out, large, with errors, given up."""
import io
import unittest

import psycopg2

from driver_case import DSN, fresh

MIB = 1 << 20


class Lines(io.RawIOBase):
    """So many bytes of numbered lines, made as they are read: nothing large is held."""

    def __init__(self, size, bad_line=None, fail_at=None):
        super().__init__()
        self.lines, self.size, self.bad_line, self.fail_at, self.sent = 0, size, bad_line, fail_at, 0

    def read(self, _count=-1):
        if self.sent >= self.size:
            return b""
        if self.fail_at is not None and self.sent >= self.fail_at:
            raise RuntimeError("the source is broken")
        out = []
        for _ in range(64):
            out.append(b"x\n" if self.lines == self.bad_line else b"%d\t%s\n" % (self.lines, b"y" * 1000))
            self.lines += 1
        data = b"".join(out)
        self.sent += len(data)
        return data


class Counter(io.RawIOBase):
    def __init__(self):
        super().__init__()
        self.size = 0

    def write(self, data):
        self.size += len(data)
        return len(data)


class Psycopg2Copy(unittest.TestCase):
    def setUp(self):
        self.connection = psycopg2.connect(DSN)
        self.addCleanup(self.connection.close)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.table = fresh("copied")
        self.cursor.execute(f"create table {self.table} (n int, t text)")
        self.addCleanup(lambda: self.cursor.execute(f"drop table {self.table}"))

    def count(self):
        self.cursor.execute(f"select count(*) from {self.table}")
        return self.cursor.fetchone()[0]

    def test_text_and_csv_there_and_back(self):
        text = "1\tone\n2\t\\N\n3\ttab\\there \\\\ žlutý\n"
        self.cursor.copy_expert(f"copy {self.table} from stdin", io.StringIO(text))
        self.assertEqual(self.cursor.rowcount, 3)
        out = io.StringIO()
        self.cursor.copy_expert(f"copy (select * from {self.table} order by n) to stdout", out)
        self.assertEqual(out.getvalue(), text)
        out = io.StringIO()
        self.cursor.copy_expert(f"copy {self.table} to stdout (format csv, header)", out)
        self.assertEqual(out.getvalue(), "n,t\n1,one\n2,\n3,tab\there \\ žlutý\n")

    def test_binary_there_and_back(self):
        self.cursor.execute(f"insert into {self.table} select n, repeat('z', n) from generate_series(1, 500) n")
        out = io.BytesIO()
        self.cursor.copy_expert(f"copy {self.table} to stdout (format binary)", out)
        self.assertTrue(out.getvalue().startswith(b"PGCOPY\n\xff\r\n\0"))
        out.seek(0)
        self.cursor.copy_expert(f"copy {self.table} from stdin (format binary)", out)
        self.assertEqual(self.count(), 1000)

    def test_fifty_megabytes_in_and_out(self):
        lines = Lines(50 * MIB)
        self.cursor.copy_expert(f"copy {self.table} from stdin", lines)
        self.assertEqual(self.count(), lines.lines)
        counter = Counter()
        self.cursor.copy_expert(f"copy {self.table} to stdout", counter)
        self.assertEqual(counter.size, lines.sent)

    def test_a_bad_row_undoes_the_copy_and_nothing_else(self):
        for size, bad in ((MIB, 3), (4 * MIB, 3000)):
            with self.assertRaises(psycopg2.errors.InvalidTextRepresentation) as caught:
                self.cursor.copy_expert(f"copy {self.table} from stdin", Lines(size, bad_line=bad))
            self.assertIn(f"line {bad + 1}", caught.exception.diag.context)
            self.assertEqual(self.count(), 0)

    def test_a_copy_that_its_client_gives_up_is_undone(self):
        with self.assertRaises(psycopg2.errors.QueryCanceled):
            self.cursor.copy_expert(f"copy {self.table} from stdin", Lines(2 * MIB, fail_at=MIB))
        self.assertEqual(self.count(), 0)
        self.cursor.copy_expert(f"copy {self.table} from stdin", io.StringIO("1\tone\n"))
        self.assertEqual(self.count(), 1)

    def test_a_client_that_leaves_in_the_middle_of_a_result_harms_nobody(self):
        class Full(io.RawIOBase):
            def write(self, _data):
                raise RuntimeError("no more room")

        lost = psycopg2.connect(DSN)
        with self.assertRaises((RuntimeError, psycopg2.Error)):
            lost.cursor().copy_expert("copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout", Full())
        lost.close()
        for n in range(20):
            self.cursor.execute("select %s", (n,))
            self.assertEqual(self.cursor.fetchone(), (n,))

    def test_copy_in_a_transaction_is_part_of_it(self):
        self.cursor.execute("begin")
        self.cursor.copy_expert(f"copy {self.table} from stdin", io.StringIO("1\tone\n2\ttwo\n"))
        self.assertEqual(self.count(), 2)
        self.cursor.execute("rollback")
        self.assertEqual(self.count(), 0)

    def test_copy_of_what_does_not_exist_is_an_ordinary_error(self):
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            self.cursor.copy_expert("copy nowhere_at_all from stdin", io.StringIO("1\n"))
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            self.cursor.copy_expert("copy nowhere_at_all to stdout", io.StringIO())
        self.assertEqual(self.count(), 0)
