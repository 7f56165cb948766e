"""One pgbouncer process in front of one node, as Debian ships it: what is not named here has its default."""
import os
import shutil
import signal
import subprocess
import tempfile
import time

import wire
from stand.address import Address
from stand.processes import allow_many_files, die_with_parent, eventually, free_ports


def pgbouncer_program():
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise FileNotFoundError("pgbouncer is not installed; tools/install-packages bench")
    return found


class PgBouncer:
    """address is where clients connect; pid is the process whose memory and time count."""

    def __init__(self, cluster, node, pool_size, pool_mode="transaction", clients_max=1000, environment=None):
        # It refuses to run as root.
        self._as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self._folder = tempfile.mkdtemp(prefix="pgbouncer-", dir=cluster.folder)
        self._process, self._last_error = None, None
        [port] = free_ports(1)
        self.address = Address("127.0.0.1", port, "tester", cluster.password, "tests")
        server = cluster.node_address(node)
        self._write("users.txt", f'"tester" "{cluster.verifier}"\n')
        self._write(
            "pgbouncer.ini",
            f"[databases]\ntests = host={server.host} port={server.port} dbname=tests\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {self._folder}/users.txt\n"
            f"pool_mode = {pool_mode}\ndefault_pool_size = {pool_size}\nmax_client_conn = {clients_max}\n",
        )
        if self._as_user:
            shutil.chown(self._folder, "postgres", "postgres")
        try:
            self._start(environment or {})
        except BaseException:
            self.stop()
            raise

    def _write(self, name, text):
        path = os.path.join(self._folder, name)
        with open(path, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)
        if self._as_user:
            shutil.chown(path, "postgres", "postgres")

    def _start(self, environment):
        allow_many_files()
        self._log_path = os.path.join(self._folder, "log")
        with open(self._log_path, "wb") as log:
            self._process = subprocess.Popen(
                [pgbouncer_program(), os.path.join(self._folder, "pgbouncer.ini")], stdout=log, stderr=log,
                env={**os.environ, **environment}, preexec_fn=die_with_parent(), **self._as_user,
            )
        self.pid = self._process.pid
        try:
            eventually(self._answers, 20, "pgbouncer answers")
        except AssertionError as error:
            raise RuntimeError(f"{error}; last: {self._last_error!r}; its log:\n{self.log()}") from error

    def _answers(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"pgbouncer ended with code {self._process.returncode}:\n{self.log()}")
        try:
            with wire.Connection.login(self.address, timeout=5) as client:
                client.run("select 1")
            return True
        except (OSError, wire.Closed, wire.ServerError) as error:
            self._last_error = error
            time.sleep(0.1)
            return False

    def log(self):
        with open(self._log_path, encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)  # At once, whoever is connected.
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
