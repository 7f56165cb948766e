"""Where a test connects to, as the environment says it: FAIRLEAD_HOST, FAIRLEAD_PORT, FAIRLEAD_READ_PORT, ...

FAIRLEAD_DIRECT=1 means that plain PostgreSQL answers there: whatever is not about routing must hold on it too, which
is how a test proves that the proxy is transparent.
"""
import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Address:
    host: str
    port: int  # Automatic routing.
    user: str
    password: str
    database: str
    read_port: int = 0  # 0: the same as port.
    primary_port: int = 0
    nodes: tuple = field(default_factory=tuple)  # (host, port) of the servers themselves, the primary first.
    direct: bool = False

    @classmethod
    def from_environment(cls):
        """None when the environment names no address."""
        env = os.environ
        if not env.get("FAIRLEAD_PORT"):
            return None
        nodes = [node.rsplit(":", 1) for node in env.get("FAIRLEAD_NODES", "").split(",") if node]
        return cls(
            host=env.get("FAIRLEAD_HOST", "127.0.0.1"),
            port=int(env["FAIRLEAD_PORT"]),
            read_port=int(env.get("FAIRLEAD_READ_PORT") or 0),
            primary_port=int(env.get("FAIRLEAD_PRIMARY_PORT") or 0),
            user=env["FAIRLEAD_USER"],
            password=env.get("FAIRLEAD_PASSWORD", ""),
            database=env["FAIRLEAD_DB"],
            nodes=tuple((host, int(port)) for host, port in nodes),
            direct=env.get("FAIRLEAD_DIRECT") == "1",
        )

    def environment(self):
        """The variables that from_environment() reads, for a child process."""
        return {
            "FAIRLEAD_HOST": self.host,
            "FAIRLEAD_PORT": str(self.port),
            "FAIRLEAD_READ_PORT": str(self.read_port or self.port),
            "FAIRLEAD_PRIMARY_PORT": str(self.primary_port or self.port),
            "FAIRLEAD_USER": self.user,
            "FAIRLEAD_PASSWORD": self.password,
            "FAIRLEAD_DB": self.database,
            "FAIRLEAD_NODES": ",".join(f"{host}:{port}" for host, port in self.nodes),
            "FAIRLEAD_DIRECT": "1" if self.direct else "0",
        }

    def libpq_environment(self, port=None):
        """For psql, pgbench and their like."""
        return {
            **os.environ,
            "PGHOST": self.host,
            "PGPORT": str(port or self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
            "PGSSLMODE": "prefer",
        }
