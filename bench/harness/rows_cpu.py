"""What a transaction costs: CPU time of the proxy's process, all threads, for each transaction that it carried."""
import contextlib
import functools

from harness import pgbench
from harness.figures import Bound, Row, Spread, interleaved, paired_ratio
from stand.processes import cpu_seconds

SERVERS = 16
POOL_OF_EACH_REPLICA = SERVERS // 2
FAIRNESS = (
    f"{SERVERS} servers in all for both: Fairlead has {POOL_OF_EACH_REPLICA} on each of two replicas, "
    f"PgBouncer {SERVERS} on one of these replicas"
)
_SESSION = (
    "PgBouncer in pool_mode = session: Debian's has no prepared statements in transaction mode. It hands them through "
    "as they are, while Fairlead maps their names; newer PgBouncers do that too, and pay for it"
)


def _load(clients, protocol):
    return ["-S", "-c", clients, "-j", 2, "-M", protocol]


def _measure_load(stage, title, load, proxies):
    """(microseconds per transaction, tps) of each round, by name of the proxy."""
    found = {name: [] for name in proxies}
    for number, name in interleaved(stage.options.rounds, list(proxies)):
        used = functools.partial(cpu_seconds, proxies[name].pid)
        run = pgbench.measure(proxies[name].address, load, stage.options.seconds, used, used)
        cost = (run.after - run.before) / run.transactions * 1e6
        found[name].append((cost, run.tps))
        stage.say(f"{title}: round {number + 1}: {name} {cost:.1f} µs, {run.tps:,.0f} tps")
    return found


def _figure(rounds):
    cost = Spread.of(cost for cost, _ in rounds).median
    tps = Spread.of(tps for _, tps in rounds).median
    return f"{cost:.1f} µs, {tps:,.0f} tps"


def _row(stage, title, load, bound, proxies, notes):
    found = _measure_load(stage, title, load, proxies)
    ours, theirs = found["Fairlead"], found["PgBouncer"]
    ratio = paired_ratio([cost for cost, _ in ours], [cost for cost, _ in theirs])
    return Row(
        f"CPU per transaction: {title}", ratio.median, bound, _figure(ours), _figure(theirs), "PgBouncer", ratio,
        notes=notes,
    )


@contextlib.contextmanager
def _both(stage, pool_mode):
    with (
        stage.fairlead({"pool_size": POOL_OF_EACH_REPLICA}) as fairlead,
        stage.pgbouncer(pool_size=SERVERS, pool_mode=pool_mode) as pgbouncer,
    ):
        yield {"Fairlead": fairlead, "PgBouncer": pgbouncer}


def simple(stage):
    with _both(stage, "transaction") as proxies:
        yield _row(stage, "16 clients, simple", _load(16, "simple"), Bound("<=", 1.0, 0.85, 2), proxies, [FAIRNESS])


def prepared(stage):
    with _both(stage, "session") as proxies:
        yield _row(
            stage, "16 clients, prepared", _load(16, "prepared"), Bound("<=", 0.85, 0.70, 2), proxies,
            [FAIRNESS, _SESSION],
        )


def crowded(stage):
    with _both(stage, "transaction") as proxies:
        yield _row(stage, "48 clients, simple", _load(48, "simple"), Bound("<=", 0.85, 0.70, 2), proxies, [FAIRNESS])
