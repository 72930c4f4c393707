"""What we hold ourselves to, and what of it was measured."""

from dataclasses import dataclass
from typing import Callable

from suite import stats


@dataclass(frozen=True)
class Goal:
    """`measured` takes the results and returns (text, whether it is met); it raises LookupError
    where what it needs was not measured. `how` says where the number comes from.
    """

    what: str
    goal: str
    measured: Callable
    how: str


def rows_of(results, scenario, **having):
    """The rows of a scenario with these values; raises LookupError where there are none."""
    rows = [row for row in results[scenario]["rows"]
            if all(row.get(key) == value for key, value in having.items())]
    if not rows:
        raise LookupError(f"{scenario}: {having}")
    return rows


def row_of(results, scenario, **having):
    return rows_of(results, scenario, **having)[0]


def _task_live(results):
    row = row_of(results, "change-to-live", what="task-live")
    return (f"median {row['median_ms']:.1f} ms, p99 {row['p99_ms']:.1f} ms",
            row["median_ms"] <= 20 and row["p99_ms"] <= 100)


def _every_replica(results):
    rows = rows_of(results, "replicas", what="task", routes=10)
    times = [row["last_ms"] for row in rows]
    return (" / ".join(f"p99 {one['p99']:,.0f} ms (median {one['median']:,.0f} ms)" for one in times),
            all(one["p99"] <= 250 for one in times))


def _api_live(results):
    few = row_of(results, "change-to-live", what="api-live", services=10)["median_ms"]
    many = row_of(results, "change-to-live", what="api-live", services=10000)["median_ms"]
    return f"{few:.1f} ms / {many:.1f} ms", few <= 5 and many <= 10


def _lost(results):
    rows = rows_of(results, "lost-requests")
    lost = sum(row["kept_lost"] + row["new_lost"] for row in rows)
    asked = sum(row["kept_asked"] + row["new_asked"] for row in rows)
    return f"{lost} of {asked:,}", lost == 0


def _reloads(results):
    changes = [row for row in rows_of(results, "lost-requests")
               if "changes" in row["change"]]
    reloads = sum(row["reloads"] for row in changes)
    return f"{reloads} (" + ", ".join(row["change"] for row in changes) + ")", reloads == 0


def share_of(results, key, ours="swarmgate", **having):
    """Requests per second of Swarmgate (`ours`: which one) against those of another side, taken within
    the rounds.
    """
    rates, limits = ([one["rps"] for one in row_of(results, "throughput-routes", side=side,
                                                   **having)["rounds"]] for side in (ours, key))
    return stats.summary(stats.paired_ratios(rates, limits))


def cpu_above(results, key, **having):
    """How much more processor time a request takes in Swarmgate than in another side, µs."""
    ours, theirs = (row_of(results, "throughput-routes", side=side, **having)["cpu_us"]["median"]
                    for side in ("swarmgate", key))
    return ours - theirs


# The sides by hand that no goal is judged by, by the end of their keys.
BESIDE = {"-same": "one with the same promises", "-bare": "a bare one"}
# Swarmgate that repeats nothing, as those by hand that goals are judged by.
ONCE = "swarmgate-once"


def _beside(measured, key):
    """The same against the variants of a side, as far as they took part: results may be older."""
    shown = []
    for suffix, name in BESIDE.items():
        try:
            shown.append(f"{name}: {measured(key + suffix)}")
        except LookupError:
            continue
    return f" (against {'; '.join(shown)})" if shown else ""


def _once(measured, key):
    try:
        return f"; with `HTTP_RETRY=never` {measured(key, ONCE)}"
    except LookupError:
        return ""


def _one_route(results):
    def shares(key, ours="swarmgate"):
        return [share_of(results, key, ours, routes=count, asked=asked)["median"]
                for count, asked in ((1, "first"), (10000, "last"))]

    def shown(key, ours="swarmgate"):
        return " / ".join(f"{share:.2f}" for share in shares(key, ours))

    one, many = shares("limit")
    return (shown("limit") + _beside(shown, "limit") + _once(shown, "limit"),
            one >= 0.97 and many >= 0.95)


