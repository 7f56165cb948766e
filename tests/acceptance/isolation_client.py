"""One client of the isolation soak: random work with a model of what its session must look like, every byte checked.

All clients use the same names for statements, cursors, channels, temporary tables and settings; only what is behind
them differs. So whatever leaks from one session into another shows as a wrong value.
"""
import random

import wire

ZONES = ("UTC", "Asia/Tokyo", "America/Lima", "Africa/Cairo", "Europe/Prague", "Asia/Kolkata", "Pacific/Auckland")
STYLES = ("ISO, MDY", "ISO, DMY", "German, DMY", "SQL, MDY", "Postgres, DMY")
TABLE = "isolation_rows"


class Leak(AssertionError):
    """Somebody else's data or settings, or answers out of step."""


class IsolationClient:
    def __init__(self, address, number, seed):
        self.number, self.token = number, f"client-{number:03d}-of-{seed}"
        self.address = address
        self.random = random.Random(f"{seed}/{number}")
        self.steps, self.written, self.counts = 0, 0, {}
        self.connection = None
        self.connect()

    # The model: what current_setting() must say. `levels` are the open transaction and its savepoints.

    def connect(self):
        self.startup = {
            "application_name": self.token,
            "search_path": f"isolation_{self.number}, public",
            "TimeZone": ZONES[self.number % len(ZONES)],
        }
        self.connection = wire.Connection.login(self.address, timeout=60, **self.startup)
        self.settings = {**self.startup, "app.tenant": "", "DateStyle": "ISO, MDY", "statement_timeout": "0"}
        self.defaults = dict(self.settings)
        self.local = {}  # What SET LOCAL shows until the transaction ends.
        self.before = None  # The settings as they were when the open transaction began.
        self.statements = {}
        self.temporary = False

    def shown(self):
        return {**self.settings, **self.local}

    def expect(self, got, want, what):
        if got != want:
            raise Leak(f"{self.token}, step {self.steps}, {what}: expected {want!r}, got {got!r}")

    def rows(self, answer, want, what):
        if answer.errors:
            raise Leak(f"{self.token}, step {self.steps}, {what}: {answer.errors[0]}")
        self.expect(answer.rows, want, what)
        self.expect(answer.status, "I" if self.before is None else "T", f"{what}: status")

    def fails(self, answer, sqlstate, what):
        self.expect([error["C"] for error in answer.errors], [sqlstate], what)

    def step(self):
        self.steps += 1
        kinds = (
            (self.simple, 6), (self.unnamed, 6), (self.named, 8), (self.pipeline, 5), (self.failed_pipeline, 3),
            (self.error, 2), (self.set_variable, 6), (self.check_settings, 6), (self.transaction, 5), (self.own_schema, 4),
            (self.own_rows, 4), (self.forget, 1), (self.disconnect, 1), (self.use_temporary_table, 1), (self.cursor, 2),
            (self.suspended_portal, 2), (self.copy_out, 1), (self.unnamed_later, 2),
        )
        [kind] = self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
        self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
        kind()

    # Plain work.

    def nonce(self):
        return f"{self.token}/{self.random.getrandbits(40):x}"

    def simple(self):
        nonce = self.nonce()
        size = self.random.choice((0, 10, 20000))
        answer = self.connection.query(f"select '{nonce}', repeat('{self.number % 10}', {size})")
        self.rows(answer, [(nonce, str(self.number % 10) * size)], "simple query")

    def unnamed(self):
        nonce = self.nonce()
        answer = self.connection.extended(
            wire.parse("select $1::text, $2::int + 1"), wire.bind([nonce, self.steps]), wire.describe(b"P"), wire.execute()
        )
        self.rows(answer, [(nonce, str(self.steps + 1))], "unnamed statement")

    def unnamed_later(self):
        """Parse and Bind in different segments (C12)."""
        nonce = self.nonce()
        answer = self.connection.extended(wire.parse(f"select '{self.token}', $1::text"), wire.describe(b"S"))
        self.rows(answer, [], "unnamed Parse alone")
        answer = self.connection.extended(wire.bind([nonce]), wire.execute())
        self.rows(answer, [(self.token, nonce)], "unnamed Bind alone")

    def prepare(self, name):
        """The text is the client's own; the name is everybody's."""
        if name in self.statements:
            return b""
        self.statements[name] = f"{self.token} {name} {self.steps}"
        tenant = "coalesce(current_setting('app.tenant', true), '')"
        return wire.parse(f"select $1::text || ' by {self.statements[name]}', {tenant}", name)

    def named(self):
        name, nonce = f"statement_{self.random.randrange(12)}", self.nonce()
        parse = self.prepare(name)
        answer = self.connection.extended(parse, wire.bind([nonce], name), wire.execute())
        self.rows(answer, [(f"{nonce} by {self.statements[name]}", self.shown()["app.tenant"])], "named statement")
        self.expect(answer.kinds, "12CZ" if parse else "2CZ", "messages of a named statement")
        if self.random.random() < 0.1:
            del self.statements[name]
            self.expect(self.connection.extended(wire.close(b"S", name)).kinds, "3Z", "close")
            if self.before is None:  # In a transaction the error would fail it.
                self.fails(self.connection.extended(wire.bind([nonce], name)), "26000", "bind after close")

    def pipeline(self):
        messages, want = [], []
        for _ in range(self.random.randrange(2, 20)):
            name, nonce = f"statement_{self.random.randrange(12)}", self.nonce()
            messages += [self.prepare(name), wire.bind([nonce], name), wire.execute()]
            want.append((f"{nonce} by {self.statements[name]}", self.shown()["app.tenant"]))
        self.rows(self.connection.extended(*messages), want, "pipeline")

    def failed_pipeline(self):
        """An error in the middle: what stands before it is answered, the rest is skipped, names included."""
        first, last = self.nonce(), f"skipped_{self.steps}"
        one = [wire.parse("select $1::text"), wire.bind([first]), wire.execute()]
        bad = self.random.choice((
            (b"".join((wire.parse("select 1 / $1::int"), wire.bind(["0"]), wire.execute())), "22012"),
            (wire.parse("selekt"), "42601"), (wire.bind([], "never_prepared"), "26000"),
            (wire.execute("never_bound"), "34000"),
        ))
        answer = self.connection.extended(*one, bad[0], wire.parse("select 1", last), wire.bind([], last), wire.execute())
        self.fails(answer, bad[1], "error in a pipeline")
        self.expect(answer.rows, [(first,)], "rows before the error of a pipeline")
        self.fails(self.connection.extended(wire.bind([], last)), "26000", "a skipped Parse")

    def error(self):
        sql, state = self.random.choice((
            ("select 1/0", "22012"), ("selekt", "42601"), (f"select * from never_{self.number}", "42P01"),
            (f"insert into {TABLE} values (null, 0)", "23502"),
        ))
        self.fails(self.connection.query(sql), state, sql)

    # Settings.

    def change(self):
        name = self.random.choice(("app.tenant", "TimeZone", "DateStyle", "statement_timeout", "application_name"))
        value = {
            "app.tenant": self.nonce(), "TimeZone": self.random.choice(ZONES), "DateStyle": self.random.choice(STYLES),
            "statement_timeout": f"{self.random.randrange(100001, 100999)}ms", "application_name": self.nonce()[:60],
        }[name]
        return name, value

    def set_variable(self):
        name, value = self.change()
        how = self.random.randrange(5)
        if how == 0:
            self.connection.prepared("select set_config($1, $2, false)", name, value)
        elif how == 1:
            self.connection.run(f"reset {name}")
            value = self.defaults[name]
        else:
            self.connection.run(f"set {name} = '{value}'")
        self.settings[name] = value
        self.local.pop(name, None)

    def check_settings(self):
        names = list(self.settings)
        shown = self.shown()
        if self.random.random() < 0.3:
            name = self.random.choice([name for name in names if name != "app.tenant"])
            self.rows(self.connection.query(f"show {name}"), [(shown[name],)], f"show {name}")
            return
        answer = self.connection.query("select " + ", ".join(f"current_setting('{name}', true)" for name in names))
        # A setting that was never made is NULL, and empty once it was (guc.c keeps the placeholder).
        answer.rows = [tuple(value or "" for value in row) for row in answer.rows]
        self.rows(answer, [tuple(shown[name] for name in names)], f"settings {names}")
        for name in ("application_name", "TimeZone", "DateStyle"):
            self.expect(self.connection.parameters[name], shown[name], f"ParameterStatus {name}")

    def forget(self):
        sql = self.random.choice(("discard all", "reset all", "deallocate all"))
        self.connection.run(sql)
        if sql != "deallocate all":
            self.settings = dict(self.defaults)
        if sql != "reset all":
            self.statements = {}
        if sql == "discard all":
            self.temporary = False

    # Data of one's own.

    def own_schema(self):
        self.rows(self.connection.query("select token from whoami"), [(f"schema-{self.number}",)], "search_path")

    def own_rows(self):
        self.connection.run(f"insert into {TABLE} values ('{self.token}', {self.written})")
        self.written += 1
        self.check_count()

    def check_count(self, more=0):
        answer = self.connection.query(f"select count(*), min(token), max(token) from {TABLE} where token = '{self.token}'")
        count = self.written + more
        self.rows(answer, [(str(count), self.token, self.token) if count else ("0", None, None)], "one's own writes")

    def transaction(self):
        """Settings and rows, kept or dropped as a whole, with a savepoint and sometimes an error."""
        self.connection.run("begin")
        self.before = dict(self.settings)
        rows = self.random.randrange(1, 4)
        for n in range(rows):
            self.connection.run(f"insert into {TABLE} values ('{self.token}', {-n - 1})")
        self.set_variable()
        name, value = self.change()
        self.connection.run(f"set local {name} = '{value}'")
        self.local[name] = value
        self.check_settings()
        self.undone_savepoint()
        self.named()
        self.check_count(rows)
        keep = self.random.random() < 0.5
        if self.random.random() < 0.3:
            self.error()
            self.fails(self.connection.query("select 1"), "25P02", "after an error in a transaction")
            keep = False
        answer = self.connection.query("commit" if keep else "rollback")
        self.expect((answer.tags, answer.status), (["COMMIT" if keep else "ROLLBACK"], "I"), "end of a transaction")
        self.written += rows if keep else 0
        self.settings = self.settings if keep else self.before
        self.before, self.local = None, {}
        self.check_settings()
        self.check_count()

    def undone_savepoint(self):
        kept, local = dict(self.settings), dict(self.local)
        self.connection.run("savepoint s")
        self.set_variable()
        self.connection.run("rollback to s")
        self.settings, self.local = kept, local

    def cursor(self):
        hold = self.before is None and self.random.random() < 0.5
        if not hold:
            self.connection.run("begin")
        self.connection.run(f"declare c cursor {'with hold' if hold else ''} for select '{self.token}', n from generate_series(1, 9) n")
        got = self.connection.run("fetch 2 from c") + self.connection.run("fetch 1 from c")
        self.expect(got, [(self.token, str(n)) for n in (1, 2, 3)], "cursor")
        self.connection.run("close c" if hold else "commit")

    def suspended_portal(self):
        self.connection.run("begin")
        self.connection.extended(
            wire.parse(f"select '{self.token}', n from generate_series(1, 30) n"), wire.bind(portal="p"), wire.execute("p", 10)
        ).checked()
        answer = self.connection.extended(wire.execute("p", 10))
        self.expect(answer.rows, [(self.token, str(n)) for n in range(11, 21)], "suspended portal")
        self.connection.run("rollback")

    def use_temporary_table(self):
        if not self.temporary:
            self.connection.run(f"create temp table private as select '{self.token}'::text as owner")
            self.temporary = True
        for _ in range(3):
            self.rows(self.connection.query("select owner from private"), [(self.token,)], "temporary table")
        if self.random.random() < 0.7:  # Clients that keep it keep their server too, and the pool is small.
            self.connection.run("drop table private")
            self.temporary = False

    def copy_out(self):
        self.connection.send(wire.query(f"copy (select '{self.token}' from generate_series(1, 50)) to stdout"))
        data = []
        while (message := self.connection.next())[0] != b"Z":
            if message[0] == b"d":
                data.append(message[1])
        self.expect(b"".join(data).decode(), f"{self.token}\n" * 50, "copy")

    def disconnect(self):
        """In every rude way; the next session must be a new one."""
        how = self.random.randrange(6)
        messages = (
            wire.TERMINATE, b"", wire.query(f"begin; insert into {TABLE} values ('{self.token}', -99)"),
            wire.query(f"select '{self.token}' from generate_series(1, 100000)"), wire.query("select pg_sleep(0.2)")[:9],
            wire.parse("select 1", "half") + wire.bind([], "half") + wire.execute(),
        )
        self.connection.send(messages[how])
        self.connection.close()
        self.connect()
        self.check_settings()
