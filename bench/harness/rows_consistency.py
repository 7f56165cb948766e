"""What it costs that every later read must see the commits before it: writers, and readers of what is being written."""
import os
import tempfile

import wire
from harness import pgbench
from harness.figures import Bound, Row, Spread, interleaved, paired_ratio

_CLIENTS = 8
_POOL_SIZE = 8
_LOAD = ["-c", _CLIENTS, "-j", 2, "-M", "simple"]
_WITH, _WITHOUT = "app", "eventual"


def read_your_writes(stage):
    found = {_WITH: [], _WITHOUT: []}
    with (
        stage.fairlead({"pool_size": _POOL_SIZE, "consistency": _WITH}) as strong,
        stage.fairlead({"pool_size": _POOL_SIZE, "consistency": _WITHOUT}) as weak,
    ):
        proxies = {_WITH: strong, _WITHOUT: weak}
        for number, level in interleaved(stage.options.rounds, list(proxies)):
            tps = pgbench.measure(proxies[level].address, _LOAD, stage.options.seconds).tps
            found[level].append(tps)
            stage.say(f"writes: round {number + 1}: consistency = {level} {tps:,.0f} tps")
    ratio = paired_ratio(found[_WITH], found[_WITHOUT])
    yield Row(
        "Writes with read-your-writes ÷ without", ratio.median, Bound(">=", 0.98, digits=2),
        f"{Spread.of(found[_WITH]).median:,.0f} tps", f"{Spread.of(found[_WITHOUT]).median:,.0f} tps",
        f"consistency = {_WITHOUT}", ratio,
        notes=[f"TPC-B, {_CLIENTS} clients, {_POOL_SIZE} servers on the primary; fsync is off on all nodes"],
    )


_MIXED_CLIENTS = 16
_ACCOUNT = "\\set aid random(1, 100000 * :scale)\n"
_SCRIPTS = {  # The share of each, of ten.
    "read": (_ACCOUNT + "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n", 8),
    "write": (_ACCOUNT + "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;\n", 2),
}


def reads_while_written(stage):
    """Which share of the reads replicas serve, if every fifth transaction writes to the table that the others read."""
    shares, speeds = [], []
    with tempfile.TemporaryDirectory() as folder, stage.fairlead({"pool_size": _MIXED_CLIENTS, "consistency": "app"}) as proxy:
        load = ["-c", _MIXED_CLIENTS, "-j", 2, "-M", "prepared", *_scripts(folder)]
        for number in range(stage.options.rounds):
            done = pgbench.measure(
                proxy.address, load, stage.options.seconds, opens=lambda: _routes(proxy), closes=lambda: _routes(proxy)
            )
            read = {key: done.after[key] - done.before.get(key, 0) for key in done.after if key[1] != "write"}
            on_replicas = sum(count for (target, _), count in read.items() if target == "replica")
            shares.append(on_replicas / sum(read.values()))
            speeds.append(done.tps)
            stage.say(f"mixed: round {number + 1}: {shares[-1]:.1%} of the reads on replicas, {done.tps:,.0f} tps")
    share = Spread.of(shares)
    yield Row(
        "Reads on replicas, of a table that is being written", share.median, Bound(">=", 0.90, digits=3),
        f"{share.median:.1%} of the reads, {Spread.of(speeds).median:,.0f} tps", spread=share,
        notes=[f"consistency = app; 80 % reads, 20 % updates of the same table, {_MIXED_CLIENTS} clients"],
    )


def _scripts(folder):
    options = []
    for name, (text, weight) in _SCRIPTS.items():
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        options += ["-f", f"{path}@{weight}"]
    return options


def _routes(proxy):
    """(target, reason) -> statements so far."""
    with wire.Connection.login(proxy.address) as client:
        return {(target, reason): int(count) for reason, target, count, *_ in client.run("show fairlead.routes")}
