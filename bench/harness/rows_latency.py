"""What a proxy adds to the slowest of a hundred transactions while it is half busy.

The same load, at the same rate, goes through each proxy and to the replica itself. A latency counts from when the
transaction was due, so that a proxy that stalls is charged for everybody who waited.
"""
import os
import tempfile

from harness import pgbench
from harness.figures import Bound, Row, Spread, interleaved, percentile
from harness.rows_cpu import POOL_OF_EACH_REPLICA, SERVERS
from harness.stage import CannotMeasure

_LOAD = ["-S", "-c", 16, "-j", 2, "-M", "simple"]
_SATURATION_SECONDS = 3


def added(proxied, direct):
    """Of each round by itself, in microseconds."""
    return [through - without for through, without in zip(proxied, direct)]


def is_noise(rounds):
    """What is added cannot be negative. One round of five may be bad luck; more, and the others mean nothing either."""
    return sum(value <= 0 for value in rounds) > len(rounds) // 5


def added_p99(stage):
    with (
        stage.fairlead({"pool_size": POOL_OF_EACH_REPLICA}) as fairlead,
        stage.pgbouncer(pool_size=SERVERS) as pgbouncer,
        tempfile.TemporaryDirectory(dir=stage.cluster.folder) as logs,
    ):
        targets = {
            "Fairlead": fairlead.address,
            "PgBouncer": pgbouncer.address,
            "direct": stage.cluster.node_address(1),
        }
        rate = _half_of_saturation(stage, [fairlead, pgbouncer])
        found = {name: [] for name in targets}
        for number, name in interleaved(stage.options.rounds, list(targets)):
            prefix = os.path.join(logs, f"{name}-{number}")
            latencies = pgbench.latencies(targets[name], ["-R", rate, *_LOAD], stage.options.seconds, prefix)
            found[name].append(percentile(latencies, 99))
            stage.say(f"latency at {rate:,} tps: round {number + 1}: {name} p99 {found[name][-1]:,} µs")
    yield _row(found, rate)


def _half_of_saturation(stage, proxies):
    """Of the proxy that is saturated first, so that both are given the same and none is overloaded."""
    rates = [pgbench.measure(proxy.address, _LOAD, _SATURATION_SECONDS).tps for proxy in proxies]
    return int(min(rates) / 2)


def _row(found, rate):
    added_to = {name: added(found[name], found["direct"]) for name in ("Fairlead", "PgBouncer")}
    ours, theirs = (Spread.of(rounds) for rounds in added_to.values())
    p99 = {name: Spread.of(rounds).median for name, rounds in found.items()}
    notes = [
        f"at {rate:,} tps, half of what saturates the slower proxy; 16 clients, simple; p99 itself: "
        + ", ".join(f"{name} {value:,.0f} µs" for name, value in p99.items()),
        f"added in each round: Fairlead {ours.least:,.0f} … {ours.most:,.0f} µs, PgBouncer {theirs.least:,.0f} … "
        f"{theirs.most:,.0f} µs; below zero is noise",
    ]
    if is_noise(added_to["Fairlead"]) or is_noise(added_to["PgBouncer"]):
        raise CannotMeasure("proxies seem quicker than no proxy at all, so the machine is too busy: " + "; ".join(notes))
    return Row(
        "Added p99 latency at half load", ours.median / theirs.median, Bound("<=", 1.0, digits=2),
        f"{ours.median:,.0f} µs", f"{theirs.median:,.0f} µs", "PgBouncer", notes=notes,
    )
