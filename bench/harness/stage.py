"""What the rows are measured on: a cluster with pgbench's tables, made once, and proxies in front of it as a row asks."""
import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from harness import pgbench
from harness.pgbouncer import PgBouncer
from stand.cluster import Cluster
from stand.processes import eventually
from stand.proxy import Proxy

SCALE = 10  # 1,000,000 accounts: all of it stays in memory, and 8 writers seldom meet on one branch.
REPLICAS = 2
# As a user has them; the tests' own are quicker and would cost more.
_PROBES_BY_DEFAULT = {"probe_interval": "500ms", "probe_timeout": "1s", "probe_failures": 3}


@dataclass(frozen=True)
class Options:
    build: str  # Folder of the build, such as build/release.
    rounds: int
    seconds: int  # Of each run, without its warm-up.


class CannotMeasure(Exception):
    """This machine or build lacks what a row needs; the text says what to do."""


class Stage:
    """stop() removes everything."""

    def __init__(self, options):
        self.options = options
        self.binary = f"{options.build}/fairlead"
        self.settings = {}  # Of the first Fairlead that a row asked for: key -> value, as in the file.
        self.pages = {}  # Of the same: which pages of its HTTP port answer.
        self._started = time.monotonic()
        self._cluster = None

    def say(self, text):
        seconds = int(time.monotonic() - self._started)
        print(f"[{seconds // 60:2}:{seconds % 60:02}] {text}", file=sys.stderr, flush=True)

    @property
    def cluster(self):
        if self._cluster is None:
            self.say(f"making a cluster: a primary, {REPLICAS} replicas, pgbench's tables at scale {SCALE}")
            self._cluster = _make_cluster(self.binary)
        return self._cluster

    @contextlib.contextmanager
    def fairlead(self, database, proxy=None, cluster=None, nodes=None, environment=None):
        """Fairlead as it comes, but for what the dictionaries say; passwords are kept as verifiers, as PgBouncer's are."""
        cluster = cluster or self.cluster
        proxy = {"workers": 0, **(proxy or {})}  # The tests have two wherever they run.
        sections = {"database": database, "proxy": proxy, "cluster": _PROBES_BY_DEFAULT}
        running = Proxy(cluster, sections, nodes=nodes, verifiers=True, environment=environment)
        try:
            self._describe(running)
            yield running
        finally:
            running.stop()

    @contextlib.contextmanager
    def pgbouncer(self, **options):
        """In front of the first replica, so that it serves the same reads."""
        running = PgBouncer(self.cluster, 1, **options)
        try:
            yield running
        finally:
            running.stop()

    def _describe(self, running):
        if self.settings:
            return
        shown = subprocess.run(
            [self.binary, "config", "show", "--json", "-c", running.config], capture_output=True, text=True, check=True
        )
        self.settings = {setting["key"]: setting["value"] for setting in json.loads(shown.stdout)}
        if workers := re.search(r"workers: (\d+)", running.log()):
            self.settings["proxy.workers"] += f" (here: {workers[1]})"
        for page in ("/metrics", "/api/v1/requests"):
            self.pages[page] = _answers(f"http://127.0.0.1:{running.http_port}{page}")

    def stop(self):
        if self._cluster is not None:
            self._cluster.stop()


def _make_cluster(binary):
    cluster = Cluster(binary, REPLICAS)
    try:
        pgbench.initialise(cluster.node_address(0), SCALE)
        with cluster.superuser() as primary:
            written = primary.value("select pg_current_wal_lsn()")
        for index in range(1, len(cluster.nodes)):
            with cluster.superuser(index) as replica:
                seen = f"select pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"
                eventually(lambda: replica.value(seen) == "t", 120, f"replica {index} has pgbench's tables")
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return page.status == 200
    except (urllib.error.URLError, OSError):
        return False
