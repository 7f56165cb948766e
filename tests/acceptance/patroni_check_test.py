#!/usr/bin/python3
"""topology = "patroni" with one real Patroni that speaks HTTPS: what `fairlead check` says of all that can be wrong with the way to it, and
what a reload makes of other addresses and certificates."""
import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

from stand.certificates import Authority
from stand.interceptor import Eavesdropper
from stand.open import only_proxied, run_program
from stand.patroni import PatroniCluster
from stand.processes import eventually, free_ports
from stand.proxy import Proxy

STAND = None


class SecuredCluster(PatroniCluster):
    """One member, whose REST API shows a certificate of our own authority."""

    def __init__(self, binary):
        self.certificates = tempfile.mkdtemp(prefix="fairlead-ca-")
        os.chmod(self.certificates, 0o755)
        self.authority = Authority(self.certificates, "authority")
        certificate, key = self.authority.issue("localhost")
        os.chmod(key, 0o644)  # Patroni is another user; it lives for seconds.
        super().__init__(binary, members=1, certificate=(certificate, key))
        self.url = f"https://localhost:{self.members[0].rest_port}"

    def stop(self):
        super().stop()
        for name in os.listdir(self.certificates):
            os.remove(os.path.join(self.certificates, name))
        os.rmdir(self.certificates)


class Gate(http.server.BaseHTTPRequestHandler):
    """Lets only "fairlead" with the password "open" through to Patroni, as a web server in front of it would."""

    def do_GET(self):
        if self.headers["Authorization"] != "Basic ZmFpcmxlYWQ6b3Blbg==":
            self.send_error(401)
            return
        context = ssl.create_default_context(cafile=STAND.authority.ca_file)
        with urllib.request.urlopen(STAND.url + self.path, context=context, timeout=10) as real:
            body = real.read()
            self.send_response(200)
            self.send_header("Date", real.headers["Date"])
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def open_gate():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@only_proxied
class Check(unittest.TestCase):
    def check(self, urls=None, **keys):
        """Exit code, findings by where, and the whole report."""
        values = {"topology": "patroni", "patroni_urls": urls or [STAND.url],
                  "patroni_tls_ca_file": STAND.authority.ca_file, **STAND.monitor(), **keys}
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("[listen]\nhttp_port = 0\n[cluster.main]\n")
            file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
            file.write('[database."*"]\n[auth]\nmethod = "trust"\n')
            file.flush()
            done = subprocess.run([STAND.binary, "check", "-c", file.name, "--json"], capture_output=True, text=True,
                                  check=False, timeout=60)
        report = json.loads(done.stdout)
        findings = {one["where"]: one for one in report["findings"] if one["severity"] == "problem"}
        for finding in findings.values():
            self.assertTrue(finding["next"], finding)
        return done.returncode, findings, report

    def test_the_members_are_found_and_all_is_in_order(self):
        code, findings, report = self.check()
        self.assertEqual((code, findings), (0, {}), report)
        self.assertEqual([node["role"] for node in report["nodes"]], ["primary"])
        self.assertEqual(report["nodes"][0]["node"], f"127.0.0.1:{STAND.members[0].port}")

    def test_an_address_where_nobody_listens_is_named_and_the_others_count(self):
        [closed] = free_ports(1)
        url = f"http://127.0.0.1:{closed}"
        code, findings, report = self.check([url, STAND.url])
        self.assertEqual((code, list(findings)), (1, [url]), report)
        self.assertIn("refused", findings[url]["cause"])
        self.assertEqual(len(report["nodes"]), 1)
        code, findings, report = self.check([url])
        self.assertEqual((code, sorted(findings)), (4, ["cluster main", url]), report)

    def test_an_address_that_takes_too_long_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            code, findings, _ = self.check([url], patroni_timeout="300ms")
        self.assertEqual(code, 4)
        self.assertIn("no whole answer within 300 ms", findings[url]["cause"])

    def test_the_certificate_must_be_what_the_mode_asks_for(self):
        by_address = f"https://127.0.0.1:{STAND.members[0].rest_port}"
        code, findings, _ = self.check([by_address])
        self.assertEqual(code, 4)
        self.assertIn("certificate", findings[by_address]["cause"])
        self.assertEqual(self.check([by_address], patroni_tls_mode="verify-ca")[0], 0)
        other = Authority(STAND.certificates, "other").ca_file
        code, findings, _ = self.check(patroni_tls_ca_file=other)
        self.assertEqual(code, 4)
        self.assertIn("certificate", findings[STAND.url]["cause"])
        self.assertEqual(self.check([f"http://localhost:{STAND.members[0].rest_port}"])[0], 4)

    def test_another_scope_is_told(self):
        code, findings, _ = self.check(patroni_scope="forum")
        self.assertEqual(code, 1)
        self.assertIn('it is of the cluster "shop", not of "forum"', findings[STAND.url]["message"])

    def test_a_wrong_password_is_told_apart_at_the_node_and_at_the_rest_api(self):
        code, findings, _ = self.check(monitor_password="wrong")
        self.assertEqual(code, 4)
        self.assertIn("monitor_password", findings[f"127.0.0.1:{STAND.members[0].port}"]["next"])
        url = self.enterContext(open_gate())
        code, findings, _ = self.check([url])
        self.assertEqual(code, 4)
        self.assertIn("401", findings[url]["message"])
        self.assertIn("patroni_password_file", findings[url]["next"])
        code, findings, report = self.check([url], patroni_user="fairlead", patroni_password="open")
        self.assertEqual((code, findings), (0, {}), report)


