#!/usr/bin/python3
"""TLS between Fairlead and PostgreSQL: each tls_mode with each kind of server does what libpq's sslmode does with it.

One proxy has a cluster and a database of its own for every pair of mode and server; libpq is asked the same at each server.
"""
import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import psycopg2

import wire
from stand.certificates import Authority
from stand.interceptor import Eavesdropper, Interceptor
from stand.open import only_proxied, run_program
from stand.plain import PlainPostgres
from stand.processes import eventually
from stand.proxied import ProxiedServer

STAND = None
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SCRAM = "scram-sha-256"
IN_TLS, IN_PLAIN = "in TLS", "in plain"
HOW = f"select case when ssl then '{IN_TLS}' else '{IN_PLAIN}' end from pg_stat_ssl where pid = pg_backend_pid()"


@dataclasses.dataclass(frozen=True)
class Case:
    """Fairlead in front of one kind of server. `outcome`: how it is reached, or the words of libpq and of Fairlead."""

    mode: str
    server: str  # A key of ServersStand.servers.
    outcome: object
    host: str = "localhost"
    ca: str = "authority"

    @property
    def verifies(self):
        return self.mode not in MODES[:3]

    @property
    def name(self):
        return "_".join((self.mode, self.server, self.host.replace(".", "-"), self.ca or "none")).replace("-", "")


NOT_OFFERED = ("server does not support SSL, but SSL was required", "does not offer TLS, and tls_mode demands it")
NOT_IN_PLAIN = ("no pg_hba.conf entry for host .* no encryption", "no pg_hba.conf entry for host .* no encryption")
NOT_IN_TLS = ("no pg_hba.conf entry for host .* SSL encryption", "no pg_hba.conf entry for host .* SSL encryption")
NOT_TRUSTED = ("certificate verify failed", "the certificate was not accepted: unable to get local issuer certificate")
NOT_ITS_NAME = ("does not match host name", "the certificate was not accepted: (hostname|IP address) mismatch")
OVERHEARD = Case("verify-full", "overheard", IN_TLS)

CASES = [
    # A server that takes TLS only, one that has none, one that takes both and one that has TLS but wants none.
    *(Case(mode, "tls_only", NOT_IN_PLAIN if mode == "disable" else IN_TLS) for mode in MODES),
    *(Case(mode, "no_tls", IN_PLAIN if mode in MODES[:3] else NOT_OFFERED) for mode in MODES),
    *(Case(mode, "both", IN_PLAIN if mode in MODES[:2] else IN_TLS) for mode in MODES),
    *(Case(mode, "plain_only", IN_PLAIN if mode in MODES[:3] else NOT_IN_TLS) for mode in MODES),
    # Whose certificate it is counts for those who verify; a CA file makes "require" one of them.
    Case("require", "tls_only", IN_TLS, ca=""),
    Case("require", "tls_only", NOT_TRUSTED, ca="stranger"),
    Case("verify-ca", "tls_only", NOT_TRUSTED, ca="stranger"),
    Case("verify-full", "tls_only", NOT_TRUSTED, ca="stranger"),
    # The certificates name "localhost" and no address.
    Case("require", "tls_only", IN_TLS, host="127.0.0.1"),
    Case("verify-ca", "tls_only", IN_TLS, host="127.0.0.1"),
    Case("verify-full", "tls_only", NOT_ITS_NAME, host="127.0.0.1"),
    Case("verify-full", "tls_only", NOT_ITS_NAME, host="127.1"),  # Another way to write that address.
    # Who only listens is not noticed, and hears nothing.
    OVERHEARD,
    # Whoever is in the middle is found out by his authority where it is asked for, and by channel binding always.
    Case("verify-full", "intercepted", NOT_TRUSTED),
    Case("require", "intercepted", ("channel binding", "channel binding"), ca=""),
]


