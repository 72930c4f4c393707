"""Rounds of a throughput scenario, without a proxy."""

import unittest
from unittest import mock

from suite import routes
from suite.plan import Plan
from suite.process import BenchError
from suite.scenarios import throughput


class _Side:
    def __init__(self, key, rate):
        self.key = self.label = key
        self.rate = rate


class Rounds(unittest.TestCase):

    def _measure(self, sides, order=None):
        def one(_plan, _files, side, _asked, _case):
            if order is not None:
                order.append(side.key)
            if side.rate is None:
                raise BenchError("8 of 10 requests were not answered rightly")
            return {"rps": side.rate, "cpu_us": 20, "p50_us": 1, "p99_us": 2}

        plan = Plan(rounds=2)
        plan.say = lambda text: None
        with mock.patch.object(throughput, "_one", one), \
                mock.patch.object(throughput.probe, "check"):
            return throughput._rounds(plan, None, sides, routes.table(10),
                                      throughput.Case("prefix", 10, "last"))

    def test_each_side_is_compared_with_the_limit(self):
        rows = self._measure([_Side("limit", 1000), _Side("swarmgate", 950)])
        self.assertEqual({row["side"]: row["of_limit"]["median"] for row in rows},
                         {"limit": 1.0, "swarmgate": 0.95})

    def test_and_with_the_bare_one_where_that_takes_part(self):
        rows = self._measure([_Side("limit", 1000), _Side("swarmgate", 950),
                              _Side("limit-bare", 1900)])
        self.assertEqual({row["side"]: row["of_bare"]["median"] for row in rows}["swarmgate"], 0.5)

    def test_sides_take_turns(self):
        order = []
        self._measure([_Side("limit", 1000), _Side("swarmgate", 950)], order)
        self.assertEqual(order, ["limit", "swarmgate", "swarmgate", "limit"])

    def test_another_proxy_that_answers_wrongly_is_noted_and_the_rest_measured(self):
        rows = self._measure([_Side("limit", 1000), _Side("swarmgate", 950), _Side("caddy", None)])
        notes = {row["side"]: row.get("note", "") for row in rows}
        self.assertIn("not answered rightly", notes["caddy"])
        self.assertEqual(notes["swarmgate"], "")

    def test_a_wrong_answer_of_swarmgate_ends_the_measurement(self):
        with self.assertRaises(BenchError):
            self._measure([_Side("limit", 1000), _Side("swarmgate", None)])

    def test_among_many_routes_a_turn_begins_with_what_does_not_count(self):
        for case, seconds in ((throughput.Case("prefix", 10000, "random"), [3, 1]),
                              (throughput.Case("prefix", 10000, "random", "h2"), [3, 1]),
                              (throughput.Case("prefix", 10000, "random", "new"), [1]),
                              (throughput.Case("prefix", 10000, "last"), [1]),
                              (throughput.Case("prefix", 100, "random"), [1])):
            asked = []
            with mock.patch.object(throughput, "_load",
                                   lambda *given: asked.append(given[-1]) or given[-1]):
                counted = throughput._one(Plan(seconds=1), None, None, None, case)
            self.assertEqual(asked, seconds, str(case))
            self.assertEqual(counted, 1)


class Sides(unittest.TestCase):

    def test_what_headers_and_repeating_cost_is_measured_by_number_of_routes_alone(self):
        measured = {}
        for scenario in (throughput.by_number, throughput.by_kind, throughput.by_connection):
            with mock.patch.object(throughput, "measure") as measure:
                scenario(Plan())
            measured[scenario] = [kind.key for kind in measure.call_args.args[2]]
        variants = ["swarmgate-once", "map-same", "limit-same", "limit-bare", "map-bare"]
        usual = ["limit", "map", "swarmgate", "nginx", "caddy", "acl"]
        self.assertCountEqual(measured[throughput.by_number], usual + variants)
        self.assertEqual(measured[throughput.by_kind], usual)
        self.assertEqual(measured[throughput.by_connection], usual)


if __name__ == "__main__":
    unittest.main()
