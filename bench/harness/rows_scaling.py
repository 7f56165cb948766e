"""Whether reads scale with replicas that are the bottleneck: each read holds its server for a while and uses no CPU, so
that a replica can serve so many in a second and no more, whatever the machine."""
import contextlib
import os

from harness import pgbench
from harness.figures import Bound, Row, Spread, interleaved, paired_ratio
from stand.cluster import Cluster

_COUNTS = (1, 2, 4)
_POOL_SIZE = 4  # Servers for each replica.
_HELD_MS = 10
_CLIENTS = 4 * _POOL_SIZE * _COUNTS[-1]  # Four clients wait for each server, even when there are most.
_BOUNDS = {2: Bound(">=", 1.9, digits=2), 4: Bound(">=", 3.7, digits=2)}


def slow_replicas(stage):
    stage.say(f"making a cluster with {_COUNTS[-1]} replicas")
    cluster = Cluster(stage.binary, _COUNTS[-1])
    try:
        found = _measure(stage, cluster)
    finally:
        cluster.stop()
    tps = {count: Spread.of(rounds).median for count, rounds in found.items()}
    for count, bound in _BOUNDS.items():
        ratio = paired_ratio(found[count], found[1])
        yield Row(
            f"Reads of {count} slow replicas ÷ of one", ratio.median, bound, f"{tps[count]:,.0f} tps", f"{tps[1]:,.0f} tps",
            "one replica", ratio,
            notes=[f"each read holds its server for {_HELD_MS} ms; pool_size {_POOL_SIZE}, {_CLIENTS} clients"],
        )


def _measure(stage, cluster):
    script = os.path.join(cluster.folder, "slow_read.sql")
    with open(script, "w", encoding="ascii") as file:
        file.write(f"SELECT pg_sleep({_HELD_MS / 1000});\n")
    load = ["-c", _CLIENTS, "-j", 2, "-M", "simple", "-f", script]
    found = {count: [] for count in _COUNTS}
    with contextlib.ExitStack() as stack:
        proxies = {
            count: stack.enter_context(
                stage.fairlead({"pool_size": _POOL_SIZE}, cluster=cluster, nodes=cluster.nodes[: count + 1])
            )
            for count in _COUNTS
        }
        for number, count in interleaved(stage.options.rounds, list(proxies)):
            tps = pgbench.measure(proxies[count].address, load, stage.options.seconds).tps
            found[count].append(tps)
            stage.say(f"slow replicas: round {number + 1}: {count} of them {tps:,.0f} tps")
    return found