class ServersStand(ProxiedServer):
    """The proxy's main cluster is the server that takes both."""

    def __init__(self, binary):
        self._folder = tempfile.TemporaryDirectory(prefix="fairlead-test-")
        self._others, self._between = [], []
        self.authorities = {name: Authority(self._folder.name, name) for name in ("authority", "stranger")}
        certificate = self.authorities["authority"].issue("localhost")
        super().__init__(binary, certificate=certificate)
        try:
            self._open_others(certificate)
            self.proxy = self.add_proxy(sections=self._sections())
            self.with_verifiers = self.add_proxy(verifiers=True, sections={"cluster": {"tls_mode": "require"}})
        except BaseException:
            self.stop()
            raise

    def _open_others(self, certificate):
        for options in (
            {"certificate": certificate, "hba": [f"hostssl all all all {SCRAM}"]}, {},
            {"certificate": certificate, "hba": [f"hostnossl all all all {SCRAM}"]},
        ):
            self._others.append(PlainPostgres(**options, password=self.password))
        tls_only, no_tls, plain_only = (one.address.port for one in self._others)
        intercepted = Interceptor(tls_only, self.authorities["stranger"].issue("localhost"))
        self.overheard = Eavesdropper(tls_only)
        self._between = [intercepted, self.overheard]
        self.ports = {"tls_only": tls_only, "no_tls": no_tls, "plain_only": plain_only, "both": self.address.port,
                      "intercepted": intercepted.port, "overheard": self.overheard.port}

    def _sections(self):
        sections = {}
        for case in CASES:
            sections[f"cluster.{case.name}"] = {
                "nodes": [f"{case.host}:{self.ports[case.server]}"], **self.monitor(), "probe_interval": "1s",
                "tls_mode": case.mode, "tls_ca_file": self.ca_file(case) if case.verifies else "",
            }
            sections[f"database.{case.name}"] = {"cluster": case.name, "database": "tests", "failover_hold": "0s"}
        return sections

    def ca_file(self, case):
        return self.authorities[case.ca].ca_file if case.ca else ""

    def stop(self):
        try:
            super().stop()
        finally:
            for one in self._between:
                one.stop()
            for other in self._others:
                other.stop()
            self._folder.cleanup()


@only_proxied
class Servers(unittest.TestCase):
    def libpq(self, case):
        """What libpq says when it asks the server itself."""
        ca = STAND.ca_file(case) or "/nowhere"
        client = psycopg2.connect(host=case.host, hostaddr="127.0.0.1", port=STAND.ports[case.server], user="tester",
                                  password=STAND.password, dbname="tests", sslmode=case.mode, sslrootcert=ca)
        with contextlib.closing(client), client.cursor() as cursor:
            cursor.execute(HOW)
            return cursor.fetchone()[0]

    def login(self, case):
        return wire.Connection.login(dataclasses.replace(STAND.proxy.address, database=case.name))

    def fairlead(self, case):
        with self.login(case) as client:
            return client.value(HOW)

    def test_who_is_in_the_middle_is_found_by_channel_binding_and_by_nothing_else(self):
        """Without it he is let through: what stops him in CASES is the binding."""
        client = psycopg2.connect(host="localhost", port=STAND.ports["intercepted"], user="tester", sslmode="require",
                                  password=STAND.password, dbname="tests", channel_binding="disable")
        with contextlib.closing(client), client.cursor() as cursor:
            cursor.execute(HOW)
            self.assertEqual(cursor.fetchone(), (IN_TLS,))

    def test_keys_that_a_login_has_taught_bind_the_login_to_the_server_too(self):
        with wire.Connection.login(STAND.with_verifiers.address) as client:
            self.assertEqual(client.value(HOW), IN_TLS)

    def test_cancel_requests_are_sent_in_tls_as_all_else_is(self):
        def sleeps():
            return other.value("select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'") == "1"

        with self.login(OVERHEARD) as client, self.login(OVERHEARD) as other:
            client.send(wire.query("select pg_sleep(30)"))
            eventually(sleeps, 10, "the statement runs")
            client.cancel()
            self.assertEqual(client.answer().errors[0]["C"], "57014")
            self.assertEqual(client.value("select 42"), "42")
        self.assertGreater(len(STAND.overheard.heard), 3, "monitor, two clients and a cancel request")
        for said in STAND.overheard.heard:
            beginning = bytes(said[:9])  # Of one that has just begun, less.
            self.assertEqual(beginning, (wire.SSL_REQUEST + b"\x16")[: len(beginning)])
            for secret in (b"tester", b"pg_sleep", STAND.password.encode("ascii")):
                self.assertNotIn(secret, said)

    def test_each_mode_with_each_server_is_what_libpq_makes_of_it(self):
        for case in CASES:
            with self.subTest(case.name):
                if isinstance(case.outcome, str):
                    self.assertEqual((self.libpq(case), self.fairlead(case)), (case.outcome, case.outcome))
                    continue
                of_libpq, of_fairlead = case.outcome
                with self.assertRaisesRegex(psycopg2.OperationalError, of_libpq):
                    self.libpq(case)
                with self.assertRaises(wire.ServerError) as refused:
                    self.fairlead(case)
                self.assertRegex(" ".join(refused.exception.fields.values()), of_fairlead)
                lines = [line for line in STAND.proxy.whole_log().splitlines() if f"cluster {case.name}:" in line]
                self.assertRegex("\n".join(lines), of_fairlead)

    def test_check_reaches_the_servers_that_the_proxy_reaches_whatever_lies_in_the_home(self):
        with tempfile.TemporaryDirectory() as home:
            os.mkdir(os.path.join(home, ".postgresql"))
            shutil.copy(STAND.authorities["stranger"].ca_file, os.path.join(home, ".postgresql", "root.crt"))
            with open(os.path.join(home, ".postgresql", "postgresql.crt"), "w", encoding="ascii") as file:
                file.write("libpq would complain about it\n")
            done = subprocess.run([STAND.binary, "check", "-c", STAND.proxy.config, "--json"], capture_output=True, text=True,
                                  check=False, timeout=120, env={**os.environ, "HOME": home})
        reached = {node["cluster"]: node["reachable"] for node in json.loads(done.stdout)["nodes"]}
        self.assertEqual({name for name in reached if not reached[name]},
                         {case.name for case in CASES if not isinstance(case.outcome, str)}, done.stdout)


