"""Certificate authorities of the tests' own: nobody else trusts what they sign, and nothing outlives its folder."""
import os
import subprocess

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """`ca_file` is what those must trust who are to accept its certificates."""

    def __init__(self, folder, name):
        self._folder, self._name = folder, name
        self.ca_file, self._key = self._path("ca.pem"), self._path("ca.key")
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.ca_file, "-days", "2", "-subj", f"/CN={name}")

    def _path(self, what):
        return os.path.join(self._folder, f"{self._name}-{what}")

    def issue(self, host):
        """For a server of that name. Returns the files of its certificate and of its key."""
        certificate, key, request = (self._path(f"{host}.{kind}") for kind in ("pem", "key", "csr"))
        _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={host}",
                 "-addext", f"subjectAltName=DNS:{host}")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self._key, "-CAcreateserial", "-days", "2",
                 "-copy_extensions", "copy", "-out", certificate)
        return certificate, key
