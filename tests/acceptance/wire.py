"""A PostgreSQL protocol v3 client with full control over every byte, for what drivers hide or refuse to send.

Blocking, one thread per connection. Message builders are functions that return bytes; Connection sends and reads.
"""
import hashlib
import socket
import ssl
import struct
from dataclasses import dataclass, field

from scram import ScramClient

PROTOCOL_3_0 = 196608
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def c_string(text):
    return (text.encode("utf-8") if isinstance(text, str) else text) + b"\0"


def startup(parameters, protocol=PROTOCOL_3_0):
    body = struct.pack("!i", protocol)
    for name, value in parameters.items():
        body += c_string(name) + c_string(value)
    return struct.pack("!i", len(body) + 5) + body + b"\0"


def query(sql):
    return message(b"Q", c_string(sql))


def parse(sql, name="", oids=()):
    return message(b"P", c_string(name) + c_string(sql) + struct.pack(f"!h{len(oids)}I", len(oids), *oids))


def bind(values=(), statement="", portal="", binary=False):
    """Values are text, bytes or None; with `binary` they are sent in binary format. Results come as text."""
    body = [c_string(portal), c_string(statement), struct.pack("!hhh", 1, int(binary), len(values))]
    for value in values:
        if value is None:
            body.append(struct.pack("!i", -1))
        else:
            data = value if isinstance(value, bytes) else str(value).encode("utf-8")
            body += [struct.pack("!i", len(data)), data]
    body.append(struct.pack("!h", 0))
    return message(b"B", b"".join(body))


def describe(kind, name=""):
    return message(b"D", kind + c_string(name))


def execute(portal="", max_rows=0):
    return message(b"E", c_string(portal) + struct.pack("!i", max_rows))


def close(kind, name=""):
    return message(b"C", kind + c_string(name))


def copy_data(data):
    return message(b"d", data)


COPY_DONE = message(b"c")
SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")


def cancel_request(pid, secret):
    return struct.pack("!iii", 12 + len(secret), 80877102, pid) + secret


def is_cancel_request(data):
    return data[4:8] == cancel_request(0, b"")[4:8]


