"""Requests per second, processor time per request and latency, side against side.

All sides serve the same routes at the same time, and are loaded one after the other, for a few
seconds each, in alternating order, round by round: what disturbs the machine for longer than a
round disturbs all of them.
"""

from dataclasses import dataclass

from suite import load, probe, routes, stats
from suite.process import BenchError
from suite.sides import ALL, VARIANTS
from suite.stage import Stage


@dataclass(frozen=True)
class Case:
    """What is asked, and how. `load` is kept, new, tls, tls-new or h2."""

    kind: str
    count: int
    pattern: str
    load: str = "kept"

    def __str__(self):
        return f"{self.kind} {self.count} {self.pattern} {self.load}"

    @property
    def tls(self):
        return self.load in ("tls", "tls-new", "h2")

    @property
    def kept(self):
        return not self.load.endswith("new")

    @property
    def warm_seconds(self):
        """How long it is asked before it counts. Between its turns a proxy closes its connections to
        the servers, and among many it takes as long to have them again; what is measured is serving.
        """
        return 3 if self.kept and self.pattern == "random" and self.count >= 1000 else 0


# Without these there is nothing to say.
ESSENTIAL = ("limit", "map", "swarmgate")
# By the name that the ratio to it has in a row.
LIMITS = {"of_limit": "limit", "of_bare": "limit-bare"}
WITHOUT_VARIANTS = tuple(kind for kind in ALL if kind not in VARIANTS)
# More than that many regexes are no way to route in any of them.
MANY_REGEXES = 100


def by_number(plan):
    """Path prefixes, more and more of them."""
    cases = [Case("prefix", 1, "first")]
    for count in plan.sizes((100, 1000, 10000)):
        cases += [Case("prefix", count, pattern) for pattern in ("first", "last", "random")]
    return measure(plan, cases, ALL)


def by_kind(plan):
    """Hosts, wildcards and regexes."""
    cases = []
    for count in plan.sizes((100, 10000)):
        cases += [Case(kind, count, "random") for kind in ("host", "wildcard")]
    cases += [Case("regex", count, "last") for count in (1, MANY_REGEXES)]
    return measure(plan, cases, WITHOUT_VARIANTS)


def by_connection(plan):
    """A new connection for each request, TLS, HTTP/2."""
    cases = []
    for count in plan.sizes((1, 10000)):
        cases += [Case("prefix", count, "random", way) for way in ("new", "tls", "tls-new", "h2")]
    return measure(plan, cases, WITHOUT_VARIANTS)


def measure(plan, cases, kinds):
    """One row for each case and side: medians over the rounds, and the ratios to the limits."""
    rows = []
    tables = {}
    for case in cases:
        tables.setdefault((case.kind, case.count), []).append(case)
    for (kind, count), of_table in tables.items():
        rows += _measure_table(plan, routes.table(count, kind), of_table, kinds)
    return rows


def _measure_table(plan, served, cases, kinds):
    rows = []
    sides = []
    tls = any(case.tls for case in cases)
    with Stage() as stage:
        for kind in kinds:
            side = stage.side(kind)
            plan.say(f"  {len(served)} {served[0].kind}: starting {side.label}")
            try:
                side.start(served, tls)
                sides.append(side)
            except BenchError as error:
                side.end()
                rows.append(_note(plan, side, cases[0], error))
        for case in cases:
            rows += _rounds(plan, stage.files, sides, served, case)
    return rows


def _note(plan, side, case, error):
    """In the place of results: a side that cannot do it is no reason not to measure the others."""
    if side.key in ESSENTIAL:
        raise error
    plan.say(f"    {case}: {side.key}: {error}")
    return {"side": side.key, "kind": case.kind, "routes": case.count, "asked": case.pattern,
            "load": case.load, "note": str(error)[:200]}


def _rounds(plan, files, sides, served, case):
    asked = routes.pick(served, case.pattern)
    of_side = {side.key: [] for side in sides}
    rows = []
    for order in stats.turns(len(sides), plan.rounds):
        for side in (sides[index] for index in order):
            if side.key not in of_side:
                continue
            try:
                probe.check(side, routes.sample(asked, 20), case.tls)
                of_side[side.key].append(_one(plan, files, side, asked, case))
                probe.check(side, routes.sample(asked, 20), case.tls)
            except BenchError as error:
                rows.append(_note(plan, side, case, error))
                del of_side[side.key]
    limits = {name: [one["rps"] for one in of_side[key]] for name, key in LIMITS.items()
              if key in of_side}
    for key, rounds in of_side.items():
        rows.append(_row(plan, case, key, rounds, limits))
        plan.say(f"    {case}: {key} {rows[-1]['rps']['median']:.0f}/s "
                 f"{rows[-1]['cpu_us']['median']:.1f} µs, "
                 f"{rows[-1]['of_limit']['median']:.2f} of the limit")
    return rows


def _row(plan, case, key, rounds, limits):
    rates = [one["rps"] for one in rounds]
    row = {"side": key, "kind": case.kind, "routes": case.count, "asked": case.pattern,
           "load": case.load, "seconds": plan.seconds, "warm_seconds": case.warm_seconds,
           "rounds": rounds, "rps": stats.summary(rates),
           "cpu_us": stats.summary([one["cpu_us"] for one in rounds])}
    for name, limit in limits.items():
        row[name] = stats.summary(stats.paired_ratios(rates, limit))
    for name in ("p50_us", "p99_us", "mean_us"):
        if name in rounds[0]:
            row[name] = stats.summary([one[name] for one in rounds])
    return row


def _one(plan, files, side, asked, case):
    if case.warm_seconds:
        _load(files, side, asked, case, case.warm_seconds)
    return _load(files, side, asked, case, plan.seconds)


def _load(files, side, asked, case, seconds):
    if case.load == "h2":
        return load.h2load(files, side, asked, seconds)
    return load.wrk(files, side, asked, seconds, tls=case.tls, keep=case.kept)
