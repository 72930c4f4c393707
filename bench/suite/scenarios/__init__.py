"""The scenarios of the benchmark: each is a function of a Plan that returns rows of results."""
