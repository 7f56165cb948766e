"""How often a proxy enters the kernel for one simple transaction while it is busy.

Four calls are needed: the query in and out, its answer in and out. Besides, one wait serves whoever is ready.
"""
from collections import Counter

from harness import pgbench, syscalls
from harness.figures import Bound, Row, Spread, interleaved
from harness.rows_cpu import FAIRNESS, POOL_OF_EACH_REPLICA, SERVERS

_LOAD = ["-S", "-c", 16, "-j", 2, "-M", "simple"]
_WORTH_SHOWING = 0.01  # Calls per transaction.


def while_busy(stage):
    found = {"Fairlead": [], "PgBouncer": []}
    with (
        stage.fairlead({"pool_size": POOL_OF_EACH_REPLICA}) as fairlead,
        stage.pgbouncer(pool_size=SERVERS) as pgbouncer,
    ):
        proxies = {"Fairlead": fairlead, "PgBouncer": pgbouncer}
        for number, name in interleaved(stage.options.rounds, list(proxies)):
            tool, calls = _count(stage, proxies[name])
            found[name].append(calls)
            stage.say(f"system calls ({tool}): round {number + 1}: {name} {_described(calls)}")
    notes = [f"16 clients, counted with {tool}; {FAIRNESS}"]
    notes += [f"{name}: {_described(_medians(rounds))}" for name, rounds in found.items()]
    yield _row("System calls per transaction, waits aside", found, _without_waits, Bound("<=", 4, digits=1), notes)
    yield _row("Waits per transaction", found, _waits, Bound("<=", 1, digits=1), notes)


def _count(stage, proxy):
    """Which tool, and calls per transaction by name."""
    with syscalls.counter(proxy.pid) as tool:
        run = pgbench.measure(proxy.address, _LOAD, stage.options.seconds, tool.start, tool.stop)
        return tool.name, {name: calls / run.transactions for name, calls in run.after.items()}


def _waits(calls):
    return sum(calls.get(name, 0) for name in syscalls.WAITS)


def _without_waits(calls):
    return sum(calls.values()) - _waits(calls)


def _medians(rounds):
    names = Counter(name for calls in rounds for name in calls)
    return {name: Spread.of(calls.get(name, 0) for calls in rounds).median for name in names}


def _described(calls):
    shown = sorted(((count, name) for name, count in calls.items() if count >= _WORTH_SHOWING), reverse=True)
    return ", ".join(f"{name} {count:.2f}" for count, name in shown)


def _row(title, found, figure, bound, notes):
    ours, theirs = (Spread.of(map(figure, found[name])) for name in ("Fairlead", "PgBouncer"))
    return Row(
        title, ours.median, bound, f"{ours.median:.2f}", f"{theirs.median:.2f}", "PgBouncer", ours, notes=notes
    )
