#!/usr/bin/python3
"""The program against real servers: a cluster's life, check, explain, up with reload, and the demonstration's end.

    live_test.py PATH_OF_FAIRLEAD [unittest arguments]

Makes its clusters with the program itself, on ports from the system, and leaves nothing behind.
"""

import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

FAIRLEAD = sys.argv.pop(1)
PATIENCE = 120  # Seconds: under ASan, beside other clusters that are made.
AT_ONCE = 10  # Seconds: far less than shutdown_timeout, which is 30 s.
SSL_REQUEST = 80877103


def environment(**more):
    hidden = ("DATABASE_URL", "REPLICA_URLS", "FAIRLEAD_CONFIG")
    return {name: value for name, value in os.environ.items() if name not in hidden} | more


def run(*arguments, **more):
    return subprocess.run([FAIRLEAD, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=environment(**more))


def start(*arguments, **more):
    return subprocess.Popen([FAIRLEAD, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment(**more))


def psql(url, statement, **more):
    return subprocess.run(["psql", "-XAtq", url, "-c", statement], capture_output=True, text=True, timeout=PATIENCE,
                          env=environment(**more))


def line_with(stream, words):
    """The next line that contains the words; fails at the end of the stream."""
    for line in stream:
        if words in line:
            return line
    raise AssertionError(f"the output ended before {words!r}")


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


class ARealCluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="fl-")
        os.chmod(cls.folder.name, 0o711)
        cls.dir = cls.folder.name + "/c"
        made = run("cluster", "create", "--dir", cls.dir, "--replicas", "1", "--json", "--set", "work_mem=5MB")
        assert made.returncode == 0, made.stderr
        cls.cluster = json.loads(made.stdout)
        cls.said_at_create = made.stderr
        cls.urls = [node["url"] for node in cls.cluster["nodes"]]

    @classmethod
    def tearDownClass(cls):
        run("cluster", "destroy", "--dir", cls.dir)
        cls.folder.cleanup()

    def write_config(self, name, proxy="", pool_size=20):
        """A configuration with ports from the system; `proxy` are lines for that section."""
        nodes = ", ".join(f'"{node["host"]}:{node["port"]}"' for node in self.cluster["nodes"])
        password = self.urls[0].split(":")[2].split("@")[0]
        users = f"{self.folder.name}/users.txt"
        with open(users, "w", encoding="utf-8") as file:
            file.write(f'"postgres" "{password}"\n')
        salt_key = f"{self.folder.name}/salt.key"  # Without one, each start spends a third of a second on making its own.
        with open(salt_key, "wb") as file:
            file.write(os.urandom(32))
        path = f"{self.folder.name}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write("[listen]\nport = 0\nread_port = 0\nprimary_port = 0\nhttp_port = 0\n"
                       f'[proxy]\n{proxy}\n[cluster.main]\nnodes = [{nodes}]\nmonitor_user = "postgres"\nmonitor_password = "{password}"\n'
                       f'[database."*"]\npool_size = {pool_size}\n[auth]\nusers_file = "{users}"\nsalt_key_file = "{salt_key}"\n')
        return path

    def own_config(self):
        with open(f"{self.dir}/fairlead.toml", encoding="utf-8") as file:
            return file.read()

    def test_create_says_how_to_go_on_without_a_password(self):
        config = f"{self.dir}/fairlead.toml"
        self.assertIn(f"up -c {config}\n", self.said_at_create)
        self.assertNotIn(self.urls[0].split(":")[2].split("@")[0], self.said_at_create)
        for path in (config, f"{self.dir}/users.txt"):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, path)
        done = run("check", "-c", config)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("warning", done.stdout)
        ports = [f"--set=listen.{key}=0" for key in ("port", "read_port", "primary_port")]
        process = start("up", "-c", config, *ports)
        self.addCleanup(end, process)
        port = line_with(process.stdout, "automatic").split()[0].split(":")[1]
        line_with(process.stdout, "replica, ")
        url = self.urls[0].rsplit("@", 1)[0] + f"@127.0.0.1:{port}/app"
        self.assertEqual(psql(url, "SELECT 7").stdout, "7\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_its_configuration_knows_the_members_until_somebody_changes_it(self):
        before = self.own_config()
        added = run("cluster", "add-replica", "--dir", self.dir, "--name", "extra", "--json")
        self.assertEqual(added.returncode, 0, added.stderr)
        port = next(node["port"] for node in json.loads(added.stdout)["nodes"] if node["name"] == "extra")
        self.assertEqual(self.own_config().replace(f', "127.0.0.1:{port}"', ""), before)
        self.assertIn("next: SIGHUP to fairlead up", added.stderr)
        changed = self.own_config() + '[database."*"]\npool_size = 5\n'
        with open(f"{self.dir}/fairlead.toml", "w", encoding="utf-8") as file:
            file.write(changed)
        removed = run("cluster", "remove-replica", "--dir", self.dir, "extra")
        self.assertEqual(removed.returncode, 0, removed.stderr)
        self.assertEqual(self.own_config(), changed)
        self.assertIn("next: take extra out of the proxy's list of nodes", removed.stderr)
        with open(f"{self.dir}/fairlead.toml", "w", encoding="utf-8") as file:
            file.write(before)

    def test_a_dry_run_changes_nothing(self):
        planned = self.folder.name + "/planned"
        done = run("cluster", "create", "--dir", planned, "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("initialize node1", done.stdout)
        self.assertFalse(os.path.exists(planned))

    def test_a_setting_of_create_is_in_force_on_every_node(self):
        for url in self.urls:
            self.assertEqual(psql(url, "SHOW work_mem").stdout, "5MB\n")

    def test_status_shows_both_nodes(self):
        rows = json.loads(run("cluster", "status", "--dir", self.dir, "--json").stdout)
        self.assertEqual([(row["role"], row["state"]) for row in rows], [("primary", "running"), ("replica", "streaming")])
        self.assertEqual(run("cluster", "status", "--dir", self.dir).returncode, 0)

    def test_check_reports_versions_roles_and_lag(self):
        done = run("check", "--primary", self.urls[0], "--replica", self.urls[1], "--json")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        report = json.loads(done.stdout)
        self.assertEqual([node["role"] for node in report["nodes"]], ["primary", "replica"])
        self.assertIsInstance(report["nodes"][1]["lag_bytes"], int)
        self.assertIn("is a superuser", done.stdout)  # A warning: the exit code stays 0.

    def test_check_looks_into_every_database_that_is_named(self):
        psql(self.urls[0], "CREATE DATABASE closed")
        psql(self.urls[0], "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        psql(self.urls[0], "CREATE ROLE watcher LOGIN PASSWORD 'w'; GRANT pg_monitor TO watcher")
        path = self.write_config("databases.toml")
        with open(path, encoding="utf-8") as file:
            watched = 'monitor_user = "watcher"\nmonitor_password = "w"\n'
            text = re.sub(r"monitor_user = .*\nmonitor_password = .*\n", watched, file.read())

        def checked(databases):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + databases)
            return run("check", "-c", path)

        done = checked('[database.short]\ndatabase = "app"\n')
        self.assertEqual(done.returncode, 0, done.stdout)
        for databases, hint in (('[database.short]\ndatabase = "ap"\n', "one that exists"), ("[database.nowhere]\n", "one that exists"),
                                ("[database.closed]\n", 'GRANT CONNECT ON DATABASE "closed" TO "watcher"')):
            with self.subTest(databases=databases):
                done = checked(databases)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("no read there leaves the primary", done.stdout)
                self.assertIn(hint, done.stdout)

    def test_check_recognizes_a_server_under_two_names(self):
        path = self.write_config("twice.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for node in self.cluster["nodes"]:
            with self.subTest(node=node["name"]):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text.replace("nodes = [", f'nodes = ["localhost:{node["port"]}", '))
                done = run("check", "-c", path)
                self.assertEqual(done.returncode, 1, done.stdout)
                names = {f'localhost:{node["port"]}', f'{node["host"]}:{node["port"]}'}
                found = re.search(r"(\S+) and (\S+) are one server under several names", done.stdout)
                self.assertEqual(set(found.groups()), names, done.stdout)
                self.assertNotIn("both accept writes", done.stdout)

    def test_check_names_the_way_out_of_a_wrong_password(self):
        url = f"postgresql://postgres:wrong@{self.urls[0].split('@')[1]}"
        done = run("check", "--primary", url)
        self.assertEqual(done.returncode, 4)
        self.assertIn("next: check monitor_password", done.stdout)

    def test_check_uses_nothing_that_the_proxy_does_not_use(self):
        path = self.write_config("bare.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        password = self.urls[0].split(":")[2].split("@")[0]
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(f'monitor_password = "{password}"\n', ""))
        home = self.folder.name + "/home"
        os.mkdir(home)
        with open(home + "/.pgpass", "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(f"*:*:*:*:{password}\n")
        for more in ({"PGPASSWORD": password}, {"HOME": home}, {"PGPASSFILE": home + "/.pgpass"}):
            with self.subTest(variables=list(more)):
                self.assertEqual(psql(self.urls[0].replace(f":{password}", ""), "SELECT 7", **more).stdout, "7\n")
                done = run("check", "-c", path, **more)
                self.assertEqual(done.returncode, 4, done.stdout)
                self.assertIn("next: check monitor_password", done.stdout)

    def test_check_is_not_disturbed_by_what_is_meant_for_other_programs(self):
        for more in ({"PGSERVICE": "unknown"}, {"PGOPTIONS": "-c nonsense=on"}, {"PGHOSTADDR": "127.0.0.2"},
                     {"PGTARGETSESSIONATTRS": "standby"}, {"PGSSLMODE": "verify-full"}, {"PGPASSWORD": "wrong"},
                     {"PGREQUIREAUTH": "none"}):
            with self.subTest(variables=list(more)):
                done = run("check", "-c", self.write_config("others.toml"), **more)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_check_reads_the_users_file_as_the_proxy_will(self):
        path = self.write_config("users.toml")
        self.assertEqual(run("check", "-c", path).returncode, 0)
        with open(f"{self.folder.name}/users.txt", "a", encoding="utf-8") as file:
            file.write("nobody without quotes\n")
        done = run("check", "-c", path)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("users.txt", done.stdout)
        done = run("up", "-c", path)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("users.txt", done.stderr)

    def test_explain_looks_functions_up_in_the_live_database(self):
        psql(self.urls[0], "CREATE TABLE IF NOT EXISTS t (n int)")
        psql(self.urls[0], "CREATE FUNCTION charge() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'")
        done = run("explain", "--primary", self.urls[0], "--database", "app", "--json", "SELECT count(*) FROM pg_class")
        self.assertEqual(json.loads(done.stdout)["reason"], "system_catalog", done.stderr)
        done = run("explain", "--primary", self.urls[0], "--database", "app", "--json", "SELECT count(*) FROM t")
        self.assertEqual(json.loads(done.stdout)["target"], "replica")
        done = run("explain", "--primary", self.urls[0], "--database", "app", "--json", "SELECT charge()")
        self.assertEqual(json.loads(done.stdout)["reason"], "volatile_function")
        self.assertEqual(json.loads(done.stdout)["functions"], ["charge"])

    def test_explain_looks_into_the_database_that_is_served_and_into_no_other(self):
        psql(self.urls[0], "CREATE DATABASE shop")
        psql(self.urls[0].rsplit("/", 1)[0] + "/shop", "CREATE FUNCTION price() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'")
        named = self.write_config("named.toml")
        with open(named, encoding="utf-8") as file:
            text = file.read()

        def explained(databases, *arguments):
            with open(named, "w", encoding="utf-8") as file:
                file.write(text.replace('[database."*"]\npool_size = 20\n', databases))
            return run("explain", "-c", named, "--json", *arguments, "SELECT price()")

        for databases, arguments in (("[database.shop]\n", ()), ("[database.shop]\n[database.app]\n", ("--database", "shop")),
                                     ('[database."*"]\n', ("--database", "shop")), ('[database."*"]\ndatabase = "shop"\n', ()),
                                     ('[database.short]\ndatabase = "shop"\n', ())):
            with self.subTest(databases=databases):
                done = explained(databases, *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout)["target"], "replica")
        for databases in ('[database."*"]\n', '[database."*"]\n[database.shop]\n', "[database.shop]\n[database.app]\n"):
            with self.subTest(databases=databases):
                done = explained(databases)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn("next: add --database NAME", done.stderr)
        done = explained("[database.shop]\n", "--database", "app")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn('"app" is not served', done.stderr)
        url = self.urls[0].rsplit("/", 1)[0] + "/shop"
        done = run("explain", "--primary", url, "--json", "SELECT price()")
        self.assertEqual(json.loads(done.stdout)["target"], "replica", done.stderr)

    def test_explain_says_what_the_database_is_configured_to_do(self):
        path = self.write_config("configured.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read()

        def explained(key, statement, *arguments, user=""):
            with open(path, "w", encoding="utf-8") as file:
                file.write(user + text.replace('[database."*"]\n', f'[database.app]\n{key}\n'))
            done = run("explain", "-c", path, "--json", statement, *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

        self.assertEqual(explained("", "SELECT 1")["target"], "replica")
        self.assertEqual(explained('pool_mode = "session"', "SELECT 1")["reason"], "pinned")
        observed = explained('mode = "observe"', "SELECT 1")
        self.assertEqual((observed["target"], observed["reason"]), ("primary", "observe"))
        self.assertEqual(observed["would_be"]["target"], "replica")
        self.assertEqual(explained('transaction_reads = "until_write"', "BEGIN")["reason"], "until_write")
        user = '[user.bi]\ntransaction_reads = "until_write"\n'
        self.assertEqual(explained("", "BEGIN", "--user", "bi", user=user)["reason"], "until_write")
        self.assertEqual(explained("", "BEGIN", "--user", "shop", user=user)["target"], "primary")

    def test_up_serves_reloads_and_stops_gracefully(self):
        path = self.write_config("up.toml")
        process = start("up", "-c", path)
        self.addCleanup(end, process)
        port = line_with(process.stdout, "automatic").split()[0].split(":")[1]
        line_with(process.stdout, "primary only")
        nodes = [process.stdout.readline(), process.stdout.readline()]
        self.assertIn("primary", nodes[0])
        self.assertIn("replica", nodes[1])
        password = self.urls[0].split(":")[2].split("@")[0]
        url = f"postgresql://postgres:{password}@127.0.0.1:{port}/app"
        self.assertEqual(psql(url, "SELECT 7").stdout, "7\n")

        self.write_config("up.toml", pool_size=7)
        process.send_signal(signal.SIGHUP)
        self.assertIn("20 -> 7", line_with(process.stderr, "reload:"))
        with open(path, "a", encoding="utf-8") as file:
            file.write("nonsense = 1\n")
        process.send_signal(signal.SIGHUP)
        line_with(process.stderr, "nonsense")
        self.assertEqual(psql(url, "SELECT 8").stdout, "8\n")

        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_reload_carries_out_what_it_can_and_names_what_needs_a_restart(self):
        path = self.write_config("mixed.toml")
        process = start("up", "-c", path)
        self.addCleanup(end, process)
        port = line_with(process.stdout, "automatic").split()[0].split(":")[1]
        line_with(process.stdout, "replica")
        url = self.urls[0].rsplit("@", 1)[0] + f"@127.0.0.1:{port}/app"
        self.assertEqual(psql(url, "SELECT 7").stdout, "7\n")

        self.write_config("mixed.toml", proxy="workers = 3\nmax_client_connections = 1")
        process.send_signal(signal.SIGHUP)
        self.assertIn("0 -> 3 (needs a restart); the old value stays", line_with(process.stderr, "proxy.workers"))
        self.assertIn("10000 -> 1", line_with(process.stderr, "max_client_connections"))
        client = subprocess.Popen(["psql", "-XAtq", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(end, client)
        client.stdin.write("SELECT 'first';\n")
        line_with(client.stdout, "first")
        self.assertIn("too many clients", psql(url + "?sslmode=disable", "SELECT 8").stderr)
        client.communicate(timeout=PATIENCE)

        self.write_config("mixed.toml", proxy="workers = 3\nmax_client_connections = 1")
        process.send_signal(signal.SIGHUP)  # What was put off is told again: it is still not in force.
        self.assertIn("0 -> 3", line_with(process.stderr, "proxy.workers"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_reload_warns_of_what_a_start_would_warn_of(self):
        path = self.write_config("open.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("[listen]\n", '[listen]\nhost = "*"\n')
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        process = start("up", "-c", path)
        self.addCleanup(end, process)
        line_with(process.stdout, "replica, ")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("[auth]\n", '[auth]\nmethod = "trust"\n'))
        process.send_signal(signal.SIGHUP)
        line_with(process.stderr, "reload: auth.method")
        process.send_signal(signal.SIGTERM)
        line_with(process.stderr, "whoever reaches the ports is let in")
        self.assertEqual(process.wait(PATIENCE), 0)

    def begin_psql(self, process):
        """psql through that proxy, which reads what it is to do from its standard input."""
        port = line_with(process.stdout, "automatic").split()[0].split(":")[1]
        line_with(process.stdout, "replica")
        url = self.urls[0].rsplit("@", 1)[0] + f"@127.0.0.1:{port}/app"
        client = subprocess.Popen(["psql", "-XAtq", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(end, client)
        return client

    def test_a_running_transaction_may_finish_unless_the_second_signal_comes(self):
        for signals in (1, 2):
            with self.subTest(signals=signals):
                process = start("up", "-c", self.write_config("drain.toml"))
                self.addCleanup(end, process)
                client = self.begin_psql(process)
                client.stdin.write("BEGIN;\nSELECT 'in', pg_current_xact_id() IS NOT NULL;\n")
                line_with(client.stdout, "in|t")
                process.send_signal(signal.SIGTERM)
                line_with(process.stderr, "waiting up to")
                self.assertIsNone(process.poll())
                if signals == 2:
                    process.send_signal(signal.SIGTERM)
                    self.assertEqual(process.wait(PATIENCE), 0)
                out, err = client.communicate("SELECT 'still in';\nCOMMIT;\n", timeout=PATIENCE)
                self.assertEqual("still in" in out, signals == 1, err)
                self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_transaction_that_does_not_end_has_the_time_of_shutdown_timeout(self):
        process = start("up", "-c", self.write_config("late.toml", proxy='shutdown_timeout = "300ms"'))
        self.addCleanup(end, process)
        client = self.begin_psql(process)
        client.stdin.write("BEGIN;\nSELECT 'in';\n")
        line_with(client.stdout, "in")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        _, err = client.communicate("SELECT 'late';\n", timeout=PATIENCE)
        self.assertIn("terminating connection due to administrator command", err)

    def test_a_stop_does_not_wait_for_those_who_have_not_logged_in(self):
        process = start("up", "-c", self.write_config("strangers.toml", proxy="workers = 1"))
        self.addCleanup(end, process)
        address = ("127.0.0.1", int(line_with(process.stdout, "automatic").split()[0].split(":")[1]))
        with socket.create_connection(address) as silent, socket.create_connection(address) as asker:
            asker.sendall(struct.pack("!II", 8, SSL_REQUEST))
            self.assertEqual(asker.recv(1), b"N")  # So both have been accepted: there is one worker.
            asker.sendall(struct.pack("!I", 100))  # The length of a start-up packet, and no more of it.
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(AT_ONCE), 0)
            for stranger in (silent, asker):
                self.assertIn(b"57P03", stranger.recv(1000))

    def test_a_transaction_that_no_server_knows_of_holds_nothing_up(self):  # B30
        process = start("up", "-c", self.write_config("deferred.toml", proxy='shutdown_timeout = "1h"'))
        self.addCleanup(end, process)
        client = self.begin_psql(process)
        client.stdin.write("BEGIN;\n\\echo begun\n")
        line_with(client.stdout, "begun")
        process.send_signal(signal.SIGTERM)
        line_with(process.stderr, "waiting up to")
        client.stdin.write("COMMIT;\n")
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_up_starts_from_urls_in_the_environment_alone(self):
        process = start("up", "--port", "0", "--read-port", "0", "--primary-port", "0", "--http-port", "0",
                        DATABASE_URL=self.urls[0], REPLICA_URLS=self.urls[1])
        self.addCleanup(end, process)
        port = line_with(process.stdout, "automatic").split()[0].split(":")[1]
        url = self.urls[0].rsplit("@", 1)[0] + f"@127.0.0.1:{port}/app"
        self.assertEqual(psql(url, "SELECT 7").stdout, "7\n")
        self.assertIn("NOTICE:  primary ", psql(url, "/* fairlead.explain=on */ SELECT pg_is_in_recovery()").stderr)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_taken_port_is_an_error_that_names_it(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            done = run("up", "-c", self.write_config("taken.toml"), "--port", port)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(port, done.stderr)

    def test_a_second_proxy_is_not_given_the_ports_of_the_first(self):
        path = self.write_config("twice.toml")
        first = start("up", "-c", path)
        self.addCleanup(end, first)
        port = line_with(first.stdout, "automatic").split()[0].split(":")[1]
        second = run("up", "-c", path, "--port", port)
        self.assertEqual(second.returncode, 1, second.stdout)
        self.assertIn(f"127.0.0.1:{port}\n  why:  another program listens there", second.stderr)
        self.assertEqual(run("up", "-c", path, "--port", port, "--workers", "1").returncode, 1)
        first.send_signal(signal.SIGTERM)
        self.assertEqual(first.wait(PATIENCE), 0)

    def test_stop_and_start_keep_the_cluster(self):
        self.assertEqual(run("cluster", "stop", "--dir", self.dir).returncode, 0)
        self.assertEqual(run("cluster", "status", "--dir", self.dir).returncode, 4)
        self.assertEqual(run("check", "--primary", self.urls[0]).returncode, 4)
        self.assertEqual(run("cluster", "start", "--dir", self.dir).returncode, 0)


class TheDemonstration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="fl-")
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o711)

    def demo(self, *arguments, **environment):
        process = start("demo", *arguments, TMPDIR=self.folder.name, **environment)
        self.addCleanup(end, process)
        return process

    def expect_nothing_left(self):
        self.assertEqual(glob.glob(self.folder.name + "/*"), [])
        found = [path for path in glob.glob("/proc/[0-9]*/cwd") if self.folder.name in link(path)]
        self.assertEqual(found, [])

    def test_it_ends_by_itself_with_a_summary(self):
        # What a shell tells libpq of other servers is not meant for those of the demonstration.
        process = self.demo("--for", "4s", "--json", PGSSLMODE="require", PGTARGETSESSIONATTRS="standby")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((events[0]["event"], events[-1]["event"]), ("ready", "summary"))
        self.assertGreater(events[-1]["statements"], 40)
        self.assertGreater(events[-1]["reads_on_replicas_percent"], 30)
        self.assertEqual(events[-1]["errors"], 0)
        self.assertEqual(events[-1]["own_posts_missing"], 0)
        self.expect_nothing_left()

    def test_reads_survive_the_death_of_a_replica(self):
        process = self.demo("--for", "8s", "--json")
        ready = json.loads(line_with(process.stdout, '"ready"'))
        line_with(process.stdout, '"second"')
        os.kill(ready["replica"]["pid"], signal.SIGKILL)
        summary = json.loads(line_with(process.stdout, '"summary"'))
        self.assertEqual(summary["errors"], 0)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.expect_nothing_left()

    def broken(self, what):
        """What clients saw of it, by --break."""
        process = self.demo("--break", what, "--json")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        self.expect_nothing_left()
        verdict = next(event for event in map(json.loads, out.splitlines()) if event["event"] == "verdict")
        self.assertEqual((verdict["killed_role"], verdict["lost_posts"], verdict["repeated_posts"]), (what, 0, 0))
        self.assertGreater(verdict["acknowledged_posts"], 50)
        return verdict

    def test_nothing_is_lost_when_the_primary_dies(self):
        verdict = self.broken("primary")
        self.assertNotIn(verdict["primary"], ("", verdict["killed_node"]))
        self.assertLessEqual(set(verdict["errors_by_sqlstate"]), {"08007"})  # Writes of which nobody knows.

    def test_nobody_notices_when_a_replica_dies(self):
        verdict = self.broken("replica")
        self.assertEqual((verdict["errors"], verdict["unanswered_posts_found"]), (0, 0))
        self.assertNotIn(verdict["primary"], ("", verdict["killed_node"]))

    def test_every_way_of_ending_it_removes_everything(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for moment in ("create the roles", "Ready"):
                with self.subTest(signal=number.name, moment=moment):
                    process = self.demo()
                    line_with(process.stdout if moment == "Ready" else process.stderr, moment)
                    process.send_signal(number)
                    _, err = process.communicate(timeout=PATIENCE)
                    self.assertEqual(process.returncode, 0, err)
                    self.expect_nothing_left()

    def test_what_a_killed_one_leaves_the_next_one_removes(self):
        process = self.demo("--no-workload")
        line_with(process.stdout, "Ready")
        process.kill()
        process.wait()
        self.assertEqual(len(glob.glob(self.folder.name + "/fairlead-demo-*")), 1)
        process = self.demo("--no-workload", "--for", "100ms")
        _, err = process.communicate(timeout=PATIENCE)
        self.assertIn("which an earlier demo left behind", err)
        self.expect_nothing_left()


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


if __name__ == "__main__":
    unittest.main()
