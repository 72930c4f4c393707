"""The benchmarks of Swarmgate: what bench/run runs, compares and writes down."""
