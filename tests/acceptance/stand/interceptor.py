"""Somebody between a client and PostgreSQL who shows a certificate of his own, reads everything and changes nothing."""
import select
import socket
import ssl
import threading

import wire


class Interceptor:
    """Listens on `port` and hands on to `target` of this machine: TLS to both sides, and nothing without TLS."""

    def __init__(self, target, certificate):
        self._target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        # Tickets of TLS 1.3 would make a socket readable that has nothing to say.
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # stop() was called.
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                if client.recv(8) != wire.SSL_REQUEST:
                    return
                with wire.Connection("127.0.0.1", self._target) as server:
                    server.ask_for_tls(ssl.TLSVersion.TLSv1_2)
                    client.sendall(b"S")
                    with self._context.wrap_socket(client, server_side=True) as victim:
                        self._hand_on(victim, server.socket)
            except OSError:
                pass  # One of them has left.

    @staticmethod
    def _hand_on(a, b):
        while True:
            for ready in select.select([a, b], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (b if ready is a else a).sendall(data)

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