def any_certificate():
    """A TLS context for a client that believes everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Closed(Exception):
    """The server closed the connection."""


class ServerError(Exception):
    """An ErrorResponse, where the caller had not expected one."""

    def __init__(self, fields):
        detail = f" ({fields['D']})" if "D" in fields else ""
        super().__init__(f"{fields.get('V')} {fields.get('C')}: {fields.get('M')}{detail}")
        self.fields = fields
        self.sqlstate = fields.get("C")


def fields_of(body):
    """The fields of an ErrorResponse or NoticeResponse by their one-letter codes."""
    parts = body.rstrip(b"\0").split(b"\0")
    return {part[:1].decode("ascii"): part[1:].decode("utf-8", "replace") for part in parts if part}


def row_of(body):
    (count,) = struct.unpack_from("!h", body)
    position, values = 2, []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, position)
        position += 4
        if length < 0:
            values.append(None)
        else:
            values.append(body[position : position + length].decode("utf-8"))
            position += length
    return tuple(values)


@dataclass
class Answer:
    """Everything up to one ReadyForQuery."""

    rows: list = field(default_factory=list)
    tags: list = field(default_factory=list)
    errors: list = field(default_factory=list)  # Their fields.
    kinds: str = ""  # The types of all messages in order, without asynchronous ones and data rows: "12TCZ".
    status: str = ""  # I, T or E.

    def checked(self):
        if self.errors:
            raise ServerError(self.errors[0])
        return self


class Connection:
    """Starts with nothing but an open socket; login() is what usually follows."""

    def __init__(self, host, port, timeout=30.0):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self.host, self.port = host, port
        self.parameters = {}
        self.notices = []
        self.notifications = []
        self.pid, self.secret = 0, b""

    @classmethod
    def login(cls, address, port=None, timeout=30.0, **parameters):
        connection = cls(address.host, port or address.port, timeout)
        try:
            connection.log_in(address, **parameters)
        except BaseException:
            connection.close()
            raise
        return connection

    def log_in(self, address, **parameters):
        self.send(startup({"user": address.user, "database": address.database, **parameters}))
        self.authenticate(address.password, address.user)
        answer = self.answer()
        if answer.errors:
            raise ServerError(answer.errors[0])

    def authenticate(self, password, user=""):
        """The user's name is part of an md5 secret only."""
        scram = ScramClient(password)
        while True:
            kind, body = self.read()
            if kind == b"E":
                raise ServerError(fields_of(body))
            if kind != b"R":
                raise AssertionError(f"expected an authentication message, got {kind!r}")
            (method,) = struct.unpack_from("!i", body)
            if method == 0:
                return
            if method == 5:
                secret = hashlib.md5(f"{password}{user}".encode("ascii")).hexdigest().encode("ascii")
                self.send(message(b"p", c_string(b"md5" + hashlib.md5(secret + body[4:]).hexdigest().encode("ascii"))))
            elif method == 10:
                first = scram.first()
                self.send(message(b"p", c_string("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
            elif method == 11:
                self.send(message(b"p", scram.final(body[4:])))
            elif method == 12:
                scram.verify(body[4:])
            else:
                raise AssertionError(f"authentication method {method}")

    def start_tls(self, alpn=None, newest=ssl.TLSVersion.TLSv1_3):
        """After the server has answered S to SSL_REQUEST, or from the first byte on. Any certificate will do."""
        context = any_certificate()
        context.maximum_version = newest
        if alpn:
            context.set_alpn_protocols([alpn])
        self.socket = context.wrap_socket(self.socket)

    def ask_for_tls(self, newest=ssl.TLSVersion.TLSv1_3):
        self.send(SSL_REQUEST)
        answer = self.read_bytes(1)
        if answer != b"S":
            raise AssertionError(f"TLS is not served: {answer!r}")
        self.start_tls(newest=newest)

    def send(self, data):
        self.socket.sendall(data)

    def read_bytes(self, count):
        buffer = self._buffer
        while len(buffer) < count:
            chunk = self.socket.recv(262144)
            if not chunk:
                raise Closed(f"closed after {len(buffer)} of {count} bytes")
            buffer += chunk
        data = bytes(buffer[:count])
        del buffer[:count]
        return data

    def read(self):
        """The next message, asynchronous ones included, as (type, body)."""
        header = self.read_bytes(5)
        return header[:1], self.read_bytes(int.from_bytes(header[1:], "big") - 4)

    def next(self):
        """The next message that answers something; asynchronous ones are kept aside (F26)."""
        while True:
            kind, body = self.read()
            if kind == b"S":
                name, value = body[:-1].split(b"\0")
                self.parameters[name.decode()] = value.decode()
            elif kind == b"N":
                self.notices.append(fields_of(body))
            elif kind == b"A":
                channel, payload = body[4:-1].split(b"\0")
                self.notifications.append((channel.decode(), payload.decode()))
            elif kind == b"K":
                self.pid, self.secret = struct.unpack_from("!i", body)[0], body[4:]
            else:
                return kind, body

    def answer(self):
        """Reads up to ReadyForQuery. A FATAL ends with Closed only when it is read past."""
        result, kinds = Answer(), []
        while True:
            kind, body = self.next()
            if kind == b"D":
                result.rows.append(row_of(body))
                continue
            kinds.append(kind.decode("ascii"))
            if kind == b"C":
                result.tags.append(body[:-1].decode())
            elif kind == b"E":
                result.errors.append(fields_of(body))
                if result.errors[-1].get("V") == "FATAL":
                    raise ServerError(result.errors[-1])
            elif kind == b"Z":
                result.status = body.decode("ascii")
                result.kinds = "".join(kinds)
                return result

    def query(self, sql):
        """One simple Query; errors are in the answer."""
        self.send(query(sql))
        return self.answer()

    def run(self, sql):
        """One simple Query that must succeed; its rows."""
        return self.query(sql).checked().rows

    def value(self, sql):
        return self.run(sql)[0][0]

    def extended(self, *messages):
        """Messages of the extended protocol with a Sync after them, as one write."""
        self.send(b"".join(messages) + SYNC)
        return self.answer()

    def prepared(self, sql, *values):
        """Through the unnamed statement, as most drivers do; must succeed."""
        return self.extended(parse(sql), bind(values), describe(b"P"), execute()).checked().rows

    def cancel(self):
        with socket.create_connection((self.host, self.port), 10) as other:
            other.sendall(cancel_request(self.pid, self.secret))
            other.settimeout(10)
            return other.recv(1)  # PostgreSQL closes without a word, when it has dealt with it.

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.send(TERMINATE)
        except OSError:
            pass
        self.close()
