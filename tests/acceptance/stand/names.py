"""A name server that answers for the names that a test wants, and programs that ask nobody else. Needs root."""
import os
import random
import socket
import struct
import threading

_A, _IN, _NO_SUCH_NAME = 1, 1, 3


class NameServer:
    """`addresses` by name, to be changed at any time; who asks for one in `silent` is not answered; `asked` counts those.
    `prefix` starts a program that knows no other name server."""

    def __init__(self, folder, addresses):
        self.addresses, self.silent, self.asked = dict(addresses), set(), 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        host = self._bind()
        resolv = os.path.join(folder, "resolv.conf")
        with open(resolv, "w", encoding="ascii") as file:
            # It gives up after 25 s: later than a proxy may take to stop.
            file.write(f"nameserver {host}\noptions timeout:5 attempts:5\n")
        self.prefix = ["unshare", "-m", "sh", "-c", f'mount --bind {resolv} /etc/resolv.conf && exec "$@"', "sh"]
        threading.Thread(target=self._serve, daemon=True).start()

    def _bind(self):
        """resolv.conf names no ports, so that the address is what differs from other tests'."""
        while True:
            host = "127." + ".".join(str(random.randint(1, 254)) for _ in range(3))
            try:
                self._socket.bind((host, 53))
                return host
            except OSError:
                continue

    def _serve(self):
        while True:
            question, client = self._socket.recvfrom(512)
            if not question:  # stop() was called.
                self._socket.close()
                return
            answer = self._answer(question)
            if answer is not None:
                self._socket.sendto(answer, client)

    def _answer(self, question):
        """RFC 1035, 4.1: one question, at most one address."""
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode("ascii"))
            at += 1 + question[at]
        (kind,) = struct.unpack_from("!H", question, at + 1)
        name, asked = ".".join(labels).lower(), question[12:at + 5]
        if name in self.silent:
            self.asked += 1
            return None
        address = self.addresses.get(name)
        records = b""
        if address and kind == _A:
            records = b"\xc0\x0c" + struct.pack("!HHIH", _A, _IN, 0, 4) + socket.inet_aton(address)
        flags = 0x8180 | (0 if address else _NO_SUCH_NAME)
        return question[:2] + struct.pack("!5H", flags, 1, 1 if records else 0, 0, 0) + asked + records

    def stop(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