@only_proxied
class AuthorityOfServers(unittest.TestCase):
    """The file keeps its name and gets another content, as certificates are renewed."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="fairlead-test-"))
        self.old, self.new = Authority(folder, "old"), Authority(folder, "new")
        self.trusted = os.path.join(folder, "trusted.pem")
        self.trust(self.old)
        self.server = ProxiedServer(STAND.binary, certificate=self.old.issue("localhost"))
        self.addCleanup(self.server.stop)
        self.proxy = self.server.add_proxy(
            nodes=[{**node, "host": "localhost"} for node in self.server.nodes],
            sections={"cluster": {"tls_mode": "verify-full", "tls_ca_file": self.trusted}, "proxy": {"log_level": "debug"}},
        )

    def trust(self, *authorities):
        with open(self.trusted, "wb") as file:
            for authority in authorities:
                with open(authority.ca_file, "rb") as one:
                    file.write(one.read())

    def reload(self):
        before = len(self.proxy.whole_log())
        os.kill(self.proxy.pid, signal.SIGHUP)
        eventually(lambda: "were read again" in self.proxy.whole_log()[before:], 10, "the reload is told of")

    def shows_certificate_of(self, authority):
        try:
            psycopg2.connect(host="localhost", hostaddr="127.0.0.1", port=self.server.address.port, user="tester", dbname="tests",
                             password=self.server.password, sslmode="verify-full", sslrootcert=authority.ca_file).close()
            return True
        except psycopg2.OperationalError:
            return False

    def exchange_certificate(self):
        self.server.change_certificate(*self.new.issue("localhost"))
        eventually(lambda: self.shows_certificate_of(self.new), 20, "the server shows its new certificate")
        self.server.end_other_connections()

    def ask(self, statement):
        with wire.Connection.login(self.proxy.address, timeout=30) as client:
            return client.run(statement)

    def monitors(self):
        with self.server.superuser() as server:
            return server.value("select count(*) from pg_stat_activity join pg_stat_ssl using (pid) "
                                "where ssl and application_name = 'fairlead-monitor'")

    def test_a_reload_gives_it_to_probes_and_the_catalog_as_to_clients(self):
        self.ask("create table things (n int)")
        self.trust(self.old, self.new)
        self.reload()
        self.exchange_certificate()
        after = len(self.proxy.whole_log())
        for n in range(20):
            self.ask(f"insert into things values ({n})")
        eventually(lambda: self.monitors() == "1", 10, "the server is probed again")
        self.ask("create function one() returns int language sql as 'select 1'")
        eventually(lambda: 'database "tests" has functions by' in self.proxy.whole_log()[after:], 20, "the catalog is loaded anew")
        for trouble in ("certificate", "cannot be looked up"):
            self.assertNotIn(trouble, self.proxy.whole_log()[after:])

    def test_a_reload_lets_those_in_at_once_whom_it_was_missing_for(self):
        self.exchange_certificate()
        eventually(lambda: "certificate was not accepted" in self.proxy.whole_log(), 20, "nobody trusts the new one")
        self.trust(self.new)
        self.reload()
        self.ask("create table if not exists later (n int)")
        eventually(lambda: self.monitors() == "1", 10, "the server is probed again")


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=ServersStand)
