#!/usr/bin/python3
"""docs/guide/patroni.md, word for word: its files on three machines, which are network namespaces of this one. The leader
loses its link, and the clients of the others write on."""
import json
import os
import re
import secrets
import shlex
import shutil
import sys
import unittest
import urllib.request

import wire
from stand.address import Address
from stand.machines import Network
from stand.network import is_possible
from stand.open import only_proxied, run_program
from stand.processes import eventually, postgres_tool
from stand.writers import Writers

STAND = None
GUIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/guide/patroni.md")
ADDRESSES = {"db1": "10.0.0.1", "db2": "10.0.0.2", "db3": "10.0.0.3"}


def files_of_guide():
    """What stands in a block under the name of a file."""
    with open(GUIDE, encoding="utf-8") as file:
        return dict(re.findall(r"^`(/?[\w./-]+)`\n```\w*\n(.*?)^```", file.read(), re.M | re.S))


class ThreeMachines:
    """Everything as the guide says. stop() removes it."""

    def __init__(self, binary):
        self._binary, self._files, self.secrets = binary, files_of_guide(), {}
        with open(GUIDE, encoding="utf-8") as file:
            text = file.read()
            self.url = re.search(r"^postgresql://app:.*$", text, re.M).group(0)
            for name in re.findall(r"CHANGE_ME_[A-Z]+", text):
                self.secrets.setdefault(name, secrets.token_hex(8))
        self.url = self._with_secrets(self.url)
        self.network = Network(ADDRESSES, "10.0.0.9")
        self.network.enter()
        self.machines = list(self.network.machines.values())
        try:
            self._start()
        except BaseException as error:
            logs = self.logs()
            self.stop()
            raise RuntimeError(logs) from error
        self.address = self.fairlead_of(self.machines[0])

    def logs(self):
        return "\n".join(f"{machine.name} {name}:\n{machine.log(name)}" for machine in self.machines
                         for name in sorted(os.listdir(machine.folder)) if name.endswith(".log"))

    def _with_secrets(self, text):
        for name, secret in self.secrets.items():
            text = re.sub(rf"{name}\b", secret, text)
        return text

    def write(self, machine, path):
        """The guide's file on that machine; where it lies."""
        text = self._with_secrets(self._files[path])
        text = text.replace("SELF_NAME", machine.name).replace("SELF_ADDRESS", machine.address)
        for place in ("/var/lib/", "/var/run/", "/etc/fairlead/"):  # The machine's disk.
            text = text.replace(place, machine.folder + place)
        target = machine.folder + "/" + path.lstrip("/")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        for folder, _, names in os.walk(machine.folder):
            for name in ["", *names]:
                shutil.chown(os.path.join(folder, name), "postgres", "postgres")
        return target

    def _start(self):
        for machine in self.machines:
            for folder in ("var/lib/postgresql/15", "var/lib/etcd", "var/run/postgresql"):
                os.makedirs(os.path.join(machine.folder, folder))
            with open(self.write(machine, "/etc/default/etcd"), encoding="utf-8") as file:
                environment = dict(line.split("=", 1) for line in shlex.split(file.read(), comments=True))
            machine.run(["etcd"], environment, "etcd.log")
        first, *others = self.machines
        self._start_patroni(first)
        eventually(lambda: self.leader() == first, 90, "the first member leads")
        for machine in others:
            self._start_patroni(machine)
        self._make_roles(first)
        eventually(self.is_whole, 120, "all members stream, one synchronously")
        for machine in self.machines:
            self._start_fairlead(machine)

    def _start_patroni(self, machine):
        machine.run(["patroni", self.write(machine, "/etc/patroni/config.yml")], {}, "patroni.log")

    def _make_roles(self, leader):
        code, said = leader.output(
            [postgres_tool("psql"), "-h", leader.address, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-f",
             self.write(leader, "roles.sql")], {"PGPASSWORD": self.secrets["CHANGE_ME_SUPERUSER"]})
        if code != 0:
            raise RuntimeError(said)

    def _start_fairlead(self, machine):
        for path in ("/etc/fairlead/monitor_password", "/etc/fairlead/users.txt"):
            self.write(machine, path)
        config = self.write(machine, "/etc/fairlead/fairlead.toml")
        code, said = machine.output([self._binary, "check", "-c", config])
        if code != 0:
            raise RuntimeError(said)
        machine.run([self._binary, "up", "-c", config], {}, "fairlead.log")
        address = self.fairlead_of(machine)

        def answers():
            try:
                with wire.Connection.login(address, timeout=5) as client:
                    return client.run("select 1")
            except (OSError, wire.Closed, wire.ServerError):
                return False
        eventually(answers, 30, "Fairlead answers")

    def fairlead_of(self, machine):
        return Address(machine.address, 6432, "app", self.secrets["CHANGE_ME_APP"], "app", read_port=6433, primary_port=6434)

    def _status(self, machine):
        try:
            with urllib.request.urlopen(f"http://{machine.address}:8008/primary", timeout=3) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def leader(self):
        leading = [machine for machine in self.machines if self._status(machine)]
        return leading[0] if len(leading) == 1 else None

    def is_whole(self):
        leader = self.leader()
        streams = [one for one in (self._status(leader) or {}).get("replication", []) if one["state"] == "streaming"] if leader else []
        is_safe = any(one["sync_state"] == "sync" for one in streams)  # What is acknowledged from now on is on two.
        return is_safe and {one["application_name"] for one in streams} == {m.name for m in self.machines if m is not leader}

    def stop(self):
        self.network.stop()


@only_proxied
class Guide(unittest.TestCase):
    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(STAND.logs(), file=sys.stderr)

    def test_the_leader_loses_its_link_and_the_others_write_on(self):
        leader = STAND.leader()
        near = next(machine for machine in STAND.machines if machine is not leader)
        address = STAND.fairlead_of(near)
        Writers.make_table(address)
        insert = [postgres_tool("psql"), STAND.url, "-qc", "insert into ledger values (-1, 0)"]
        with Writers(address) as writers:
            writers.wait_for_more()
            leader.set_link(False)
            try:
                # Cut off from the others, it tells nobody that anything was written.
                alone = STAND.fairlead_of(leader)
                code, said = leader.output(
                    [postgres_tool("psql"), "-qc", "insert into ledger values (-2, 0)"],
                    {**alone.libpq_environment(), "PGCONNECT_TIMEOUT": "5"}, timeout=15)
                self.assertNotEqual(code, 0, said)
                eventually(lambda: STAND.leader() not in (None, leader), 120, "another member leads")
                writers.wait_for_more(timeout=90)
                # Whoever knows all three finds one.
                code, said = near.output(insert, {"PGCONNECT_TIMEOUT": "5"})
                self.assertEqual((code, said), (0, ""))
            finally:
                leader.set_link(True)
            eventually(STAND.is_whole, 180, "the old leader follows the new one")
            writers.wait_for_more()
        with wire.Connection.login(address, address.primary_port, timeout=60) as client:
            client.run("delete from ledger where n = -1")
            self.assertEqual(writers.missing_or_double(client), [], writers.errors)
        self.assertEqual(sum(writers.errors.values()), 0, writers.errors)  # Unknown outcomes are reported as such.


if __name__ == "__main__":
    if not is_possible():
        print("skipped: only root can make machines of its own")
        sys.exit(0)
    run_program(sys.modules[__name__], make=ThreeMachines)
