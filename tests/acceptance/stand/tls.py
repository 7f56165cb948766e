"""What the tests of TLS between clients and Fairlead run against."""
import tempfile

import psycopg2

import wire
from stand.certificates import Authority
from stand.proxied import ProxiedServer


class TlsStand(ProxiedServer):
    """One server, a proxy with a certificate for "localhost", and a proxy without one.

    Clients of the database "verified" are served over TLS on the servers' side, too.
    """

    def __init__(self, binary):
        self.certificates = tempfile.TemporaryDirectory(prefix="fairlead-test-")
        self.authority = Authority(self.certificates.name, "authority")
        self.stranger = Authority(self.certificates.name, "stranger")
        certificate = self.authority.issue("localhost")
        super().__init__(binary, certificate=certificate)
        try:
            self.proxy = self.add_proxy(sections=self._sections(*certificate))
            self.without = self.add_proxy()
        except BaseException:
            self.stop()
            raise

    def _sections(self, certificate, key):
        verified = {"nodes": [f"localhost:{self.address.port}"], **self.monitor(), "tls_mode": "verify-full",
                    "tls_ca_file": self.authority.ca_file}
        return {
            "listen": {"tls_cert_file": certificate, "tls_key_file": key}, "cluster": {"tls_mode": "disable"},
            "cluster.verified": verified, "database.verified": {"cluster": "verified", "database": "tests"},
        }

    def stop(self):
        self.certificates.cleanup()
        super().stop()

    def connect(self, address=None, **options):
        """psycopg2 at `proxy`, or at `address`; the name of the host is not looked up."""
        address = address or self.proxy.address
        return psycopg2.connect(**{
            "host": "localhost", "hostaddr": address.host, "port": address.port, "user": address.user,
            "password": address.password, "dbname": address.database, "sslrootcert": "/nowhere", **options,
        })

    def tls_login(self, **parameters):
        """After an SSLRequest."""
        return self._login(wire.Connection.ask_for_tls, parameters)

    def direct_login(self, **parameters):
        """TLS from the first byte on."""
        return self._login(lambda connection: connection.start_tls("postgresql"), parameters)

    def _login(self, start_tls, parameters):
        connection = wire.Connection(self.proxy.address.host, self.proxy.address.port)
        try:
            start_tls(connection)
            connection.log_in(self.proxy.address, **parameters)
        except BaseException:
            connection.close()
            raise
        return connection
