"""The command line of bench/run: which rows, how long, and what its exit code says."""
import argparse
import os
import signal
import sys
import traceback

from harness import (
    machine, report, rows_allocations, rows_classify, rows_consistency, rows_cpu, rows_latency, rows_memory, rows_scaling,
    rows_syscalls,
)
from harness.figures import Row, Unmeasured, Verdict
from harness.stage import CannotMeasure, Options, Stage

# What `--only` takes: each gives one or more rows of the table.
ROWS = {
    "cpu-simple": rows_cpu.simple,
    "cpu-prepared": rows_cpu.prepared,
    "cpu-crowded": rows_cpu.crowded,
    "memory": rows_memory.idle_clients,
    "classify": rows_classify.known_shape,
    "syscalls": rows_syscalls.while_busy,
    "allocations": rows_allocations.steady_state,
    "latency": rows_latency.added_p99,
    "consistency": rows_consistency.read_your_writes,
    "mixed": rows_consistency.reads_while_written,
    "scaling": rows_scaling.slow_replicas,
}
_OK, _ERROR, _BOUND_FAILED = 0, 1, 3


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _names(text):
    names = text.split(",")
    for name in names:
        if name not in ROWS:
            raise argparse.ArgumentTypeError(f"there is no row \"{name}\"; there are {', '.join(ROWS)}")
    return names


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench/run", description="Measures Fairlead beside PgBouncer on real servers, and holds it to its bounds.",
        epilog="Exit codes: 0 all bounds hold, 1 something could not be measured, 2 usage, 3 a bound failed.",
    )
    parser.add_argument("build", help="folder of a release build, such as build/release")
    parser.add_argument("--rounds", type=_positive, default=5, help="default 5, the least that is worth a conclusion")
    parser.add_argument("--seconds", type=_positive, default=5, help="of each run, its warm-up not counted (default 5)")
    parser.add_argument("--only", type=_names, default=list(ROWS), metavar="ROW,...", help=", ".join(ROWS))
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args(arguments)
    if not os.access(os.path.join(options.build, "fairlead"), os.X_OK):
        parser.error(f"there is no {options.build}/fairlead; build it with: make bench")
    return options


def _measure(stage, names):
    """A row that fails does not take the others with it."""
    rows = []
    for name in names:
        try:
            rows += ROWS[name](stage)
        except CannotMeasure as error:
            stage.say(f"{name}: {error}")
            rows.append(Unmeasured(name, str(error)))
        except Exception as error:  # Reported as it is, and the exit code says so.
            traceback.print_exc()
            rows.append(Unmeasured(name, f"{type(error).__name__}: {error}"))
    return rows


def exit_code(rows):
    if any(isinstance(row, Row) and row.verdict is Verdict.FAIL for row in rows):
        return _BOUND_FAILED
    return _ERROR if any(isinstance(row, Unmeasured) for row in rows) else _OK


def main(arguments):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # So that everything that was started is ended.
    options = parse(arguments)
    load_before = machine.load_average()
    stage = Stage(Options(os.path.abspath(options.build), options.rounds, options.seconds))
    try:
        rows = _measure(stage, options.only)
    finally:
        stage.stop()
    setting = {
        "versions": machine.versions(stage.binary), "machine": machine.machine(), "rounds": options.rounds,
        "seconds": options.seconds, "load_before": load_before, "load_after": machine.load_average(),
        "switched_on": report.switched_on(stage.settings, stage.pages),
    }
    sys.stdout.write((report.as_json if options.json else report.as_text)(rows, setting))
    return exit_code(rows)
