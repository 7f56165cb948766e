"""A cluster made by `fairlead cluster create` with `fairlead up` in front of it, as a user of the program has it.

Everything is started by the program under test and ended by pid.
"""
from stand.cluster import Cluster
from stand.plain import PlainPostgres
from stand.proxy import Proxy


class ProxiedCluster(Cluster):
    """address is where clients connect; proxy_pid is the process whose memory counts."""

    def __init__(self, binary, replicas=2, database=None, proxy=None, cluster=None, tls=False, verifiers=False, programs=None):
        """The dictionaries add to the sections of the configuration; `verifiers`: users_file holds no passwords."""
        self._proxy = None
        super().__init__(binary, replicas, programs)
        sections = {"database": database or {}, "proxy": proxy or {}, "cluster": cluster or {}}
        try:
            self._proxy = Proxy(self, sections, tls=tls, verifiers=verifiers)
        except BaseException:
            self.stop()
            raise
        self.address, self.proxy_pid, self.config = self._proxy.address, self._proxy.pid, self._proxy.config

    def log(self):
        return self._proxy.log()

    def whole_log(self):
        return self._proxy.whole_log()

    def stop(self):
        """Ends everything, however the proxy ends."""
        try:
            if self._proxy is not None:
                self._proxy.stop()
        finally:
            super().stop()


class ProxiedServer(PlainPostgres):
    """One server of any kind, with any number of proxies: for what is not about replicas."""

    def __init__(self, binary, **options):
        """The options are those of PlainPostgres."""
        self.binary, self._proxies = binary, []
        super().__init__(**options)
        self.nodes = [{"host": self.address.host, "port": self.address.port, "role": "primary"}]
        with self.superuser() as server:
            self.verifier = server.value("select rolpassword from pg_authid where rolname = 'tester'")

    def monitor(self):
        return {"monitor_user": "postgres", "monitor_password": self.password}

    def add_proxy(self, **options):
        """The options are those of Proxy."""
        self._proxies.append(Proxy(self, **options))
        return self._proxies[-1]

    def stop(self):
        try:
            for proxy in self._proxies:
                proxy.stop()
        finally:
            super().stop()
