"""What it costs to know where a statement goes, once its shape was seen: bench/classify_bench against libpg_query."""
import json
import subprocess
from collections import defaultdict

from harness.figures import Bound, Row, Spread, paired_ratio

_PARSE, _KNOWN = "pg_query_parse_only", "known_shape"
_SHOWN = 60  # Characters of a statement.


def parse_benchmarks(report):
    """{statement: {benchmark: {counter: [value of each repetition]}}} of Google Benchmark's JSON."""
    found = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for run in json.loads(report)["benchmarks"]:
        if run["run_type"] != "iteration":
            continue  # Means and deviations over the repetitions.
        if run["time_unit"] != "ns":
            raise ValueError(f"{run['name']} in {run['time_unit']}")
        counters = found[run["label"]][run["name"].split("/")[0]]
        counters["cpu_ns"].append(run["cpu_time"])
        if "allocations" in run:
            counters["allocations"].append(run["allocations"])
    return found


def known_shape(stage):
    stage.say(f"classification: {stage.options.rounds} interleaved repetitions")
    done = subprocess.run(
        [f"{stage.options.build}/bench/classify_bench", f"--benchmark_filter=^({_PARSE}|{_KNOWN})/",
         f"--benchmark_repetitions={stage.options.rounds}", "--benchmark_enable_random_interleaving=true",
         "--benchmark_min_time=0.1", "--benchmark_format=json"],
        capture_output=True, text=True, check=True,
    )
    found = parse_benchmarks(done.stdout)
    ratios = {
        text: paired_ratio(runs[_KNOWN]["cpu_ns"], runs[_PARSE]["cpu_ns"]) for text, runs in found.items()
    }
    worst, *_ = from_worst = sorted(ratios, key=lambda text: -ratios[text].median)
    times = {text: [Spread.of(runs[name]["cpu_ns"]).median for name in (_KNOWN, _PARSE)] for text, runs in found.items()}
    notes = ["the worst of these counts:"] + [
        f"{times[text][0]:6,.0f} ns ÷ {times[text][1]:6,.0f} ns = {ratios[text].median:.3f}  {text[:_SHOWN]}"
        for text in from_worst
    ]
    yield Row(
        "Classification of a known shape, worst", ratios[worst].median, Bound("<=", 0.05), f"{times[worst][0]:,.0f} ns",
        f"{times[worst][1]:,.0f} ns", "pg_query_parse", ratios[worst], notes=notes,
    )
    allocations = Spread.of(value for runs in found.values() for value in runs[_KNOWN]["allocations"])
    yield Row(
        "Allocations of the same, worst", allocations.most, Bound("<=", 0, digits=2), f"{allocations.most:.2f}",
        spread=allocations,
    )