@only_proxied
class Reload(unittest.TestCase):
    def setUp(self):
        self.trusted = os.path.join(STAND.certificates, "trusted.pem")
        shutil.copyfile(STAND.authority.ca_file, self.trusted)
        self.proxy = Proxy(STAND, {"cluster": {
            "nodes": [], "topology": "patroni", "patroni_urls": [self.enterContext(open_gate())], "patroni_interval": "100ms",
            "patroni_user": "fairlead", "patroni_password": "open", "patroni_tls_ca_file": self.trusted,
        }})
        self.addCleanup(self.proxy.stop)
        self.overheard = Eavesdropper(STAND.members[0].rest_port)
        self.addCleanup(self.overheard.stop)

    def reload(self, urls):
        """What is in the log afterwards begins there."""
        with open(self.proxy.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.proxy.config, "w", encoding="utf-8") as file:
            file.write(re.sub(r"^patroni_urls = .*$", f"patroni_urls = {json.dumps(urls)}", text, flags=re.M))
        before = len(self.proxy.whole_log())
        os.kill(self.proxy.pid, signal.SIGHUP)
        eventually(lambda: "reload: " in self.proxy.whole_log()[before:], 10, "the reload is told of")
        return before

    def wait_for_questions(self):
        asked = len(self.overheard.heard)
        eventually(lambda: len(self.overheard.heard) > asked + 6, 20, "the address is asked again and again")

    def test_an_address_that_begins_with_https_is_asked_in_tls_and_never_in_plain(self):
        before = self.reload([f"https://localhost:{self.overheard.port}"])
        self.wait_for_questions()
        for said in self.overheard.heard:
            self.assertEqual(bytes(said[:1]), b"\x16"[:len(said)])
            self.assertNotIn(b"Basic", said)
        self.assertNotIn(": Patroni: ", self.proxy.whole_log()[before:], "it was understood")

    def test_authorities_are_read_again(self):
        urls = [f"https://localhost:{self.overheard.port}"]
        self.reload(urls)
        self.wait_for_questions()
        shutil.copyfile(Authority(STAND.certificates, "stranger").ca_file, self.trusted)
        before = self.reload(urls)
        eventually(lambda: "certificate was not accepted" in self.proxy.whole_log()[before:], 20, "it is not trusted any more")
        shutil.copyfile(STAND.authority.ca_file, self.trusted)
        before = self.reload(urls)
        eventually(lambda: "all is well again" in self.proxy.whole_log()[before:], 20, "it is trusted again")


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=SecuredCluster)
