#!/usr/bin/python3
"""The program's manners, on the program itself: help, usage errors, exit codes, where output goes.

    command_line_test.py PATH_OF_FAIRLEAD [unittest arguments]

Needs neither PostgreSQL nor a proxy.
"""

import configparser
import json
import os
import subprocess
import sys
import tempfile
import unittest

FAIRLEAD = sys.argv.pop(1)
KEEP = {"PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}

COMMANDS = [
    "up", "check", "explain", "routes", "pins", "observe", "demo", "version", "config", "config show", "cluster", "cluster create",
    "cluster start", "cluster stop", "cluster destroy", "cluster status", "cluster verify", "cluster sync", "cluster add-replica",
    "cluster remove-replica", "cluster promote", "cluster rejoin", "cluster switchover",
]


def run(*arguments, stdin="", **environment):
    kept = {name: value for name, value in os.environ.items() if name in KEEP}
    return subprocess.run([FAIRLEAD, *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                          env=kept | environment)


class Help(unittest.TestCase):
    def test_no_arguments_give_a_short_help_with_two_examples(self):
        done = run()
        self.assertEqual(done.returncode, 0)
        self.assertIn("fairlead demo", done.stdout)
        self.assertIn("fairlead up --primary URL --replica URL", done.stdout)
        self.assertLess(done.stdout.count("\n"), 24)
        self.assertEqual(done.stderr, "")

    def test_every_command_has_help_with_an_example(self):
        for command in COMMANDS:
            done = run(*command.split(), "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertRegex(done.stdout, r"Examples?:\n  fairlead " + command.split()[0], command)
            self.assertEqual(done.stderr, "", command)

    def test_a_group_without_a_command_is_a_usage_error_with_its_help(self):
        done = run("cluster")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        self.assertIn("destroy", done.stderr)


class SystemdUnit(unittest.TestCase):
    """etc/fairlead.service, which docs/guide/install.md installs."""

    @classmethod
    def setUpClass(cls):
        cls.unit = configparser.RawConfigParser()
        cls.unit.optionxform = str
        cls.unit.read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../etc/fairlead.service"))

    def test_its_command_is_one_of_the_program(self):
        words = self.unit["Service"]["ExecStart"].split()
        self.assertEqual(words[0], "/usr/local/bin/fairlead")
        done = run(*words[1:-1], "/nowhere/fairlead.toml")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("/nowhere/fairlead.toml", done.stderr)

    def test_a_proxy_that_fails_comes_back_and_one_that_stops_has_the_time_for_it(self):
        self.assertEqual(self.unit["Service"]["Restart"], "on-failure")
        shown = json.loads(run("config", "show", "--json", "--primary", "postgresql://a").stdout)
        [patience] = [key["value"] for key in shown if key["key"] == "proxy.shutdown_timeout"]
        self.assertGreater(int(self.unit["Service"]["TimeoutStopSec"]), int(patience.strip('"').removesuffix("s")))


class Usage(unittest.TestCase):
    def expect_usage_error(self, *arguments, hint, **environment):
        done = run(*arguments, **environment)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(hint, done.stderr)

    def test_slips_of_the_hand_are_recognized(self):
        self.expect_usage_error("chekc", hint="did you mean check?")
        self.expect_usage_error("cluster", "destory", "--dir", "/x", hint="did you mean destroy?")
        self.expect_usage_error("check", "--primry", "x", hint="did you mean --primary?")
        self.expect_usage_error("frobnicate", hint="unknown command frobnicate")

    def test_commands_that_are_not_built_yet_say_what_does_their_job_and_are_not_offered(self):
        for words in ("status", "pools", "replicas", "requests", "queries", "findings", "events",
                      "load run", "load compare"):
            self.expect_usage_error(*words.split(), hint=f"fairlead {words.split()[0]} is not available in this version\n  next: ")
            self.assertNotRegex(run("--help").stdout, rf"\n  {words.split()[0]} ")

    def test_missing_and_contradicting_options(self):
        self.expect_usage_error("cluster", "create", hint="--dir is required")
        self.expect_usage_error("explain", hint="SQL is required")
        self.expect_usage_error("up", "-c", "x", "--primary", "postgresql://a", hint="exclude each other")
        self.expect_usage_error("up", "--replica", "postgresql://a", hint="needs --primary")
        self.expect_usage_error("up", "--port", "1", "--port", "2", hint="--port is given more than once")
        self.expect_usage_error("cluster", "create", "--dir", "/x", "--base-port", "99999", hint="99999: not a number, or not one")
        self.expect_usage_error("up", REPLICA_URLS="postgresql://a", hint="needs DATABASE_URL")
        self.expect_usage_error("demo", "--for", "20", hint="--for 20s")
        self.expect_usage_error("demo", "--replicas", "99", hint="--replicas")
        self.expect_usage_error("demo", "--break", "everything", hint="primary")
        self.expect_usage_error("demo", "--break", "primary", "--replicas", "1", hint="--replicas 2")
        self.expect_usage_error("demo", "--break", "replica", "--no-workload", hint="--no-workload")
        self.expect_usage_error("check", "--set", "listen.port", "--primary", "postgresql://a", hint="KEY=VALUE")

    def test_a_wrong_value_is_a_usage_error_where_the_command_line_gave_it(self):
        for words, hint in ((("--port", "abc"), '"abc" is not a whole number (from --port)'),
                            (("--set", "proxy.shutdown_timeout=5"), "the unit is missing"),
                            (("--set", "proxy.nosuch=5"), "from --set"),
                            (("--set", "auth.method=cert"), "not available in this version")):
            done = run("config", "show", "--primary", "postgresql://a", *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(hint, done.stderr)
        self.assertEqual(run("check", "--primary", "mysql://a").returncode, 2)
        self.assertEqual(run("check", DATABASE_URL="mysql://a").returncode, 1)
        self.assertEqual(run("check", "--primary", "postgresql://a", FAIRLEAD_LISTEN_PORT="abc").returncode, 1)

    def test_no_configuration_says_how_to_give_one(self):
        if os.path.exists("/etc/fairlead/fairlead.toml"):
            self.skipTest("this machine has a configuration")
        for command in ("up", "check"):
            self.expect_usage_error(command, hint="--primary URL --replica URL")


class Output(unittest.TestCase):
    def test_the_version_in_all_its_forms(self):
        text = run("version").stdout
        self.assertRegex(text, r"^fairlead \d+\.\d+\.\d+\n$")
        self.assertEqual(run("--version").stdout, text)
        self.assertEqual("fairlead " + json.loads(run("version", "--json").stdout)["version"] + "\n", text)

    def test_explain_works_offline(self):
        done = run("explain", "SELECT * FROM users WHERE id = 7")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("target  replica", done.stdout)
        done = run("explain", "--json", "-", stdin="UPDATE users SET city = 'Oslo'")
        self.assertEqual(json.loads(done.stdout)["target"], "primary")
        self.assertEqual(json.loads(done.stdout)["reason"], "write")

    def test_colour_only_when_asked_for(self):
        self.assertNotIn("\x1b", run("chekc").stderr)
        self.assertIn("\x1b[31m", run("chekc", CLICOLOR_FORCE="1").stderr)
        self.assertNotIn("\x1b", run("chekc", CLICOLOR_FORCE="1", NO_COLOR="1").stderr)

    def test_colour_is_switched_off_before_and_behind_every_command(self):
        for command in COMMANDS:
            self.assertIn("--no-color", run(*command.split(), "--help").stdout, command)
        wrong = ("config", "show", "-c", "/nowhere/fairlead.toml")
        self.assertIn("\x1b[31m", run(*wrong, CLICOLOR_FORCE="1").stderr)
        for words in (("--no-color", *wrong), (*wrong, "--no-color")):
            done = run(*words, CLICOLOR_FORCE="1")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("/nowhere/fairlead.toml", done.stderr)
            self.assertNotIn("\x1b", done.stderr)


class Configuration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, text):
        path = os.path.join(self.folder.name, "fairlead.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_show_tells_the_origin_of_each_value_and_masks_secrets(self):
        path = self.write('[cluster.main]\nnodes = ["a:1"]\nmonitor_password = "hush"\n')
        done = run("config", "show", "--origin", "-c", path, "--port", "7000", FAIRLEAD_PROXY_WORKERS="3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"listen\.port = 7000 +# --port\n")
        self.assertRegex(done.stdout, r"proxy\.workers = 3 +# FAIRLEAD_PROXY_WORKERS\n")
        self.assertRegex(done.stdout, r"cluster\.main\.nodes = .* +# .*fairlead\.toml:2\n")
        self.assertNotIn("hush", done.stdout)
        settings = json.loads(run("config", "show", "--json", "-c", path).stdout)
        port = next(row for row in settings if row["key"] == "listen.port")
        self.assertEqual((port["value"], port["origin"]), ("6432", "default"))

    def test_set_changes_any_value(self):
        path = self.write('[cluster.main]\nnodes = ["a:1"]\n')
        done = run("config", "show", "-c", path, "--set", 'database."*".pool_size=7')
        self.assertIn('database."*".pool_size = 7\n', done.stdout)

    def test_every_problem_is_told_with_its_line(self):
        path = self.write('[cluster.main]\nnodes = ["a:1"]\n[listen]\nprot = 1\nport = "x"\n')
        done = run("check", "-c", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("fairlead.toml:4:1", done.stderr)
        self.assertIn("port", done.stderr)
        self.assertIn("fairlead.toml:5:", done.stderr)
        report = json.loads(run("check", "--json", "-c", path).stdout)
        self.assertFalse(report["ok"])
        self.assertEqual([finding["message"] for finding in report["findings"]],
                         ["listen.prot: unknown key", "listen.port: expected port, found a text"])

    def test_a_node_that_does_not_answer_is_exit_code_4_with_a_next_step(self):
        # Port 1 of loopback: nobody listens there without being root and strange.
        done = run("check", "--primary", "postgresql://u:p@127.0.0.1:1/app")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("Connection refused", done.stdout)
        self.assertIn("next: nothing listens there", done.stdout)
        self.assertNotIn(":p@", done.stdout + done.stderr)

    def test_a_missing_file_is_an_error(self):
        done = run("up", "-c", "/nonexistent/fairlead.toml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/fairlead.toml", done.stderr)


class Clusters(unittest.TestCase):
    def test_a_folder_without_our_marker_is_never_destroyed(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("cluster", "destroy", "--dir", folder)
            self.assertEqual(done.returncode, 1)
            self.assertTrue(os.path.isdir(folder))

    def test_impossible_numbers_are_usage_errors(self):
        done = run("cluster", "create", "--dir", "/tmp/never-made", "--replicas", "99")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertFalse(os.path.exists("/tmp/never-made"))

    def test_settings_that_cannot_be_are_usage_errors(self):
        for setting, hint in (("shared_buffers", "NAME=VALUE"), ("port=1", "belongs to fairlead"),
                              ("a b=1", "not the name of a setting")):
            done = run("cluster", "create", "--dir", "/tmp/never-made", "--set", setting)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(hint, done.stderr)
        self.assertEqual(run("cluster", "create", "--dir", "").returncode, 2)
        done = run("cluster", "create", "--dir", "/tmp/never-made", "--host", "db1")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("not an address in figures", done.stderr)


if __name__ == "__main__":
    unittest.main()
