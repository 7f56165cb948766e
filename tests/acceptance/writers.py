"""Writers that keep account of what they were told of each row, and whether the table agrees in the end."""
import threading
import time

import wire

TABLE = "ledger"
UNKNOWN = "08007"
# Nothing of it was committed: the server was lost before COMMIT was sent, or nobody could be asked in time.
SURELY_NOT = ("08006", "57P03")


class Writer(threading.Thread):
    """Inserts rows (its number, 1, 2, 3, ...) until stop(), and never the same one twice."""

    def __init__(self, address, number):
        super().__init__(daemon=True)
        self.address, self.number, self.n = address, number, 0
        self.acknowledged, self.unknown, self.refused = set(), set(), set()
        self.logins, self.told, self.findings = 0, [], []
        self._write = (self._simple, self._extended, self._transaction, self._pipeline)[number % 4]
        self._stopping = False

    def run(self):
        try:
            while not self._stopping:
                self._serve()
        except Exception as error:  # Whatever it is, it is a finding.
            self.findings.append(f"writer {self.number}, row {self.n}: {type(error).__name__}: {error}")

    def stop(self):
        self._stopping = True
        self.join(60)
        if self.is_alive():
            self.findings.append(f"writer {self.number} waits for an answer to row {self.n}")

    def _serve(self):
        self.logins += 1
        with wire.Connection.login(self.address, timeout=120) as client:
            while not self._stopping:
                try:
                    self._write(client)
                except wire.ServerError as error:  # FATAL: the connection is over.
                    return self._note(error.fields, [self.n])
                time.sleep(0.002)

    def _row(self):
        self.n += 1
        return f"insert into {TABLE} values ({self.number}, {self.n})"

    def _note(self, error, rows):
        """What was said of these rows; None: they were acknowledged."""
        if error is None:
            return self.acknowledged.update(rows)
        self.told.append(error["C"])
        if error["C"] == UNKNOWN:
            self.unknown.update(rows)
        elif error["C"] in SURELY_NOT:
            self.refused.update(rows)
        else:
            raise AssertionError(f"unexpected: {error}")

    def _take(self, answer, rows, tag=None, status="I"):
        """One answer: its error, if it has one, and never more (E27)."""
        if len(answer.errors) > 1 or answer.kinds.count("Z") != 1:
            raise AssertionError(f"more than one answer: {answer}")
        error = answer.errors[0] if answer.errors else None
        if error is None and tag is not None and answer.tags[-1:] != [tag]:
            raise AssertionError(f"expected {tag}: {answer}")
        if answer.status != status:
            raise AssertionError(f"expected status {status}: {answer}")
        self._note(error, rows)

    def _simple(self, client):
        self._take(client.query(self._row()), [self.n], "INSERT 0 1")

    def _extended(self, client):
        self.n += 1
        sql = f"insert into {TABLE} values ($1::int, $2::int)"
        answer = client.extended(wire.parse(sql), wire.bind((self.number, self.n)), wire.execute())
        self._take(answer, [self.n], "INSERT 0 1")

    def _transaction(self, client):
        rows = []
        for sql in ("begin", self._row(), self._row()):
            rows = [self.n - 1, self.n]
            answer = client.query(sql)
            if answer.errors:  # The transaction waits for its end, as after any error.
                self._take(answer, rows, status="E")
                client.query("rollback").checked()
                return
        self._take(client.query("commit"), rows, "COMMIT")

    def _pipeline(self, client):
        first = self.n + 1
        client.send(b"".join(wire.query(self._row()) for _ in range(3)))
        for row in range(first, self.n + 1):
            self._take(client.answer(), [row], "INSERT 0 1")


class Writers:
    """`count` of them, of all kinds."""

    def __init__(self, address, count):
        self.all = [Writer(address, number) for number in range(count)]
        for writer in self.all:
            writer.start()

    def acknowledged(self):
        return [len(writer.acknowledged) for writer in self.all]

    def have_gone_on_since(self, before):
        """Every one of them has been told of another row."""
        return all(now > then for now, then in zip(self.acknowledged(), before))

    def findings(self):
        return [finding for writer in self.all for finding in writer.findings]

    def stop(self):
        for writer in self.all:
            writer.stop()

    def check(self, rows):
        """What is wrong with `rows`, the table's (writer, n)."""
        wrong = self.findings()
        if len(set(rows)) != len(rows):
            wrong.append(f"rows that are there twice: {sorted(row for row in rows if rows.count(row) > 1)[:10]}")
        there = {}
        for number, n in rows:
            there.setdefault(number, set()).add(n)
        for writer in self.all:
            its = there.pop(writer.number, set())
            for what, bad in (
                ("acknowledged and lost", writer.acknowledged - its), ("refused and there", its & writer.refused),
                ("there, and never told", its - writer.acknowledged - writer.unknown - writer.refused),
            ):
                if bad:
                    wrong.append(f"writer {writer.number}: {what}: {sorted(bad)[:10]}")
        if there:
            wrong.append(f"rows of nobody: {there}")
        return wrong
