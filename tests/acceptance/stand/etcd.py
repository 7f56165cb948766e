"""One etcd of its own, in a folder of its own: what Patroni keeps its lock in. Debian's service is neither used nor disturbed."""
import os
import shutil
import signal
import subprocess
import urllib.request

from stand.processes import die_with_parent, eventually, free_ports


class Etcd:
    """url is where clients connect. kill() and start() stand for a loss of its quorum, and the end of it."""

    def __init__(self, folder, as_user):
        self._folder, self._as_user = os.path.join(folder, "etcd"), as_user
        self._client, self._peer = free_ports(2)
        self.url, self.hostport = f"http://127.0.0.1:{self._client}", f"127.0.0.1:{self._client}"
        self._process = None
        os.makedirs(self._folder, mode=0o700)
        if as_user:
            shutil.chown(self._folder, as_user["user"], as_user["group"])
        self.start()

    def start(self):
        peer = f"http://127.0.0.1:{self._peer}"
        with open(os.path.join(os.path.dirname(self._folder), "etcd.log"), "ab") as log:
            self._process = subprocess.Popen(
                ["etcd", "--name", "store", "--data-dir", os.path.join(self._folder, "data"),
                 "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"store={peer}", "--enable-v2", "--unsafe-no-fsync"],
                stdout=log, stderr=log, cwd="/", preexec_fn=die_with_parent(), **self._as_user,
            )
        eventually(self._is_healthy, 30, "etcd answers")

    def _is_healthy(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=1) as answer:
                return b"true" in answer.read()
        except OSError:
            return False

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self.kill()
