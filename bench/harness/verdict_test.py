"""What the bench concludes, and how it says so."""
import contextlib
import io
import json
import os
import tempfile
import unittest

from harness import program, report, rows_latency
from harness.figures import Bound, Row, Spread, Unmeasured, Verdict, interleaved, paired_ratio, percentile

_SETTING = {
    "versions": {"Fairlead": "1", "PgBouncer": "2", "PostgreSQL": "3"},
    "machine": {"cpu": "abacus", "cores": 2, "memory_gib": 8, "kernel": "6"},
    "rounds": 5, "seconds": 5, "load_before": 0.1, "load_after": 2.0, "switched_on": ["workers = 2"],
}
_AT_MOST = Bound("<=", 1.0, 0.85, digits=2)


def row(value, bound=_AT_MOST, **more):
    return Row("cost", value, bound, "20 µs", "21 µs", "PgBouncer", **more)


class Figures(unittest.TestCase):
    def test_the_median_of_an_even_number_lies_between(self):
        self.assertEqual(Spread.of([4, 1, 3, 2]), Spread(2.5, 1, 4))

    def test_a_ratio_is_taken_of_each_round_by_itself(self):
        # The second round was twice as slow for both: it must not count as a difference.
        self.assertEqual(paired_ratio([8, 16, 9], [10, 20, 10]), Spread(0.8, 0.8, 0.9))
        with self.assertRaises(ValueError):
            paired_ratio([1, 2], [1])

    def test_a_percentile_is_one_of_the_values(self):
        self.assertEqual(percentile(range(1, 101), 99), 99)
        self.assertEqual(percentile([7], 99), 7)
        self.assertEqual(percentile([1, 2, 3], 99), 3)
        with self.assertRaises(ValueError):
            percentile([], 99)

    def test_rounds_take_turns_in_who_comes_first(self):
        self.assertEqual(list(interleaved(2, ["a", "b"])), [(0, "a"), (0, "b"), (1, "b"), (1, "a")])


    def test_a_proxy_that_is_quicker_than_none_is_noise_unless_it_is_rare(self):
        self.assertEqual(rows_latency.added([30, 25], [20, 30]), [10, -5])
        self.assertFalse(rows_latency.is_noise([10, 12, 9, -1, 11]))
        self.assertTrue(rows_latency.is_noise([10, 12, 9, -1, -3]))
        self.assertTrue(rows_latency.is_noise([0]))


class Verdicts(unittest.TestCase):
    def test_a_bound_holds_at_its_limit_and_not_beyond(self):
        for value, verdict in ((0.85, Verdict.TARGET), (0.86, Verdict.PASS), (1.0, Verdict.PASS), (1.01, Verdict.FAIL)):
            self.assertIs(_AT_MOST.verdict(value), verdict, value)
        at_least = Bound(">=", 1.9)
        self.assertIs(at_least.verdict(1.9), Verdict.PASS)
        self.assertIs(at_least.verdict(1.899), Verdict.FAIL)

    def test_what_lies_within_the_noise_of_measuring_is_no_failure(self):
        none = Bound("<=", 0, digits=2)
        self.assertIs(none.verdict(0.004), Verdict.PASS)
        self.assertIs(none.verdict(0.006), Verdict.FAIL)

    def test_a_failed_bound_decides_the_exit_code_and_a_missing_figure_is_no_success(self):
        good, bad, missing = row(0.9), row(1.2), Unmeasured("latency", "too busy")
        self.assertEqual(program.exit_code([good, good]), 0)
        self.assertEqual(program.exit_code([good, missing]), 1)
        self.assertEqual(program.exit_code([good, missing, bad]), 3)


class Report(unittest.TestCase):
    def test_the_table_has_every_figure_with_its_bound_and_verdict(self):
        rows = [row(1.234, spread=Spread(1.234, 1.1, 1.4), notes=["as it is"]), Unmeasured("latency", "too busy")]
        text = report.as_text(rows, _SETTING)
        line = next(line for line in text.splitlines() if line.startswith("cost "))
        for cell in ("20 µs", "21 µs PgBouncer", "1.23", "1.10 … 1.40", "≤ 1, then ≤ 0.85", "FAIL"):
            self.assertIn(cell, line)
        self.assertRegex(text, r"latency +not measured")
        for said in ("too busy", "as it is", "2 rows: 0 passed, 1 failed, 1 not measured", "workers = 2", "abacus"):
            self.assertIn(said, text)

    def test_json_says_the_same(self):
        rows = json.loads(report.as_json([row(0.5), Unmeasured("latency", "too busy")], _SETTING))["rows"]
        self.assertEqual((rows[0]["value"], rows[0]["verdict"]), (0.5, "pass, target reached"))
        self.assertEqual(rows[1], {"title": "latency", "verdict": "not measured", "why": "too busy"})

    def test_a_setting_that_fairlead_no_longer_has_is_an_error(self):
        with self.assertRaises(KeyError):
            report.switched_on({"proxy.workers": "2"}, {"/metrics": True, "/api/v1/requests": False})


class CommandLine(unittest.TestCase):
    def refused(self, *arguments):
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as ended:
            program.parse(arguments)
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue()

    def test_refuses_what_it_cannot_measure(self):
        self.assertIn("there is no row \"speed\"", self.refused("build/release", "--only", "speed"))
        self.assertIn("not 1 or more", self.refused("build/release", "--rounds", "0"))
        self.assertIn("make bench", self.refused("/nonexistent"))

    def test_runs_every_row_unless_told_which(self):
        with tempfile.TemporaryDirectory() as build:
            os.close(os.open(f"{build}/fairlead", os.O_CREAT, 0o700))
            self.assertEqual(program.parse([build]).only, list(program.ROWS))
            self.assertEqual(program.parse([build, "--only", "memory,latency"]).only, ["memory", "latency"])


if __name__ == "__main__":
    unittest.main()
