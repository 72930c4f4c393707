"""What is read of Google Benchmark and of callgrind, and the table of both."""

import json
import re
import unittest
from pathlib import Path

from suite import report
from suite.process import BenchError
from suite.scenarios import core
from suite.section_core import NAMES

from test.report_test import results


def said(name, aggregate, real_time, unit="us"):
    return {"name": f"{name}/manual_time_{aggregate}", "run_name": f"{name}/manual_time",
            "run_type": "aggregate", "aggregate_name": aggregate, "real_time": real_time,
            "cpu_time": 1.0, "time_unit": unit}


def dump(trigger, totals):
    return ("# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 7\n"
            "cmd:  build/bench/bench/core_bench --count\npart: 3\n\n\ndesc: I1 cache: \n\n"
            f"desc: Timerange: Basic block 93 - 4512\ndesc: Trigger: {trigger}\n\n"
            f"positions: line\nevents: Ir\nsummary: {totals}\n\n\nfn=(1) main\n5 6\n\n"
            f"totals: {totals}\n")


def row(function, services, instructions, time_us=1.0):
    return {"function": function, "services": services, "time_us": time_us,
            "instructions": instructions}


class Measured(unittest.TestCase):

    def test_the_median_is_taken_in_whichever_unit_it_is_told(self):
        text = json.dumps({"context": {}, "benchmarks": [
            said("lookup/10", "mean", 9.0), said("lookup/10", "median", 2.5),
            said("route-all/1000", "median", 1.5, "ms"), said("labels/1", "median", 500.0, "ns"),
            {**said("lookup", "BigO", 3.0), "run_name": "lookup/manual_time"}]})
        self.assertEqual(core.parse_times(text), {("lookup", 10): 2.5, ("route-all", 1000): 1500.0,
                                                  ("labels", 1): 0.5})

    def test_a_function_that_failed_is_no_time(self):
        text = json.dumps({"benchmarks": [{**said("lookup/10", "median", 0.0), "error_occurred": True,
                                           "error_message": "it broke"}]})
        with self.assertRaisesRegex(BenchError, "lookup/10.*it broke"):
            core.parse_times(text)

    def test_a_dump_is_known_by_what_asked_for_it(self):
        self.assertEqual(core.parse_counts([dump("Client Request: route-path/10000", 123456),
                                            dump("Program termination", 0)]),
                         {("route-path", 10000): 123456})

    def test_what_was_only_timed_or_only_counted_is_named(self):
        times, counts = {("lookup", 10): 2.0, ("labels", 1): 1.0}, {("lookup", 10): 7000}
        with self.assertRaisesRegex(BenchError, "labels/1$"):
            core.rows_of(times, counts)
        with self.assertRaises(BenchError):
            core.rows_of({}, {})
        del times["labels", 1]
        self.assertEqual(core.rows_of(times, counts), [row("lookup", 10, 7000, 2.0)])


class Page(unittest.TestCase):

    def test_every_operation_of_the_program_has_its_name_on_the_page(self):
        program = Path(__file__).parents[1] / "core_bench.cc"
        operations = re.findall(r'^    \{"([a-z-]+)", (?:true|false), ',
                                program.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(operations, list(NAMES))

    def test_time_and_instructions_stand_in_one_row_with_how_they_grow(self):
        text, _ = report.render(results(core=[
            row("route-path", 10, 1000, 0.5), row("route-path", 1000, 2000, 12.34),
            row("route-path", 10000, 3000, 123.4), row("labels", 1, 54321, 7.0)]))
        self.assertIn(f"| {NAMES['route-path']} | 0.50 | 12.3 | 123 | 1,000 | 2,000 | 3,000 | 1.50 |",
                      text)
        self.assertIn(f"| {NAMES['labels']} | 7.00 | – | – | 54,321 | – | – | – |", text)

    def test_it_is_told_what_grows_and_what_does_not(self):
        rows = [row(function, services, instructions)
                for function, many in (("route-all", 10000), ("files-path", 2500), ("lookup", 1100))
                for services, instructions in ((10, 900), (1000, 1000), (10000, many))]
        text, _ = report.render(results(core=rows))
        self.assertIn(f"- **In proportion to the services**: {NAMES['route-all']}.\n"
                      f"- **Less than that**: {NAMES['files-path']}.\n"
                      f"- **Hardly or not at all**: {NAMES['lookup']}.\n", text)

    def test_a_quick_run_tells_nothing_of_growth(self):
        text, _ = report.render(results(core=[row("lookup", 10, 900)]))
        self.assertNotIn("What grows", text)


if __name__ == "__main__":
    unittest.main()
