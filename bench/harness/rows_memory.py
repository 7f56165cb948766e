"""What an idle client costs: resident memory of a fresh proxy, before and with many clients.

Each client has logged in over plain TCP and read one row, so that every buffer that is needed for that was needed once.
"""
import contextlib

import wire
from harness.figures import Bound, Row, Spread, interleaved
from harness.stage import CannotMeasure
from stand.processes import allow_many_files, memory_kib

FEW, MANY = 1_000, 10_000
_OTHER_FILES = 200  # Servers, probes, logs.
_POOL_SIZE = 8
_READ = "SELECT abalance FROM pgbench_accounts WHERE aid = 1"


def idle_clients(stage):
    limit = allow_many_files()
    if limit < MANY + _OTHER_FILES:
        raise CannotMeasure(f"{limit} open files are too few for {MANY} clients: raise the hard limit (ulimit -Hn)")
    found = {"Fairlead": [], "PgBouncer": []}
    for number, name in interleaved(stage.options.rounds, list(found)):
        with _started(stage, name) as proxy:
            sizes = _resident(proxy)
        found[name].append(sizes)
        alone, few, many = sizes
        stage.say(f"idle clients: round {number + 1}: {name} {alone:,} KiB alone, {few:,} with {FEW:,}, {many:,} with {MANY:,}")
    for count, index in ((FEW, 1), (MANY, 2)):
        each = {name: _each(rounds, index, count) for name, rounds in found.items()}
        yield Row(
            f"Memory per idle client, of {count:,}", each["Fairlead"].median, Bound("<=", 8, 3, 2),
            f"{each['Fairlead'].median:.2f} KiB", f"{each['PgBouncer'].median:.2f} KiB", "PgBouncer", each["Fairlead"],
            unit="KiB",
        )
    whole = {name: Spread.of(sizes[2] / 1024 for sizes in rounds) for name, rounds in found.items()}
    yield Row(
        f"Resident memory with {MANY:,} idle clients", whole["Fairlead"].median, Bound("<=", 100, digits=1),
        f"{whole['Fairlead'].median:.1f} MiB", f"{whole['PgBouncer'].median:.1f} MiB", "PgBouncer", whole["Fairlead"],
        unit="MiB", notes=["plain TCP, SCRAM; each client has read one row before it became idle"],
    )


def _each(rounds, index, count):
    return Spread.of((sizes[index] - sizes[0]) / count for sizes in rounds)


def _started(stage, name):
    clients_max = MANY + _OTHER_FILES
    if name == "Fairlead":
        return stage.fairlead({"pool_size": _POOL_SIZE}, {"max_client_connections": clients_max})
    return stage.pgbouncer(pool_size=2 * _POOL_SIZE, clients_max=clients_max)


def _resident(proxy):
    """KiB alone, with a few clients, and with many."""
    with contextlib.ExitStack() as stack:
        sizes = []
        # The first servers are open and the first buffers made before anything is counted.
        for count in (1, FEW, MANY - FEW):
            for _ in range(count):
                client = wire.Connection.login(proxy.address)
                stack.callback(client.close)
                client.run(_READ)
            sizes.append(memory_kib(proxy.pid, "VmRSS"))
        return sizes
