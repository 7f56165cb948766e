"""How often a proxy asks for memory for each transaction, once its buffers and caches are warm.

Counted inside the proxy by bench/count_allocations in LD_PRELOAD. What it allocates while nobody asks for anything (its
probes of the nodes) is measured right before and taken off. The figure is that of the median second, because some work is
done once in many seconds, whatever the load (reading the catalog); with that it would be the mean.
"""
import contextlib
import os
import shutil
import struct
import tempfile
import time

from harness import pgbench
from harness.figures import Bound, Row, Spread, interleaved

_POOL_SIZE = 8
_CLIENTS = 16
_IDLE_SECONDS = 2


class AllocationCount:
    """A library for LD_PRELOAD and the file that it counts into, both where PgBouncer's user may reach them."""

    def __init__(self, build, folder):
        self._folder = tempfile.mkdtemp(prefix="allocations-", dir=folder)
        os.chmod(self._folder, 0o755)
        library = shutil.copy(f"{build}/bench/count_allocations.so", self._folder)
        self._counts = os.path.join(self._folder, "counts")
        with open(self._counts, "wb") as file:
            file.write(bytes(8))
        os.chmod(self._counts, 0o666)
        self.environment = {"LD_PRELOAD": library, "FAIRLEAD_BENCH_ALLOCATIONS": self._counts}

    def value(self):
        with open(self._counts, "rb") as file:
            return struct.unpack("=Q", file.read(8))[0]


def per_transaction(step, idle_per_second):
    made = step.after - step.before - idle_per_second * step.seconds
    return max(made, 0) / step.transactions


def _idle_per_second(count):
    before, began = count.value(), time.monotonic()
    time.sleep(_IDLE_SECONDS)
    return (count.value() - before) / (time.monotonic() - began)


def steady_state(stage):
    for protocol in ("simple", "prepared"):
        yield _row(stage, protocol)


def _row(stage, protocol):
    folder = stage.cluster.folder
    counts = {name: AllocationCount(stage.options.build, folder) for name in ("Fairlead", "PgBouncer")}
    load = ["-S", "-c", _CLIENTS, "-j", 2, "-M", protocol]
    found = {name: [] for name in counts}
    with contextlib.ExitStack() as stack:
        proxies = {
            "Fairlead": stack.enter_context(
                stage.fairlead({"pool_size": _POOL_SIZE}, environment=counts["Fairlead"].environment)
            ),
            "PgBouncer": stack.enter_context(
                stage.pgbouncer(pool_size=_CLIENTS, pool_mode="transaction" if protocol == "simple" else "session",
                                environment=counts["PgBouncer"].environment)
            ),
        }
        for number, name in interleaved(stage.options.rounds, list(proxies)):
            idle = _idle_per_second(counts[name])
            steps = pgbench.measure_steps(proxies[name].address, load, stage.options.seconds, counts[name].value)
            if steps[0].before == 0:
                raise RuntimeError(f"{name} has counted nothing: its library was not loaded")
            median = Spread.of(per_transaction(step, idle) for step in steps).median
            mean = per_transaction(pgbench.whole(steps), idle)
            found[name].append((median, mean))
            stage.say(f"allocations, {protocol}: round {number + 1}: {name} {median:.3f} per transaction, mean {mean:.3f}")
    ours, theirs = (Spread.of(median for median, _ in found[name]) for name in counts)
    mean = Spread.of(mean for _, mean in found["Fairlead"]).median
    return Row(
        f"Allocations per transaction, {protocol}", ours.median, Bound("<=", 0, digits=2), f"{ours.median:.2f}",
        f"{theirs.median:.2f}", "PgBouncer", ours,
        notes=[f"{mean:.2f} with what Fairlead does once in many seconds, whatever the load, such as reading the catalog"],
    )
