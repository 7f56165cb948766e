"""A network between a proxy and its nodes whose cables can be pulled: a namespace of the kernel, a pair of interfaces for each
node, and one for the clients. What is cut stays silent: no packet comes back, as with a dead switch.
"""
import os
import subprocess

from stand import roles


def is_possible():
    """Only root may make namespaces."""
    if os.getuid() != 0:
        return False
    made = subprocess.run(["ip", "netns", "list"], capture_output=True, check=False)
    return made.returncode == 0


def run_ip(*arguments):
    """ip(8); an error is raised with what it says."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr}")


class Network:
    """The nodes of `cluster` are reached under addresses of their own, which only a process within `prefix` sees cut; clients
    reach that process at `host`. Restarts the nodes. stop() removes it all."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._name = f"fairlead-{os.getpid()}"
        self.prefix = ["ip", "netns", "exec", self._name]
        self._net = f"10.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"  # Others run tests, too.
        self._cables = []
        run_ip("netns", "add", self._name)
        try:
            run_ip("-n", self._name, "link", "set", "lo", "up")
            self.nodes = [{**node, "host": self._add_cable(index)[0]} for index, node in enumerate(cluster.nodes)]
            self.host = self._add_cable(len(cluster.nodes))[1]
            for index in range(len(cluster.nodes)):
                self._let_in(index)
        except BaseException:
            self.stop()
            raise

    def _add_cable(self, number):
        """(the machine's end, the proxy's end)"""
        ends = [f"{self._net}.{4 * number + 1}", f"{self._net}.{4 * number + 2}"]
        cable = f"fl{os.getpid()}n{number}"
        run_ip("link", "add", cable, "type", "veth", "peer", "name", "eth" + str(number), "netns", self._name)
        self._cables.append(cable)
        run_ip("addr", "add", ends[0] + "/30", "dev", cable)
        run_ip("link", "set", cable, "up")
        run_ip("-n", self._name, "addr", "add", ends[1] + "/30", "dev", "eth" + str(number))
        run_ip("-n", self._name, "link", "set", "eth" + str(number), "up")
        return ends

    def _let_in(self, index):
        folder = self._cluster.nodes[index]["data_dir"]
        with open(os.path.join(folder, "pg_hba.conf"), "a", encoding="ascii") as file:
            file.write(f"host all all {self._net}.0/24 scram-sha-256\n")
        with open(os.path.join(folder, "fairlead.conf"), "a", encoding="ascii") as file:
            file.write(f"listen_addresses = '127.0.0.1,{self.nodes[index]['host']}'\n")
        roles.stop(self._cluster, index)
        roles.start(self._cluster, index)

    def cut(self, index):
        run_ip("link", "set", self._cables[index], "down")

    def mend(self, index):
        run_ip("link", "set", self._cables[index], "up")

    def stop(self):
        for cable in self._cables:
            run_ip("link", "delete", cable)
        run_ip("netns", "delete", self._name)
