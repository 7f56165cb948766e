"""SCRAM-SHA-256 as a client (RFC 5802, RFC 7677), without channel binding. For ASCII passwords only."""
import base64
import functools
import hashlib
import hmac
import os


@functools.lru_cache(maxsize=64)
def _salted(password, salt, iterations):
    # Ten thousand logins with one verifier share a salt: the only expensive step is done once.
    return hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)


def _hmac(key, text):
    return hmac.new(key, text.encode("ascii"), hashlib.sha256).digest()


class ScramClient:
    def __init__(self, password):
        self._password = password
        self._nonce = base64.b64encode(os.urandom(18)).decode("ascii")
        self._bare = f"n=,r={self._nonce}"
        self._server_signature = None

    def first(self):
        return b"n,," + self._bare.encode("ascii")

    def final(self, server_first):
        text = server_first.decode("ascii")
        fields = dict(part.split("=", 1) for part in text.split(","))
        if not fields["r"].startswith(self._nonce) or fields["r"] == self._nonce:
            raise ValueError("the server did not extend our nonce")
        salted = _salted(self._password, base64.b64decode(fields["s"]), int(fields["i"]))
        without_proof = f"c=biws,r={fields['r']}"
        signed = ",".join((self._bare, text, without_proof))
        client_key = _hmac(salted, "Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self._server_signature = _hmac(_hmac(salted, "Server Key"), signed)
        return f"{without_proof},p={base64.b64encode(proof).decode('ascii')}".encode("ascii")

    def verify(self, server_final):
        """The server knows the verifier too, or this raises."""
        if base64.b64decode(server_final.removeprefix(b"v=")) != self._server_signature:
            raise ValueError("the server's signature is wrong")
