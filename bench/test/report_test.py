"""The page that comes of results."""

import copy
import unittest
from xml.etree import ElementTree

from suite import catalogue, goals, report, stats
from suite.sections import SECTIONS
from suite.sides import ALL as SIDES
from suite.svg import WIDTH, line_chart, ticks


def throughput_row(side, routes, asked, rates):
    rounds = [{"rps": rate, "cpu_us": 1e6 / rate, "p50_us": 1000, "p99_us": 2000} for rate in rates]
    return {"side": side, "kind": "prefix", "routes": routes, "asked": asked, "load": "kept",
            "rounds": rounds, "rps": stats.summary(rates),
            "cpu_us": stats.summary([one["cpu_us"] for one in rounds]),
            "of_limit": stats.summary(stats.paired_ratios(rates, [1000, 1100])),
            "of_bare": stats.summary(stats.paired_ratios(rates, [1100, 1210])),
            "p50_us": stats.summary([1000]), "p99_us": stats.summary([2000])}


def results(**scenarios):
    return {
        "machine": {"cores": 2, "cpu": "CPU", "memory_gib": 8, "debian": "12", "linux": "6.1",
                    "versions": {"HAProxy": "2.6.12"}},
        "scenarios": {name.replace("_", "-"): {
            "date": "2026-01-01 00:00", "commit": "abc", "load_average": 0.1, "seconds": 10,
            "rows": rows} for name, rows in scenarios.items()}}