def _random(results):
    def share(key, ours="swarmgate"):
        return share_of(results, key, ours, routes=10000, asked="random")["median"]

    def shown(key, ours="swarmgate"):
        return f"{share(key, ours):.2f}"

    return (shown("map") + _beside(shown, "map") + _once(shown, "map"), share("map") >= 0.95)


def _rules(results):
    def above(key):
        return cpu_above(results, key, routes=1)

    ours, theirs = (row_of(results, "throughput-routes", side=side, routes=1)["cpu_us"]["median"]
                    for side in ("swarmgate", "map"))
    return (f"{above('map'):+.1f} µs ({ours:.1f} against {theirs:.1f})"
            + _beside(lambda key: f"{above(key):+.1f} µs", "map"), above("map") <= 3)


def _cold_start(results):
    row = row_of(results, "change-to-live", what="start", services=10000)
    return f"{row['median_ms'] / 1000:.2f} s", row["median_ms"] <= 1500


def _footprint(results):
    row = row_of(results, "footprint", routes=10000)
    return (f"{row['controller_mib']:.0f} MiB, {100 * row['controller_cpu']:.1f} % of a core",
            row["controller_mib"] <= 60 and row["controller_cpu"] <= 0.01)


def _websockets(results):
    row = row_of(results, "websockets", side="swarmgate")
    return f"{row['cut']} of {row['sockets']} in {row['changes']:,} changes", row["cut"] == 0


def _storms(results):
    rows = rows_of(results, "storms")
    counted = [one for row in rows
               for one in ([each["flapping"] for each in row["rounds"]] if "rounds" in row else [row])]
    lost, asked = (sum(one[key] for one in counted) for key in ("lost", "asked"))
    return f"{lost} of {asked:,}", lost == 0


ALL = (
    Goal("Swarm task running → route live", "median ≤ 20 ms, p99 ≤ 100 ms", _task_live,
         "Docker tells of the container's start; the task is asked for at once, and again soon"),
    Goal("The same on every one of three replicas: image there / pulled first", "p99 ≤ 250 ms",
         _every_replica, "Docker tells of the start on the task's node alone; the others ask for the "
         "tasks of services that converge, at least every 150 ms in the first minute"),
    Goal("API reconfigure → live, among 10 / 10,000 services", "median ≤ 5 ms / ≤ 10 ms", _api_live,
         "what of it grows with the services is in “Where the time of a change goes”"),
    Goal("Requests lost in changes, reloads, rolling updates, by killing the controller", "0", _lost,
         "servers are drained before they go; reloads pass the sockets on; HAProxy outlives the "
         "controller"),
    Goal("Reloads for ordinary services' changes", "0", _reloads,
         "routes are entries of maps, services take backends that are declared in advance"),
    Goal("Throughput on one route among 1 / among 10,000, against a one-route HAProxy",
         "≥ 0.97 / ≥ 0.95", _one_route,
         "a lookup in a tree; the rest is that a request can be sent again to another server, and what "
         "the rules that serve the labels cost"),
    Goal("The same, at random over 10,000 services, against HAProxy with a map of them", "≥ 0.95",
         _random, "both keep a connection to each of 10,000 servers, as far as there is room"),
    Goal("Processor time per request above plain map routing", "≤ 3 µs", _rules,
         "HAProxy's processes alone, of one route on kept connections"),
    Goal("Start with 10,000 stored services → all served", "≤ 1.5 s", _cold_start,
         "HAProxy is started with what was served last, before Docker is listed"),
    Goal("Controller, 10,000 services with 2 tasks each", "≤ 60 MiB, ≤ 1 % of a core when idle",
         _footprint, "resident memory and processor time while nothing changes"),
    Goal("Requests that others lose while Docker is away, a service flaps, a stack of 1,000 is deployed",
         "0", _storms, "what was heard last goes on being served; changes that wait are applied "
         "together, the newest alone"),
    Goal("WebSockets cut by 1,000 changes", "0", _websockets,
         "a change touches no connection, and a process that is replaced keeps its own"),
)
