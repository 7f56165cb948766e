"""Runs pgbench and reads what it says."""
import glob
import re
import subprocess
import threading
from dataclasses import dataclass

from stand.processes import die_with_parent, postgres_tool

WARM_UP = 1  # Seconds before the first line of progress, which do not count: logins, empty pools, cold caches.
_PATIENCE = 60  # Seconds that a run may take longer than it was asked to.
_PROGRESS = re.compile(r"^progress: (\d+\.\d+) s, (\d+\.\d+) tps, ")


@dataclass(frozen=True)
class Progress:
    """One line of `--progress --progress-timestamp`: what happened since the line before it."""

    at: float  # Seconds since 1970.
    tps: float


@dataclass(frozen=True)
class Step:
    """What happened between two lines of progress. `before` and `after` are what was sampled at its ends."""

    transactions: float
    seconds: float
    before: object
    after: object

    @property
    def tps(self):
        return self.transactions / self.seconds


def steps(lines, samples):
    """One for each second; a line tells of the time since the line before it, so the first one only opens them."""
    return [
        Step(line.tps * (line.at - before.at), line.at - before.at, *pair)
        for before, line, *pair in zip(lines, lines[1:], samples, samples[1:])
    ]


def whole(parts):
    """The steps as one."""
    return Step(
        sum(part.transactions for part in parts), sum(part.seconds for part in parts), parts[0].before, parts[-1].after
    )


class PgbenchFailed(RuntimeError):
    pass


def parse_progress(line):
    """None for any other line."""
    found = _PROGRESS.match(line)
    return Progress(float(found.group(1)), float(found.group(2))) if found else None


def parse_log(lines, from_epoch):
    """Latencies in microseconds of the transactions that ended at `from_epoch` or later, from the lines of `--log`:
    client, transaction, time, script, epoch, microseconds, and more with --rate. With --rate a time counts from when the
    transaction was due, so it includes what it waited for the one before it."""
    latencies = []
    for line in lines:
        _, _, time, _, epoch, *_ = line.split()
        if int(epoch) >= from_epoch:
            latencies.append(int(time))  # "failed" and "skipped" are no numbers, and no figures either.
    return latencies


def check_summary(text):
    """Raises if a transaction failed: figures of a run with errors mean nothing."""
    found = re.search(r"^number of failed transactions: (\d+)", text, re.M)
    if found is None or int(found.group(1)) != 0:
        raise PgbenchFailed(f"not every transaction succeeded:\n{text}")


class _Run:
    """One process of pgbench; it ends with the block, whatever happens."""

    def __init__(self, address, options, patience):
        self._process = subprocess.Popen(
            [postgres_tool("pgbench"), *map(str, options)], env=address.libpq_environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent(),
        )
        self._timer = threading.Timer(patience, self._process.kill)

    def __enter__(self):
        self._timer.start()
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()

    def errors(self):
        """Lines of stderr as they come."""
        return self._process.stderr

    def summary(self, errors):
        """After stderr was read to its end. Summaries are short: they fit into the pipe meanwhile."""
        text = self._process.stdout.read()
        code = self._process.wait()
        if code != 0:
            raise PgbenchFailed(f"pgbench: exit code {code}\n{errors[-3000:]}")
        return text


def initialise(address, scale):
    with _Run(address, ["-i", "-s", scale, "-q"], 600) as process:
        process.summary(process.errors().read())


def run(address, options, seconds):
    """Its load for that long, and nothing to look at on the way."""
    with _Run(address, ["-n", "-T", seconds, *options], seconds + _PATIENCE) as process:
        check_summary(process.summary(process.errors().read()))


def window_of(lines, seconds):
    """(line, whether it is the last one) from the first line to the one that comes `seconds` later. A busy pgbench leaves
    lines out: the next one tells of all the time since."""
    opened, closed = None, False
    for line in lines:
        if closed:
            continue  # Read on: pgbench would wait for us.
        opened = opened or line
        closed = line.at > opened.at + seconds - 0.5
        yield line, closed
    if not closed:
        raise PgbenchFailed(f"no line of progress {seconds} s after the first one")


def _window(address, options, seconds):
    """The same of a load on `address`, as the lines come. A second more than needed is asked for, for lines left out."""
    command = ["-n", "-T", WARM_UP + seconds + 2, "-P", 1, "--progress-timestamp", *options]
    others = []

    def lines(texts):
        for text in texts:
            line = parse_progress(text)
            if line is None:
                others.append(text)
            else:
                yield line

    with _Run(address, command, seconds + _PATIENCE) as process:
        yield from window_of(lines(process.errors()), seconds)
        check_summary(process.summary("".join(others)))


def measure_steps(address, options, seconds, sample):
    """The load of `options` on `address`, a step for each second; `sample` is called at the ends of each."""
    lines, samples = [], []
    for line, _ in _window(address, options, seconds):
        lines.append(line)
        samples.append(sample())
    return steps(lines, samples)


def measure(address, options, seconds, opens=lambda: None, closes=lambda: None):
    """The same as one step; what `opens` and `closes` return at its ends is in it."""
    lines, samples = [], []
    for line, is_last in _window(address, options, seconds):
        lines.append(line)
        samples.append(opens() if len(lines) == 1 else closes() if is_last else None)
    return whole(steps(lines, samples))


def latencies(address, options, seconds, prefix):
    """In microseconds, of the transactions after the warm-up; `prefix` is where pgbench may write its logs."""
    run(address, ["-l", "--log-prefix", prefix, *options], WARM_UP + seconds)
    lines = []
    for path in glob.glob(f"{prefix}.*"):
        with open(path, encoding="ascii") as file:
            lines += file.read().splitlines()
    first = min(int(line.split()[4]) for line in lines)
    return parse_log(lines, first + WARM_UP)
