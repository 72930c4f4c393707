"""Changes one after the other and many at once: how many in a second, and what one of them writes."""

from suite import probe, process, routes
from suite.callers import call_all
from suite.sides import Swarmgate
from suite.stage import Stage

SIZES = (10, 1000, 10000)
# Services that the changes go round; each change gives its service another path.
CHANGED = 200


def rate(plan):
    """Accepted and live changes per second, by one caller and by eight."""
    rows = []
    seconds = 2 if plan.quick else 10
    for count in plan.sizes(SIZES):
        with Stage() as stage:
            side = stage.side(Swarmgate)
            side.start(routes.table(count))
            for threads in (1, 8):
                paths = _changes(side, count, 100 * CHANGED)
                before = side.counters()
                cpu = process.cpu_seconds([side.controller()])
                outcome = call_all(side.admin_port, threads, seconds, paths)
                cpu = process.cpu_seconds([side.controller()]) - cpu
                after = side.counters()
                _check_last(side, paths[outcome["calls"] - 1])
                rows.append({
                    "routes": count, "callers": threads, "changes": outcome["calls"],
                    "per_second": outcome["calls"] / outcome["seconds"],
                    "cpu_ms": 1000 * cpu / outcome["calls"],
                    "applies": after["applies"] - before["applies"],
                    "reloads": _reloads(after) - _reloads(before)})
                plan.say(f"  {count} services, {threads} callers: "
                         f"{rows[-1]['per_second']:.0f} changes a second")
    return rows


def cost(plan):
    """What one change by the API writes and sends."""
    rows = []
    samples = plan.samples(50)
    for count in plan.sizes(SIZES):
        with Stage() as stage:
            side = stage.side(Swarmgate)
            side.start(routes.table(count))
            paths = _changes(side, count, CHANGED + samples)
            # The slots and files of the services themselves are not what a change costs.
            call_all(side.admin_port, 1, 0, paths[:CHANGED])
            controller = side.controller()
            before, counted = process.io_counters(controller), side.counters()
            cpu = process.cpu_seconds([controller])
            call_all(side.admin_port, 1, 0, paths[CHANGED:])
            cpu = process.cpu_seconds([controller]) - cpu
            after, recounted = process.io_counters(controller), side.counters()
            per_change = {key: (after[key] - before[key]) / samples
                          for key in ("wchar", "write_bytes", "syscw", "rchar")}
            rows.append({
                "routes": count, "changes": samples, "cpu_ms": 1000 * cpu / samples, **per_change,
                "commands": (recounted["runtimeCommands"] - counted["runtimeCommands"]) / samples})
            plan.say(f"  {count} services: {per_change['wchar']:.0f} bytes, "
                     f"{rows[-1]['commands']:.1f} commands per change")
    return rows


def _changes(side, count, number):
    """Paths of API calls: each service gets one path after the other."""
    return [side.reconfigure_path(routes.Route(count + i % CHANGED),
                                  servicePath=_path(count + i % CHANGED, i)) for i in range(number)]


def _path(number, change):
    return f"/s{number:05d}/v{change}/"


def _check_last(side, path):
    """The last call's route is answered by its server."""
    name = path.split("serviceName=")[1].split("&")[0]
    route = routes.Route(int(name[1:]))
    change = path.split("%2Fv")[1].split("%2F")[0]
    answer = probe.ask(side.http_port, ("any.example.com", _path(route.number, int(change)) + route.key))
    if answer.status != 200 or answer.server != route.key:
        raise process.BenchError(f"{name} was changed and answers {answer.status}")


def _reloads(counters):
    return sum(count for reason, count in counters["reloads"].items() if reason != "start")
