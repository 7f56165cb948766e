"""The table at the end, and the same as JSON."""
import json
import textwrap

from harness.figures import Spread, Unmeasured, Verdict

# What decides how much a proxy has to do. A setting that rows differ in is in their notes.
_SWITCHES = (
    ("proxy.workers", "workers"),
    ('database."*".mode', "mode"),
    ('database."*".consistency', "consistency"),
    ('database."*".primary_reads', "primary_reads"),
    ('database."*".balance', "balance"),
    ('database."*".transaction_reads', "transaction_reads"),
    ("cluster.main.probe_interval", "probe_interval"),
)
_WIDTH = 120  # Of texts; the table is as wide as it is.
_COLUMNS = ("", "Fairlead", "beside it", "judged", "its rounds", "bound", "verdict")


def switched_on(settings, pages):
    """Texts such as "consistency = app". An unknown key is an error: the report would promise what nobody has set."""
    if not settings:
        return []
    metrics = "metrics: on" if pages["/metrics"] else "metrics: not served by this version"
    ledger = "ledger: on" if pages["/api/v1/requests"] else "ledger: not served by this version"
    return [f"{name} = {settings[key]}" for key, name in _SWITCHES] + [metrics, ledger]


def _number(value, unit=""):
    digits = 3 if 0 < abs(round(value, 3)) < 0.1 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def _cells(row):
    if isinstance(row, Unmeasured):
        return (row.title, "", "", "", "", "", "not measured")
    beside = f"{row.other} {row.other_name}".strip()
    rounds = "" if row.spread is None else f"{_number(row.spread.least)} … {_number(row.spread.most)}"
    return (
        row.title, row.fairlead, beside, _number(row.value, row.unit), rounds, str(row.bound), row.verdict.value,
    )


def _table(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()


def _wrapped(text, indent=""):
    return textwrap.fill(text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _notes(rows):
    """Each note once, under the titles of its rows."""
    titles = {}
    for row in rows:
        for note in [row.why] if isinstance(row, Unmeasured) else row.notes:
            titles.setdefault(note, []).append(row.title)
    last = None
    for note, of in titles.items():
        if of != last:
            yield _wrapped("; ".join(of) + ":")
            last = of
        yield _wrapped(f"  {note}", "    ")


def summary(rows):
    verdicts = [None if isinstance(row, Unmeasured) else row.verdict for row in rows]
    failed, missing = verdicts.count(Verdict.FAIL), verdicts.count(None)
    return f"{len(rows)} rows: {len(rows) - failed - missing} passed, {failed} failed, {missing} not measured"


def as_text(rows, setting):
    machine, versions = setting["machine"], setting["versions"]
    switches = setting["switched_on"]
    lines = [
        "Fairlead " + versions["Fairlead"] + " beside PgBouncer " + versions["PgBouncer"] + ", PostgreSQL "
        + versions["PostgreSQL"],
        f"{machine['cores']} × {machine['cpu']}, {machine['memory_gib']} GiB, Linux {machine['kernel']}; "
        f"load {setting['load_before']:.1f} before, {setting['load_after']:.1f} after",
        f"{setting['rounds']} rounds of {setting['seconds']} s, interleaved; figures are medians; a ratio is the median of "
        "the rounds' ratios",
        *([_wrapped("Fairlead: " + ", ".join(switches), "  ")] if switches else []),
        "",
        *_table([_COLUMNS, *map(_cells, rows)]),
        "",
        *_notes(rows),
        "",
        summary(rows),
    ]
    return "\n".join(lines) + "\n"


def _as_object(row):
    if isinstance(row, Unmeasured):
        return {"title": row.title, "verdict": "not measured", "why": row.why}
    spread = row.spread or Spread(row.value, row.value, row.value)
    return {
        "title": row.title, "fairlead": row.fairlead, "beside": row.other, "beside_name": row.other_name,
        "value": row.value, "unit": row.unit, "least": spread.least, "most": spread.most,
        "relation": row.bound.relation, "bound": row.bound.first, "target": row.bound.target,
        "verdict": row.verdict.value, "notes": row.notes,
    }


def as_json(rows, setting):
    return json.dumps({**setting, "rows": [_as_object(row) for row in rows]}, indent=2, ensure_ascii=False) + "\n"
