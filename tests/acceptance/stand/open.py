"""open_stand(): the one call with which a test program gets what it runs against.

The environment decides: FAIRLEAD_PORT and the others name something that runs already; FAIRLEAD_DIRECT=1 asks for plain
PostgreSQL; otherwise FAIRLEAD_BINARY (build/release/fairlead, then build/dev/fairlead) makes a cluster with a proxy.
"""
import contextlib
import os
import signal
import sys
import unittest

from stand.address import Address
from stand.plain import PlainPostgres
from stand.proxied import ProxiedCluster

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class _Existing:
    """Somebody else's servers: nothing to start or stop, no process to look at."""

    proxy_pid = None

    def __init__(self, address):
        self.address = address

    def stop(self):
        pass


def is_long():
    """Soaks run for a minute instead of seconds."""
    return os.environ.get("FAIRLEAD_SOAK") == "1"


def wants_direct():
    return os.environ.get("FAIRLEAD_DIRECT") == "1"


only_proxied = unittest.skipIf(wants_direct(), "plain PostgreSQL routes nothing")


def fairlead_binary():
    """None when nothing was built."""
    named = os.environ.get("FAIRLEAD_BINARY")
    candidates = [named] if named else [f"{_ROOT}/build/{preset}/fairlead" for preset in ("release", "dev")]
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


@contextlib.contextmanager
def open_stand(make=ProxiedCluster, **options):
    """Options are those of `make`; plain PostgreSQL needs none of them."""
    # So that `finally` is carried out; unittest takes SystemExit for the failure of one test.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    existing = Address.from_environment()
    binary = fairlead_binary()
    if existing is not None:
        stand = _Existing(existing)
    elif wants_direct():
        stand = PlainPostgres()
    elif binary is None:
        sys.exit("no fairlead binary; set FAIRLEAD_BINARY, or FAIRLEAD_DIRECT=1 for plain PostgreSQL")
    else:
        stand = make(binary, **options)
    try:
        yield stand
    finally:
        stand.stop()


def tell_log(stand):
    """What the proxy of a stand said last, for whoever reads about a failure."""
    if getattr(stand, "proxy_pid", None) is not None:
        print(f"the proxy said last:\n{stand.log()}", file=sys.stderr, flush=True)


def run_program(module, **options):
    """Runs the unittest cases of `module` with one stand for all, which they find as `module.STAND`."""
    with open_stand(**options) as stand:
        module.STAND = stand
        program = unittest.main(module=module, exit=False, verbosity=2)
        if not program.result.wasSuccessful():
            tell_log(stand)
    sys.exit(0 if program.result.wasSuccessful() else 1)
