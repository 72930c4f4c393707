"""Ten thousand services with two tasks each: memory, idle processor time, and a storm of updates.

The services are a Swarm's as far as Swarmgate can tell (suite/engine.py): labels, tasks, events.
"""

import time

from suite import process, routes, steady
from suite.callers import call_all
from suite.process import BenchError, wait_until
from suite.probe import ask
from suite.stage import Stage
from suite.steady import SteadyLoad


def measure(plan):
    """One row for each number of services."""
    return [_measure(plan, count) for count in plan.sizes((100, 1000, 10000))]


def _measure(plan, count):
    served = routes.table(count)
    with Stage() as stage:
        engine, side = stage.swarm(served)
        began = time.monotonic()
        side.start(served)
        row = {"routes": count, "tasks": 2 * count, "start_s": time.monotonic() - began}
        row.update(_idle(plan, side))
        row["label_ms"] = _label_changes(plan, engine, side, count)
        row.update(_storm(plan, side, served))
    plan.say(f"  {count} services: controller {row['controller_mib']:.0f} MiB, HAProxy "
             f"{row['haproxy_mib']:.0f} MiB, idle {100 * row['controller_cpu']:.2f} % of a core; "
             f"storm {row['storm_s']:.1f} s, {row['storm_lost']} lost")
    return row


def _idle(plan, side):
    """Once what the start has set in motion is over."""
    controller = side.controller()
    process.calm_down(controller)
    seconds = 3 if plan.quick else 30
    before = [process.cpu_seconds([controller]), side.traffic_cpu()]
    time.sleep(seconds)
    after = [process.cpu_seconds([controller]), side.traffic_cpu()]
    return {"controller_mib": process.rss_mib([controller]),
            "haproxy_mib": process.rss_mib(side.traffic_pids()),
            "idle_seconds": seconds,
            "controller_cpu": (after[0] - before[0]) / seconds,
            "haproxy_cpu": (after[1] - before[1]) / seconds}


def _label_changes(plan, engine, side, count):
    """Milliseconds from the engine's event to the first answer of a new service, one by one."""
    times = []
    for number in range(plan.samples(10)):
        added = routes.Route(count + number)
        began = time.monotonic()
        engine.change(added, "create")
        if wait_until(lambda: ask(side.http_port, added.request).status == 200, 30) is None:
            raise BenchError(f"{added.name} is not answered half a minute after its event")
        times.append(1000 * (time.monotonic() - began))
    return times


def _storm(plan, side, served):
    """Many services get another path at once, by eight callers; a bystander is asked meanwhile."""
    changed = served[1:plan.samples(1000) + 1]
    controller = side.controller()
    process.reset_peak(controller)
    load = SteadyLoad(side, served[0], any_server=True)
    try:
        began = time.monotonic()
        call_all(side.admin_port, 8, 0, [
            side.reconfigure_path(route, servicePath=f"/storm/{route.name}/") for route in changed])
        for route in changed:
            path = f"/storm/{route.name}/{route.key}"
            if wait_until(lambda: ask(side.http_port, ("any", path)).status == 200, 30) is None:
                raise BenchError(f"{path} is not answered after the storm")
        seconds = time.monotonic() - began
    finally:
        lost = load.end()
    return {"storm_changes": len(changed), "storm_s": seconds,
            "storm_peak_mib": process.peak_mib(controller),
            "storm_lost": steady.lost(lost), "storm_asked": steady.asked(lost),
            "bystander": lost}
