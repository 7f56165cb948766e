"""A cluster and the commands of `fairlead cluster` on it, with a proxy or without."""
import json
import os
import signal
import subprocess

from stand.cluster import Cluster
from stand.processes import die_with_parent, eventually
from stand.proxied import ProxiedCluster

PATIENCE = 120


class Commands:
    """For a Cluster; its nodes are named as fairlead names them: node1, node2 and so on."""

    def arguments(self, command, *more):
        return [self.binary, "cluster", command, "--dir", self.dir, *more]

    def command(self, command, *more, code=0):
        """Its completed process; another exit code than `code` is an error (None: any is fine)."""
        done = subprocess.run(self.arguments(command, *more), capture_output=True, text=True, timeout=PATIENCE, check=False)
        if code is not None and done.returncode != code:
            raise AssertionError(f"{command} {more}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done

    def json(self, command, *more, code=0):
        return json.loads(self.command(command, *more, "--json", code=code).stdout)

    def begin(self, command, *more):
        """A process that runs while the test does something else."""
        return subprocess.Popen(self.arguments(command, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=die_with_parent())

    def node(self, name):
        """Its number, for what takes one."""
        return next(index for index, node in enumerate(self.nodes) if node["name"] == name)

    def stop_node(self, index):
        """A fast shutdown; returns when the server has ended."""
        pid = self.node_pid(index)
        os.kill(pid, signal.SIGINT)
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), 20, "the server has ended")

    def await_streaming(self):
        """Until every replica that is a member streams and has replayed all that the primary has."""

        def all_stream():
            rows = json.loads(subprocess.run(self.arguments("status", "--json"), capture_output=True, text=True, check=False).stdout)
            return all(row["state"] == "streaming" and row["lag_bytes"] == 0 for row in rows
                       if row["role"] == "replica" and row["state"] != "needs rejoin")

        eventually(all_stream, 30, "all replicas stream and have replayed everything")


class CommandedCluster(Commands, Cluster):
    """Without any proxy."""


class CommandedProxiedCluster(Commands, ProxiedCluster):
    """With one."""
