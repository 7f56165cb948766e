"""Somebody between a client and PostgreSQL: one who only listens, one who is slow, and one who shows a certificate of his own."""
import contextlib
import select
import socket
import ssl
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


class Interceptor(_Between):
    """TLS to both sides, so that he reads everything; nothing without TLS. Changes no byte."""

    def __init__(self, target, certificate):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        # Tickets of TLS 1.3 would make a socket readable that has nothing to say.
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        super().__init__(target)

    def _serve(self, client, server):
        if client.recv(8) != wire.SSL_REQUEST:
            return
        server.ask_for_tls(ssl.TLSVersion.TLSv1_2)
        client.sendall(b"S")
        with self._context.wrap_socket(client, server_side=True) as victim:
            _hand_on(victim, server.socket)