ROUTES = [throughput_row(side, count, asked, [rate, rate * 1.1])
          for side, rate in (("limit", 1000), ("map", 900), ("swarmgate", 880), ("limit-same", 900),
                             ("map-same", 890), ("limit-bare", 1100), ("map-bare", 1000))
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

    def test_a_goal_shows_the_comparisons_that_it_is_not_judged_by_as_well(self):
        text, _ = report.render(results(throughput_routes=ROUTES))
        self.assertIn("| 0.88 / 0.88 (against one with the same promises: 0.98 / 0.98; "
                      "a bare one: 0.80 / 0.80) | **no** |", text)
        self.assertIn("| 0.98 (against one with the same promises: 0.99; a bare one: 0.88) | yes |",
                      text)
        self.assertIn("| +24.1 µs (1084.7 against 1060.6) (against one with the same promises: "
                      "+12.2 µs; a bare one: +130.2 µs) | **no** |", text)

    def test_a_goal_shows_what_less_promised_would_make_of_it(self):
        once = [throughput_row("swarmgate-once", count, asked, [970, 1067])
                for count, asked in ((1, "first"), (10000, "last"), (10000, "random"))]
        text, _ = report.render(results(throughput_routes=ROUTES + once))
        self.assertIn("a bare one: 0.80 / 0.80); with `HTTP_RETRY=never` 0.97 / 0.97 | **no** |", text)
        self.assertIn("a bare one: 0.88); with `HTTP_RETRY=never` 1.08 | yes |", text)

    def test_rows_that_were_warm_before_they_counted_are_named(self):
        rows = [{**row, "warm_seconds": 3 if row["asked"] == "random" else 0} for row in ROUTES]
        text, _ = report.render(results(throughput_routes=rows))
        self.assertIn("a turn begins with 3 seconds that do not count, in which it opens them again, "
                      "for: prefix, 10,000, random.\n", text)
        text, _ = report.render(results(throughput_routes=ROUTES))
        self.assertNotIn("do not count", text)

    def test_every_side_by_hand_is_compared_with_round_by_round(self):
        rows = [throughput_row(side, count, "first", rates)
                for count, ours in ((1, [900, 500]), (100, [800, 400]))
                for side, rates in (("swarmgate", ours), ("limit", [1000, 500]),
                                    ("limit-same", [900, 500]), ("map-bare", [1000, 1000]))]
        text, _ = report.render(results(throughput_routes=rows))
        self.assertIn("| Routes by, how many, which are asked | HAProxy, one route "
                      "| HAProxy, one route, same promises | HAProxy, map, bare |\n|---|---|---|---|\n"
                      "| prefix, 1, first | 0.95 (0.90–1.00), +55.6 µs | 1.00 (1.00–1.00), +0.0 µs "
                      "| 0.70 (0.50–0.90), +555.6 µs |\n"
                      "| prefix, 100, first | 0.80 (0.80–0.80), +375.0 µs |", text)

    def test_a_side_that_failed_in_one_case_is_left_open_there(self):
        rows = [row for row in ROUTES if row["side"] != "map-same" or row["routes"] == 1]
        text, _ = report.render(results(throughput_routes=rows))
        self.assertIn("| 0.98 (0.98–0.98), +24.1 µs | 0.99 (0.99–0.99), +12.2 µs "
                      "| 0.88 (0.88–0.88), +130.2 µs |\n| prefix, 10,000, last |", text)
        self.assertIn("| 0.98 (0.98–0.98), +24.1 µs | – | 0.88 (0.88–0.88), +130.2 µs |", text)

    def test_results_without_some_of_the_sides_count_as_well(self):
        older = [{key: value for key, value in row.items() if key != "of_bare"}
                 for row in ROUTES if row["side"] in ("limit", "map", "swarmgate")]
        text, _ = report.render(results(throughput_routes=older))
        self.assertIn("| 0.88 / 0.88 | **no** |", text)
        self.assertIn("| 0.98 | yes |", text)
        self.assertIn("| +24.1 µs (1084.7 against 1060.6) | **no** |", text)
        self.assertIn("| HAProxy, one route | HAProxy, map |\n|---|---|---|\n", text)
        text, _ = report.render(results(throughput_routes=[
            row for row in ROUTES if not row["side"].endswith("-same")]))
        self.assertIn("| 0.88 / 0.88 (against a bare one: 0.80 / 0.80) | **no** |", text)

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


def storm_rows(lost=0):
    load = {"right": 100, "lost": 0, "reasons": {}, "p50_ms": 0.5, "p99_ms": 2.0, "slowest_ms": 3.0}
    memory = {"before_mib": 20, "peak_mib": 30, "after_mib": 25}
    phase = {"changes": 100, "seconds": 10, "cpu": 0.02, "applies": 50, "reloads": 0, "lost": 0,
             "asked": 200, "live_s": 0.003, "bystander": {"kept": load, "new": load}}
    return [
        {"kind": "restart", "routes": 1000, "changed": 100, "heard_s": 1.0, "live_s": 1.5,
         "gone_s": 2.5, "away_cpu_s": 0.01, "cpu_s": 0.5, "reloads": 1, "lost": 0, "asked": 300,
         **memory},
        {"kind": "flap", "routes": 10, "what": "tasks", **memory,
         "rounds": [{"quiet": phase, "flapping": {**phase, "lost": lost}}]},
        {"kind": "stack", "routes": 1000, "added": 1000, "live_s": 2.0, "cpu_s": 1.0, "reloads": 2,
         "lost": 0, "asked": 400, **memory}]


class Storms(unittest.TestCase):

    def test_every_kind_of_storm_has_its_table(self):
        text, _ = report.render(results(storms=storm_rows()))
        self.assertIn("| 1,000 | 100 | 1.00 | 1.50 | 2.50 | 0.01 | 0.49 | 20 / 30 / 25 | 1 | 0 of 300 |",
                      text)
        self.assertIn("| 10 | tasks | 0 of 200 | 0 | 0.5 → 0.5 | 2.0 → 2.0 | 2.0 → 2.0 | 2.0 | "
                      "20 / 30 / 25 | 3 |", text)
        self.assertIn("| 1,000 | 1,000 | 2.00 | 1.00 | 20 / 30 / 25 | 2 | 0 of 400 |", text)

    def test_one_lost_request_of_a_bystander_misses_the_goal(self):
        self.assertIn("| 0 of 900 | yes |", report.render(results(storms=storm_rows()))[0])
        self.assertIn("| 1 of 900 | **no** |", report.render(results(storms=storm_rows(1)))[0])


def replica_rows(soon=120.0, pulled=200.0):
    """`soon`, `pulled`: the slowest start on all replicas, in milliseconds."""
    one = stats.summary([5.0])

    def task(count, prepared, last):
        return {"what": "task", "routes": count, "shared": "Consul 1.8.7", "prepared_s": prepared,
                "first_ms": one, "last_ms": stats.summary([last]), "told_ms": stats.summary([last - 4])}

    return [task(10, [0.1, 1.0], soon), task(10, [4.0, 6.0], pulled), task(1000, [0.1, 1.0], 900.0),
            {"what": "api", "routes": 10, "shared": "Consul 1.8.7", "distribute": True,
             "answered_ms": one, "first_ms": one, "last_ms": stats.summary([6.0, 8.0])}]


class Replicas(unittest.TestCase):

    def test_starts_of_tasks_and_calls_have_their_tables_and_it_is_said_what_is_shared_by(self):
        text, _ = report.render(results(replicas=replica_rows()))
        self.assertIn("share what the API defines by Consul 1.8.7.", text)
        self.assertIn("| 10 | 0.1–1.0 | 1 | 5.0 / 5.0 / 5.0 | 120 / 120 / 120 | 116 / 116 / 116 |", text)
        self.assertIn("| 1,000 | 0.1–1.0 | 1 | 5.0 / 5.0 / 5.0 | 900 / 900 / 900 | 896 / 896 / 896 |",
                      text)
        self.assertIn("| 10 | yes | 2 | 5.0 / 5.0 / 5.0 | 5.0 / 5.0 / 5.0 | 7.0 / 8.0 / 8.0 |", text)

    def test_one_slow_replica_misses_the_goal_also_where_the_image_is_pulled_first(self):
        for rows, verdict in ((replica_rows(), "yes"), (replica_rows(soon=251.0), "**no**"),
                              (replica_rows(pulled=251.0), "**no**")):
            measured = " / ".join("p99 {0:.0f} ms (median {0:.0f} ms)".format(row["last_ms"]["max"])
                                  for row in rows[:2])
            self.assertIn(f"| {measured} | {verdict} |", report.render(results(replicas=rows))[0])


class Starts(unittest.TestCase):

    def test_a_step_that_a_start_does_not_have_is_left_open(self):
        one = stats.summary([5.0])
        row = {"routes": 10, "slots": 256, "servers": 20, "entries": 20, "conf_bytes": 2048,
               "map_bytes": 100, "first": {"known_ms": 150.0, "ready_ms": 300.0, "all_ms": 301.0},
               "again": {"ready_ms": 250.0, "all_ms": 251.0},
               "parse": {part: {"ms": one, "cpu_ms": one}
                         for part in ("base", "slots", "servers", "entries")},
               "reload": {**{key: one for key in ("forked_ms", "new_answers_ms", "answered_ms",
                                                  "old_gone_ms", "overlap_ms")},
                          "before_mib": 20, "peak_mib": 30, "after_mib": 20, "lost": 0, "asked": 9}}
        text, pictures = report.render(results(cold_start=[row]))
        self.assertIn("| 10 | nothing stored | 150 | – | – | – | 300 | 301 |", text)
        self.assertIn("| 10 | stored | – | – | – | – | 250 | 251 |", text)
        self.assertIn("| 10 | 256 | 20 | 20 | 2.0 KiB | 100 B | 5 | 5 | 5 | 5 |", text)
        self.assertIn("| 10 | 5 | 5 | 5 | 5 | 20 / 30 / 20 | 0 of 9 |", text)
        self.assertIn("cold-start", pictures)


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

    def test_the_longest_name_of_a_side_fits_beside_the_curves(self):
        picture = ElementTree.fromstring(
            line_chart("t", "x", "y", [(side.key, side.short, [(1, 2)]) for side in SIDES]))
        for node in picture.iter():
            if node.text in [side.short for side in SIDES]:
                # DejaVu Sans is wide, and takes 0.55 em for a letter of these.
                self.assertLess(float(node.get("x")) + 12 * 0.55 * len(node.text), WIDTH, node.text)

    def test_more_is_drawn_higher(self):
        picture = ElementTree.fromstring(
            line_chart("t", "x", "y", [("k", "l", [(1, 10), (10, 20)])], log_y=True))
        heights = [float(node.get("cy")) for node in picture.iter() if node.tag.endswith("circle")]
        self.assertGreater(heights[0], heights[1])


if __name__ == "__main__":
    unittest.main()
