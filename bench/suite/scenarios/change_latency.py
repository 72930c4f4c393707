"""What one more service costs: until it is answered, in processor time, and in lost requests."""

import time

from suite import probe, routes, stats, steady
from suite.process import BenchError, wait_until
from suite.sides import RELOADING, Swarmgate
from suite.stage import Stage
from suite.steady import SteadyLoad

# One change that takes longer is not repeated.
BEARABLE = 30


def measure(plan):
    """One row for each side and number of services."""
    rows = []
    for count in plan.sizes((10, 1000, 10000)):
        for kind in (Swarmgate, *RELOADING):
            rows.append(_measure(plan, kind, count, plan.samples(20 if count <= 1000 else 10)))
    return rows


def _measure(plan, kind, count, samples):
    row = {"side": kind.key, "routes": count}
    served = routes.table(count)
    with Stage() as stage:
        side = stage.side(kind)
        plan.say(f"  {count} services: {side.label}")
        try:
            began = time.monotonic()
            side.start(served)
            row["start_s"] = time.monotonic() - began
            row.update(_changes(plan, side, served, samples))
            if kind is Swarmgate:
                row.update(_reloads(plan, side, served))
        except BenchError as error:
            row["note"] = str(error)[:200]
            plan.say(f"    {row['note']}")
    return row


def _changes(plan, side, served, samples):
    load = SteadyLoad(side, served[0])
    cpu = side.cpu_of_changes()
    times = []
    try:
        for _ in range(samples):
            added = routes.Route(len(served))
            change = adding(side, served, added)
            began = time.monotonic()
            change()
            if wait_until(lambda: probe.is_right(side.http_port, added), 2 * BEARABLE) is None:
                raise BenchError(f"{added.name} is not answered {2 * BEARABLE} s after its change")
            times.append(1000 * (time.monotonic() - began))
            served = served + [added]
            if times[-1] > 1000 * BEARABLE:
                break
        # Processes that were replaced count as well, once they have ended.
        settle(side)
        cpu = side.cpu_of_changes() - cpu
    finally:
        lost = load.end()
    result = {"live_ms": stats.summary(times), "samples_ms": times,
              "cpu_ms": max(0.0, 1000 * cpu / len(times)), "lost": lost}
    plan.say(f"    {result['live_ms']['median']:.1f} ms, {result['cpu_ms']:.1f} ms of processor time, "
             f"{steady.lost(lost)} of {steady.asked(lost)} requests lost")
    return result


def _reloads(plan, side, served):
    """A reload that is asked for: what a change costs that no map can hold."""
    load = SteadyLoad(side, served[0])
    times = []
    try:
        for _ in range(plan.samples(5)):
            began = time.monotonic()
            side.reload()
            times.append(1000 * (time.monotonic() - began))
    finally:
        lost = load.end()
    return {"reload_ms": stats.summary(times), "reload_lost": lost}


def adding(side, served, added):
    """The change, as each side makes it, to be called."""
    if side.key == "swarmgate":
        return lambda: side.reconfigure(added)
    return side.prepare(served + [added])


def settle(side, limit=3):
    """Waits until replaced processes have ended, for a while."""
    wait_until(lambda: side.replaced() == 0, limit, 0.05)

