"""What is computed of samples, and what is read of the load generators' words."""

import unittest

from suite import load, stats
from suite.process import BenchError


class Numbers(unittest.TestCase):

    def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle(self):
        self.assertEqual(stats.median([4, 1, 3, 2]), 2.5)

    def test_quantiles_reach_from_the_least_to_the_greatest(self):
        samples = [30, 10, 20]
        self.assertEqual([stats.quantile(samples, q) for q in (0, 0.5, 1)], [10, 20, 30])

    def test_no_samples_are_an_error_and_not_a_zero(self):
        with self.assertRaises(ValueError):
            stats.median([])

    def test_ratios_are_taken_within_a_round(self):
        # The machine was half as fast in the second round, for both.
        self.assertEqual(stats.paired_ratios([90, 45], [100, 50]), [0.9, 0.9])

    def test_rounds_that_are_missing_on_one_side_are_an_error(self):
        with self.assertRaises(ValueError):
            stats.paired_ratios([1, 2], [1])

    def test_no_side_is_always_measured_first(self):
        self.assertEqual(stats.turns(3, 3), [[0, 1, 2], [2, 1, 0], [0, 1, 2]])


class LoadGenerators(unittest.TestCase):

    def test_wrk_is_understood(self):
        said = ('  2 threads\nRESULT {"requests":1000,"microseconds":500000,"bytes":200000,'
                '"errors":0,"p50_us":100,"p90_us":150,"p99_us":200,"max_us":300}\n')
        result = load.parse_wrk(said)
        self.assertEqual(result["rps"], 2000)
        self.assertEqual(result["bytes_per_request"], 200)

    def test_h2load_is_understood(self):
        result = load.parse_h2load(H2LOAD)
        self.assertEqual(result["requests"], 2988)
        self.assertEqual(result["errors"], 0)
        self.assertEqual(result["rps"], 2988.0)
        self.assertEqual((result["mean_us"], result["max_us"]), (3560, 21250))

    def test_an_answer_of_another_service_is_an_error_of_h2load(self):
        said = H2LOAD.replace("status codes: 2988 2xx, 0 3xx, 0 4xx",
                              "status codes: 2980 2xx, 0 3xx, 8 4xx")
        self.assertEqual(load.parse_h2load(said)["errors"], 8)

    def test_a_load_generator_that_says_nothing_is_an_error(self):
        for parse in (load.parse_wrk, load.parse_h2load):
            with self.assertRaises(BenchError):
                parse("unable to connect")


H2LOAD = """starting benchmark...
finished in 1.00s, 2988.00 req/s, 512.00KB/s
requests: 2988 total, 3052 started, 2988 done, 2988 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 2988 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 512.00KB (524288) total, 40.00KB (40960) headers (space savings 80.00%), 380.00KB data
                     min         max         mean         sd        +/- sd
time for request:      188us     21.25ms      3.56ms      2.10ms    82.61%
time for connect:     3.99ms     16.89ms     11.29ms      4.89ms    50.00%
"""

if __name__ == "__main__":
    unittest.main()
