"""Somebody between a client and PostgreSQL: one who only listens, one who is slow, one who shows a certificate of his own, and
one who asks for passwords with it."""
import contextlib
import select
import socket
import ssl
import struct
import threading

import wire


def _hand_on(a, b, hear=lambda data: None):
    """Until one of them ends; `hear` is told what `a` says."""
    while True:
        for ready in select.select([a, b], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            if ready is a:
                hear(data)
            (b if ready is a else a).sendall(data)


def _server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    # Tickets of TLS 1.3 would make a socket readable that has nothing to say.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Between:
    """Listens on `port` and hands on to `target` of this machine; `served` counts who is connected now."""

    def __init__(self, target):
        self._target, self.served, self._counting = target, 0, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # stop() was called.
                return
            threading.Thread(target=self._serve_one, args=(client,), daemon=True).start()

    def _count(self, change):
        with self._counting:
            self.served += change

    def _serve_one(self, client):
        self._count(1)
        try:
            with client, contextlib.closing(wire.Connection("127.0.0.1", self._target)) as server:
                self._serve(client, server)
        except OSError:
            pass  # One of them has left.
        finally:
            self._count(-1)

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Eavesdropper(_Between):
    """`heard`: what each client has said, as bytes on the wire, by connection."""

    def __init__(self, target):
        self.heard = []
        super().__init__(target)

    def _serve(self, client, server):
        said = bytearray()
        self.heard.append(said)
        _hand_on(client, server.socket, said.extend)


class Detainer(_Between):
    """Keeps what clients say back until `let_go` is set, where it `is_kept`: cancel requests; `kept` counts them."""

    def __init__(self, target, is_kept=wire.is_cancel_request):
        self._is_kept, self.kept, self.let_go = is_kept, 0, threading.Event()
        super().__init__(target)

    def _serve(self, client, server):
        _hand_on(client, server.socket, self._detain)

    def _detain(self, data):
        if self._is_kept(data):
            self.kept += 1
            self.let_go.wait(60)


class Leaver(_Between):
    """Ends the connection right behind the answer to a statement with `words` in it."""

    def __init__(self, target, words):
        self._words = words.encode("utf-8")
        super().__init__(target)

    def _serve(self, client, server):
        is_last = False
        while True:
            for ready in select.select([client, server.socket], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (server.socket if ready is client else client).sendall(data)
                if ready is client:
                    is_last = self._words in data
                elif is_last and data.endswith(wire.message(b"Z", b"I")):
                    return


class Interceptor(_Between):
    """TLS to both sides, so that he reads everything; nothing without TLS. Changes no byte."""

    def __init__(self, target, certificate):
        self._context = _server_context(certificate)
        super().__init__(target)

    def _serve(self, client, server):
        if client.recv(8) != wire.SSL_REQUEST:
            return
        server.ask_for_tls(ssl.TLSVersion.TLSv1_2)
        client.sendall(b"S")
        with self._context.wrap_socket(client, server_side=True) as victim:
            _hand_on(victim, server.socket)


def _answer(victim, code, body=b""):
    victim.sendall(wire.message(b"R", struct.pack("!i", code) + body))


def ask_for_password(victim):
    _answer(victim, 3)


def ask_for_md5(victim):
    _answer(victim, 5, b"salt")


def begin_without_proof(victim):
    """An exchange that nobody needs the password for: the session begins before his own proof is due."""
    _answer(victim, 10, b"SCRAM-SHA-256\0\0")
    nonce = victim.recv(4096).split(b",r=")[1]
    _answer(victim, 11, b"r=" + nonce + b"more,s=c2FsdHNhbHRzYWx0c2FsdA==,i=4096")
    victim.sendall(wire.message(b"Z", b"I"))


def begin_at_once(victim):
    victim.sendall(wire.message(b"Z", b"I"))


class Impostor(_Between):
    """Has TLS with a certificate of his own. Hands on who logs in as `passed_on`, so that he is taken for a server; of everybody
    else he asks what `ask` does, and keeps in `heard` what each says to that."""

    def __init__(self, target, certificate, ask, passed_on=None):
        self.heard, self._ask = [], ask
        self._passed_on = passed_on and wire.c_string("user") + wire.c_string(passed_on)
        self._context = _server_context(certificate)
        super().__init__(target)

    def _serve(self, client, server):
        if client.recv(8) != wire.SSL_REQUEST:
            return
        client.sendall(b"S")
        with self._context.wrap_socket(client, server_side=True) as victim:
            start = victim.recv(10000)
            if self._passed_on and self._passed_on in start:
                server.send(start)
                _hand_on(victim, server.socket)
            else:
                said = bytearray()
                self.heard.append(said)
                self._ask(victim)
                while data := victim.recv(65536):
                    said += data
