"""Medians, ratios and verdicts. Pure."""
import enum
import statistics
from dataclasses import dataclass, field


class Verdict(enum.Enum):
    TARGET = "pass, target reached"
    PASS = "pass"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Bound:
    """`first` is what must hold now; `target` what the design wants next. `digits`: what is compared is rounded so far,
    because the rest is the noise of measuring."""

    relation: str  # "<=" or ">="
    first: float
    target: float | None = None
    digits: int = 3

    def verdict(self, value):
        if not self._holds(value, self.first):
            return Verdict.FAIL
        reached = self.target is not None and self._holds(value, self.target)
        return Verdict.TARGET if reached else Verdict.PASS

    def _holds(self, value, limit):
        rounded = round(value, self.digits)
        return rounded <= limit if self.relation == "<=" else rounded >= limit

    def __str__(self):
        sign = "≤" if self.relation == "<=" else "≥"
        target = "" if self.target is None else f", then {sign} {self.target:g}"
        return f"{sign} {self.first:g}{target}"


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, and how far they lie apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))


def paired_ratio(ours, theirs):
    """Of each round by itself: what slowed down a whole round is in both halves of it, and cancels."""
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} rounds against {len(theirs)}")
    return Spread.of(our / their for our, their in zip(ours, theirs))


def percentile(values, percent):
    """The smallest value that at least `percent` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("a percentile of nothing")
    rank = -(-len(ordered) * percent // 100)  # Rounded up.
    return ordered[max(int(rank), 1) - 1]


@dataclass
class Row:
    """One line of the table. `value` is what the bound judges: a ratio, or a figure in `unit`."""

    title: str
    value: float
    bound: Bound
    fairlead: str  # The figures behind the value, with their units.
    other: str = ""
    other_name: str = ""
    spread: Spread | None = None
    unit: str = ""
    notes: list = field(default_factory=list)

    @property
    def verdict(self):
        return self.bound.verdict(self.value)


@dataclass
class Unmeasured:
    """A row that could not be measured: no pass."""

    title: str
    why: str


def interleaved(rounds, names):
    """(round, name) in an order in which no name always comes first: what the one leaves behind, the other meets too."""
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            yield number, name
