"""What the tests of TLS between clients and Fairlead run against."""
import tempfile

import psycopg2

import wire
from stand.certificates import Authority
from stand.proxied import ProxiedServer


class TlsStand(ProxiedServer):
    """One server, a proxy with a certificate for "localhost", and a proxy without one."""

    def __init__(self, binary):
        self.certificates = tempfile.TemporaryDirectory(prefix="fairlead-test-")
        self.authority = Authority(self.certificates.name, "authority")
        self.stranger = Authority(self.certificates.name, "stranger")
        super().__init__(binary)
        try:
            certificate, key = self.authority.issue("localhost")
            self.proxy = self.add_proxy(sections={"listen": {"tls_cert_file": certificate, "tls_key_file": key}})
            self.without = self.add_proxy()
        except BaseException:
            self.stop()
            raise

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
