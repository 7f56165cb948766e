#!/usr/bin/python3
"""Servers that mean harm: what poses as a node, with TLS and a certificate of its own, gets no password and is not believed.

Whoever stands between hands the monitor's logins on, so that the proxy takes him for the primary, and asks its clients' logins.
"""
import dataclasses
import json
import subprocess
import sys
import tempfile
import unittest

import wire
from stand.certificates import Authority
from stand.interceptor import Impostor, ask_for_md5, ask_for_password, begin_at_once, begin_without_proof
from stand.open import only_proxied, run_program
from stand.proxied import ProxiedServer

STAND = None
ASKS = {"cleartext": ask_for_password, "md5": ask_for_md5, "unproven": begin_without_proof, "at_once": begin_at_once}
# What Fairlead says of it, and what to do; the rest of what it says to him is nothing.
REFUSALS = {
    "cleartext": 'asks user "tester" for the method "password", which server_auth does not allow',
    "md5": 'asks user "tester" for the method "md5", which server_auth does not allow',
    "unproven": "ended the SCRAM exchange before it proved itself",
    "at_once": "began a session without AuthenticationOk",
}


class ImpostorsStand(ProxiedServer):
    """One proxy, with a cluster and a database for each impostor, and one that the configuration lets ask for passwords."""

    def __init__(self, binary):
        self._folder = tempfile.TemporaryDirectory(prefix="fairlead-test-")
        self.certificate = Authority(self._folder.name, "stranger").issue("localhost")
        self.impostors = {}
        super().__init__(binary)
        try:
            sections = {}
            for name, ask in {**ASKS, "believed": ask_for_password}.items():
                self.impostors[name] = Impostor(self.address.port, self.certificate, ask, passed_on="postgres")
                sections[f"cluster.{name}"] = {
                    "nodes": [f"localhost:{self.impostors[name].port}"], **self.monitor(), "tls_mode": "require",
                    **({"server_auth": ["scram-sha-256", "password"]} if name == "believed" else {}),
                }
                sections[f"database.{name}"] = {"cluster": name, "database": "tests", "failover_hold": "2s"}
            self.proxy = self.add_proxy(sections=sections)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        try:
            super().stop()
        finally:
            for impostor in self.impostors.values():
                impostor.stop()
            self._folder.cleanup()


@only_proxied
class Impostors(unittest.TestCase):
    def refused(self, name):
        address = dataclasses.replace(STAND.proxy.address, database=name)
        with self.assertRaises(wire.ServerError) as caught, wire.Connection.login(address, timeout=15) as client:
            client.run("select 42")
        return caught.exception.fields

    def test_who_asks_for_less_than_scram_is_refused_and_learns_nothing(self):  # F14
        for name, why in REFUSALS.items():
            with self.subTest(name):
                fields = self.refused(name)
                self.assertIn(why, fields["M"])
                self.assertIn(f"localhost:{STAND.impostors[name].port}", fields["M"])
                heard = STAND.impostors[name].heard
                self.assertTrue(heard, "it was asked")
                for said in heard:
                    self.assertNotIn(STAND.password.encode("ascii"), said)
                    self.assertNotIn(b"md5", said)
                    self.assertNotIn(b"select", bytes(said).lower(), "it was taken for a server")
                    if name != "unproven":  # Of SCRAM the client's proof is to be seen, which is of no use.
                        self.assertEqual(said, b"")

    def test_the_error_names_the_key_that_allows_it(self):  # F14
        self.assertIn('add "password" to server_auth', self.refused("cleartext")["H"])
        self.assertIn('add "md5" to server_auth', self.refused("md5")["H"])
        self.assertRegex(STAND.proxy.whole_log(), 'no server for cleartext/tester: .*"password", which server_auth')

    def test_the_configuration_can_allow_it(self):
        """What he does with the password is his affair: he asks nobody for the rest of a session."""
        address = dataclasses.replace(STAND.proxy.address, database="believed")
        with self.assertRaises((wire.ServerError, wire.Closed, TimeoutError)):
            with wire.Connection.login(address, timeout=3) as client:
                client.run("select 42")
        self.assertIn(wire.message(b"p", wire.c_string(STAND.password)), [bytes(said) for said in STAND.impostors["believed"].heard])

    def test_check_gives_nothing_away_either_and_says_the_same(self):  # F14
        for name, ask in ASKS.items():
            impostor = Impostor(STAND.address.port, STAND.certificate, ask)
            self.addCleanup(impostor.stop)
            with self.subTest(name):
                done = subprocess.run(
                    [STAND.binary, "check", "--primary", f"postgresql://tester:{STAND.password}@localhost:{impostor.port}/tests",
                     "--json"],
                    capture_output=True, text=True, timeout=60, check=False,
                )
                self.assertEqual(done.returncode, 4, done.stderr)
                [finding] = [one for one in json.loads(done.stdout)["findings"] if str(impostor.port) in one["where"]]
                self.assertIn(REFUSALS[name], finding["message"])
                if name in ("cleartext", "md5"):
                    self.assertIn("to server_auth", finding["next"])
                self.assertTrue(impostor.heard)
                for said in impostor.heard:
                    self.assertNotIn(STAND.password.encode("ascii"), said)
                    self.assertNotIn(b"md5", said)


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=ImpostorsStand)
