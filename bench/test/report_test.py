"""The page that comes of results."""

import copy
import unittest
from xml.etree import ElementTree

from suite import catalogue, goals, report, stats
from suite.sections import SECTIONS
from suite.svg import line_chart, ticks


def throughput_row(side, routes, asked, rates):
    rounds = [{"rps": rate, "cpu_us": 1e6 / rate, "p50_us": 1000, "p99_us": 2000} for rate in rates]
    return {"side": side, "kind": "prefix", "routes": routes, "asked": asked, "load": "kept",
            "rounds": rounds, "rps": stats.summary(rates),
            "cpu_us": stats.summary([one["cpu_us"] for one in rounds]),
            "of_limit": stats.summary([rate / 1000 for rate in rates]),
            "of_bare": stats.summary([rate / 1100 for rate in rates]),
            "p50_us": stats.summary([1000]), "p99_us": stats.summary([2000])}


def results(**scenarios):
    return {
        "machine": {"cores": 2, "cpu": "CPU", "memory_gib": 8, "debian": "12", "linux": "6.1",
                    "versions": {"HAProxy": "2.6.12"}},
        "scenarios": {name.replace("_", "-"): {
            "date": "2026-01-01 00:00", "commit": "abc", "load_average": 0.1, "seconds": 10,
            "rows": rows} for name, rows in scenarios.items()}}


ROUTES = [throughput_row(side, count, asked, [rate, rate * 1.1])
          for side, rate in (("limit", 1000), ("map", 900), ("swarmgate", 880), ("limit-bare", 1100),
                             ("map-bare", 1000))
          for count, asked in ((1, "first"), (10000, "last"), (10000, "random"))]


class Page(unittest.TestCase):

    def test_the_goals_come_first(self):
        text, _ = report.render(results(throughput_routes=ROUTES))
        headings = [line for line in text.splitlines() if line.startswith("## ")]
        self.assertEqual(headings[0], "## Goals")

    def test_what_was_not_measured_is_said_to_be_so(self):
        text, _ = report.render(results())
        self.assertEqual(text.count("| not measured |"), len(goals.ALL))
        self.assertNotIn("yes", text)

    def test_a_missed_goal_is_not_hidden(self):
        row = {"what": "start", "services": 10000, "n": 1, "median_ms": 1501, "p99_ms": 1501,
               "max_ms": 1501}
        text, _ = report.render(results(change_to_live=[row]))
        self.assertIn("| 1.50 s | **no** |", text)
        text, _ = report.render(results(change_to_live=[{**row, "median_ms": 1499}]))
        self.assertIn("| 1.50 s | yes |", text)

    def test_a_goal_shows_the_comparison_with_the_bare_side_as_well(self):
        text, _ = report.render(results(throughput_routes=ROUTES))
        self.assertIn("| 0.92 / 0.92 (against a bare one: 0.84 / 0.84) |", text)
        self.assertIn("| 0.98 (against a bare one: 0.88) |", text)

    def test_the_same_results_give_the_same_page(self):
        first = report.render(results(throughput_routes=ROUTES))
        self.assertEqual(first, report.render(copy.deepcopy(results(throughput_routes=ROUTES))))

    def test_every_picture_that_the_page_shows_is_drawn(self):
        text, pictures = report.render(results(throughput_routes=ROUTES))
        self.assertIn("performance/throughput-routes.svg", text)
        for name, picture in pictures.items():
            self.assertIn(f"](performance/{name}.svg)", text)
            ElementTree.fromstring(picture)

    def test_every_scenario_has_its_section(self):
        self.assertEqual([scenario.name for scenario in catalogue.ALL], list(SECTIONS))

    def test_a_side_that_could_not_be_measured_is_named_with_the_reason(self):
        rows = ROUTES + [{"side": "caddy", "kind": "prefix", "routes": 10000, "asked": "random",
                          "load": "kept", "note": "no answer"}]
        text, _ = report.render(results(throughput_routes=rows))
        self.assertIn("prefix, 10,000, random: not measured (no answer)", text)


class Chart(unittest.TestCase):

    def test_ticks_span_the_values(self):
        for low, high, logarithmic in ((1, 10000, True), (3, 700, True), (0, 97, False), (0, 0, False)):
            marks = ticks(low, high, logarithmic)
            self.assertLessEqual(marks[0], low)
            self.assertGreaterEqual(marks[-1], high)

    def test_a_name_with_signs_of_xml_breaks_nothing(self):
        picture = line_chart("<a & b>", "x", "y", [("k", "<label>", [(1, 2), (10, 3)])])
        texts = [node.text for node in ElementTree.fromstring(picture).iter() if node.text]
        self.assertIn("<a & b>", texts)
        self.assertIn("<label>", texts)

    def test_more_is_drawn_higher(self):
        picture = ElementTree.fromstring(
            line_chart("t", "x", "y", [("k", "l", [(1, 10), (10, 20)])], log_y=True))
        heights = [float(node.get("cy")) for node in picture.iter() if node.tag.endswith("circle")]
        self.assertGreater(heights[0], heights[1])


if __name__ == "__main__":
    unittest.main()
