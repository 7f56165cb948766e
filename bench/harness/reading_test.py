"""What the bench reads: pgbench, /proc, perf, strace, Google Benchmark."""
import unittest

from harness import pgbench
from harness.rows_allocations import per_transaction
from harness.rows_classify import parse_benchmarks
from harness.syscalls import parse_perf, parse_strace
from stand.processes import cpu_ticks

_SUMMARY = """transaction type: <builtin: select only>
number of clients: 16
number of transactions actually processed: 1000
number of failed transactions: {} (0.000%)
tps = 5000.000000 (without initial connection time)
"""


class PgbenchOutput(unittest.TestCase):
    def test_a_line_of_progress_has_its_time_and_rate(self):
        line = "progress: 1700000001.250 s, 21034.7 tps, lat 0.758 ms stddev 0.121, 0 failed\n"
        self.assertEqual(pgbench.parse_progress(line), pgbench.Progress(1700000001.25, 21034.7))
        with_rate = "progress: 2.000 s, 100.0 tps, lat 0.758 ms stddev 0.1, lag 0.2 ms, 0 failed\n"
        self.assertEqual(pgbench.parse_progress(with_rate), pgbench.Progress(2, 100))

    def test_other_lines_are_no_progress(self):
        for line in ("pgbench (15.18)\n", "tps = 12.3\n", "pgbench: error: client 3 aborted: progress: no\n"):
            self.assertIsNone(pgbench.parse_progress(line))

    def test_the_line_that_opens_the_window_counts_nothing_and_an_uneven_second_counts_as_long_as_it_was(self):
        lines = [pgbench.Progress(10, 9999), pgbench.Progress(11, 100), pgbench.Progress(13, 50)]
        run = pgbench.whole(pgbench.steps(lines, ["a", "b", "c"]))
        self.assertEqual(run, pgbench.Step(200, 3, "a", "c"))
        self.assertAlmostEqual(run.tps, 200 / 3)

    def test_a_window_lasts_as_long_as_it_should_whatever_lines_pgbench_leaves_out(self):
        def window(*times):
            return [(line.at, last) for line, last in pgbench.window_of([pgbench.Progress(at, 1) for at in times], 3)]

        self.assertEqual(window(10, 11, 12, 13, 14), [(10, False), (11, False), (12, False), (13, True)])
        self.assertEqual(window(10, 12, 14), [(10, False), (12, False), (14, True)])
        self.assertEqual(window(10.02, 11, 12.4, 13.01)[-1], (13.01, True))
        for times in ((), (10,), (10, 11, 12)):
            with self.assertRaises(pgbench.PgbenchFailed):
                window(*times)

    def test_latencies_of_the_warm_up_do_not_count(self):
        lines = ["0 1 900 0 100 999999 5", "1 1 800 0 101 0 7", "0 2 700 0 102 500"]
        self.assertEqual(pgbench.parse_log(lines, 101), [800, 700])

    def test_a_failed_transaction_makes_the_run_worthless(self):
        pgbench.check_summary(_SUMMARY.format(0))
        for text in (_SUMMARY.format(3), "no summary at all"):
            with self.assertRaises(pgbench.PgbenchFailed):
                pgbench.check_summary(text)


class Kernel(unittest.TestCase):
    def test_cpu_time_is_user_and_system_whatever_the_name_of_the_program(self):
        fields = " S 1 2 3 4 5 6 7 8 9 10 300 40 5 6 20 0 7 0 0"
        for name in ("fairlead", "a (b) c", ") 1 2 3"):
            self.assertEqual(cpu_ticks(f"4711 ({name}){fields}"), 340)

    def test_perf_names_what_it_was_asked_for_and_sums_up_the_others(self):
        text = ("100,,raw_syscalls:sys_enter,1,100.00,,\n40,,syscalls:sys_enter_sendto,1,100.00,,\n"
                "10,,syscalls:sys_enter_epoll_wait,1,100.00,,\n")
        self.assertEqual(parse_perf("Events enabled\n" + text), {"sendto": 40, "epoll_wait": 10, "others": 50})

    def test_perf_that_could_not_count_is_an_error(self):
        with self.assertRaises(ValueError):
            parse_perf("<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n")

    def test_strace_tells_calls_with_and_without_errors(self):
        text = """strace: Process 4711 detached
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 41.25    0.839775         213      3942           epoll_wait
 11.06    0.176984          10     17199        43 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    2.035608          35     57384        66 total
"""
        self.assertEqual(parse_strace(text), {"epoll_wait": 3942, "recvfrom": 17199})


class Counted(unittest.TestCase):
    def test_what_is_allocated_without_any_load_is_taken_off(self):
        step = pgbench.Step(transactions=100, seconds=2, before=1000, after=1520)
        self.assertEqual(per_transaction(step, idle_per_second=10), 5)
        self.assertEqual(per_transaction(step, idle_per_second=1000), 0)

    def test_benchmarks_are_grouped_by_statement_and_aggregates_left_out(self):
        report = """{"benchmarks": [
          {"name": "known_shape/0/repeats:2", "run_type": "iteration", "label": "SELECT 1", "cpu_time": 10.0,
           "time_unit": "ns", "allocations": 0.0},
          {"name": "known_shape/0/repeats:2", "run_type": "iteration", "label": "SELECT 1", "cpu_time": 12.0,
           "time_unit": "ns", "allocations": 1.0},
          {"name": "known_shape/0/repeats:2_mean", "run_type": "aggregate", "label": "SELECT 1", "cpu_time": 11.0,
           "time_unit": "ns"}]}"""
        found = parse_benchmarks(report)
        self.assertEqual(found["SELECT 1"]["known_shape"], {"cpu_ns": [10, 12], "allocations": [0, 1]})
        with self.assertRaises(ValueError):
            parse_benchmarks(report.replace('"ns"', '"us"'))


if __name__ == "__main__":
    unittest.main()
