"""What it costs writers that every later read must see their commits: TPC-B with it, and without."""
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
