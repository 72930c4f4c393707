"""How much is measured: everything, or little enough to see that it works."""

import sys


class Plan:
    """`quick`: one short round, and the smaller sizes only."""

    def __init__(self, quick=False, rounds=None, seconds=None):
        self.quick = quick
        self.rounds = rounds or (1 if quick else 5)
        self.seconds = seconds or (1 if quick else 3)

    def sizes(self, sizes):
        """Numbers of services; quick: those up to a hundred, and at least one."""
        if not self.quick:
            return sizes
        return tuple(size for size in sizes if size <= 100) or sizes[:1]

    def samples(self, full):
        return min(3, full) if self.quick else full

    @staticmethod
    def say(text):
        """What is told while it runs: no part of the results."""
        print(text, file=sys.stderr, flush=True)
