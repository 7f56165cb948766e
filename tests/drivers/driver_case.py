"""What the drivers' test cases share: the address, and names that no two tests use."""
import itertools
import os
import unittest

from stand.address import Address

ADDRESS = Address.from_environment()
if ADDRESS is None:
    raise SystemExit("run these tests through run.py, or set FAIRLEAD_PORT and the others")
DSN = (
    f"host={ADDRESS.host} port={ADDRESS.port} dbname={ADDRESS.database} user={ADDRESS.user}"
    f" password={ADDRESS.password} sslmode=prefer connect_timeout=20"
)
_numbers = itertools.count(1)

only_proxied = unittest.skipIf(ADDRESS.direct, "plain PostgreSQL routes nothing")


def fresh(prefix):
    """A table or channel name of one's own, also when runs share a database."""
    return f"{prefix}_{os.getpid()}_{next(_numbers)}"
