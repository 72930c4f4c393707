"""The part of the report that belongs to each scenario: rows in, (Markdown, {file name: SVG}) out."""

from suite import stats
from suite.goals import against_map
from suite.markdown import amount, milliseconds, number, spread, table
from suite.sides import ALL as SIDES
from suite.svg import line_chart

LABELS = {side.key: side.label for side in SIDES}
SHORT = {side.key: side.short for side in SIDES}
ORDER = [side.key for side in SIDES]
LOADS = {"kept": "kept connections", "new": "a new connection each", "tls": "TLS, kept connections",
         "tls-new": "TLS, a new connection each", "h2": "HTTP/2 over TLS"}
WHAT = {
    "start": "start → all stored services live",
    "cpu": "controller's processor time per change",
    "api-answered": "API call → answered",
    "api-live": "API call → first request answered",
    "task-process-live": "Swarm task's process started → first request answered",
    "task-live": "Swarm task running → first request answered",
    "container-live": "container started → first request answered",
}


def change_to_live(results):
    rows = [[WHAT[row["what"]], number(row["services"]), row["n"], milliseconds(row["median_ms"]),
             milliseconds(row["p99_ms"]), milliseconds(row["max_ms"])]
            for row in results["change-to-live"]["rows"]]
    text = """From the change to the first request that is answered through the proxy; milliseconds. Swarm's own
work (scheduling, creating the container) comes before these times. The proxy is polled once per
millisecond.

""" + table(["What", "Services", "Samples", "Median", "p99", "Max"], rows)
    return text, {}


def lost_requests(results):
    rows = [[row["change"], f"{row['kept_lost']} of {number(row['kept_asked'])}",
             f"{row['new_lost']} of {number(row['new_asked'])}", row["reloads"],
             f"{row['kept_p99_ms']:.1f} / {row['new_p99_ms']:.1f}"]
            for row in results["lost-requests"]["rows"]]
    text = """8 threads with kept connections and 8 with a new connection for each request go on asking for one
service while the change happens. A request is lost when its complete answer did not come: nothing
is retried by the client.

""" + table(["Change", "Lost, kept connections", "Lost, new connections", "Reloads",
             "p99 kept / new, ms"], rows)
    return text, {}


def _cases(rows):
    """Rows by what was asked, in the order in which it was."""
    cases = {}
    for row in rows:
        if "rps" in row:
            cases.setdefault((row["kind"], row["routes"], row["asked"], row["load"]), {})[
                row["side"]] = row
    return cases


def _notes(rows):
    return "".join(
        f"\n{LABELS[row['side']]}, "
        f"{_case_name(row['kind'], row['routes'], row['asked'], row['load'])}: not measured "
        f"({row['note']}).\n" for row in rows if "note" in row)


def _case_name(kind, count, asked, load):
    return f"{kind}, {number(count)}, {asked}" + ("" if load == "kept" else f", {LOADS[load]}")


def _throughput_tables(rows):
    """Requests per second with their ratio to the limit, then processor time, then latency."""
    cases = _cases(rows)
    sides = [key for key in ORDER if any(key in of_case for of_case in cases.values())]

    def cells(show):
        return [[_case_name(*case)] + [show(of_case[key]) if key in of_case else "–"
                                       for key in sides] for case, of_case in cases.items()]

    header = ["Routes by, how many, which are asked"] + [SHORT[key] for key in sides]
    bare = ", and the share of the bare one" if any("of_bare" in row for row in rows) else ""
    return (
        "Requests per second; in brackets the share of the limit, its spread over the rounds"
        f"{bare}.\n\n" + table(header, cells(_rate))
        + "\nProcessor time of the proxy per request, µs.\n\n"
        + table(header, cells(lambda row: spread(row["cpu_us"], 1)))
        + "\nLatency under this load, median / p99 in ms (HTTP/2: the mean).\n\n"
        + table(header, cells(_latency)) + _notes(rows))


def _rate(row):
    of_limit = row["of_limit"]
    bare = f"; {row['of_bare']['median']:.2f}" if "of_bare" in row else ""
    return (f"{number(row['rps']['median'])} ({of_limit['median']:.2f}: {of_limit['min']:.2f}–"
            f"{of_limit['max']:.2f}{bare})")


def _latency(row):
    if "p50_us" in row:
        return f"{row['p50_us']['median'] / 1000:.1f} / {row['p99_us']['median'] / 1000:.1f}"
    return f"{row['mean_us']['median'] / 1000:.1f}"


def _curves(rows, value, **having):
    series = []
    for key in ORDER:
        points = [(row["routes"], value(row)) for row in rows if row["side"] == key and "rps" in row
                  and all(row[name] == wanted for name, wanted in having.items())]
        if points:
            series.append((key, SHORT[key], sorted(points)))
    return series


def throughput_routes(results):
    rows = results["throughput-routes"]["rows"]
    # Among one route, the first is also one at random.
    at_random = [{**row, "asked": "random"} for row in rows if row["routes"] == 1] + rows
    pictures = {}
    for name, title, label, value in (
            ("throughput-routes", "Requests for routes at random", "requests per second",
             lambda row: row["rps"]["median"]),
            ("cpu-per-request", "What one request costs the proxy", "processor time, µs",
             lambda row: row["cpu_us"]["median"])):
        series = _curves(at_random, value, asked="random")
        if series:
            pictures[name] = line_chart(title, "routes (path prefixes)", label, series, log_y=True)
    ratio = ""
    try:
        same, bare = (against_map(results, key, routes=10000, asked="random")
                      for key in ("map", "map-bare"))
        ratio = (f"\nSwarmgate against HAProxy with the same 10,000 backends, at random, round by "
                 f"round: {same:.2f}; against the bare one: {bare:.2f}.\n")
    except LookupError:
        pass
    return _throughput_tables(rows) + ratio, pictures


def throughput_kinds(results):
    return _throughput_tables(results["throughput-kinds"]["rows"]), {}


def throughput_connections(results):
    return _throughput_tables(results["throughput-connections"]["rows"]), {}


def change_latency(results):
    rows = results["change-latency"]["rows"]
    shown = []
    for row in rows:
        if "live_ms" not in row:
            shown.append([number(row["routes"]), LABELS[row["side"]], row["note"], "", "", "", ""])
            continue
        lost = row["lost"]
        shown.append([
            number(row["routes"]), LABELS[row["side"]], spread(row["live_ms"], 1),
            number(row["cpu_ms"], 1), row["live_ms"]["n"],
            *(f"{lost[kind]['lost']} of {number(lost[kind]['right'] + lost[kind]['lost'])}"
              for kind in ("kept", "new"))])
    series = [(key, SHORT[key], sorted((row["routes"], row["live_ms"]["median"]) for row in rows
                                        if row["side"] == key and "live_ms" in row))
              for key in ORDER if any(row["side"] == key and "live_ms" in row for row in rows)]
    pictures = {}
    if series:
        pictures["change-latency"] = line_chart(
            "One more service: until it is answered", "services", "milliseconds", series, log_y=True)
    text = """One service is added, with a small load (some hundred requests a second) on another. The time is from
the beginning of the change (the API call; or the writing of the finished configuration, then the check
and reload as each side does it) to the first right answer. Those who watch Docker for such a side add
what they wait before: nginx-proxy 0.1 to 0.5 s. Processor time is that of all processes of a side,
per change.

""" + table(["Services", "Side", "Until answered, ms", "Processor time, ms", "Changes",
             "Lost, kept connections", "Lost, new connections"], shown)
    return text + _reloads(rows), pictures


def _reloads(rows):
    """Of Swarmgate, which needs them for few changes."""
    shown = [[number(row["routes"]), spread(row["reload_ms"], 1), row["reload_ms"]["n"],
              sum(kind["lost"] for kind in row["reload_lost"].values())]
             for row in rows if "reload_ms" in row]
    if not shown:
        return ""
    return """
Some changes cannot be made without a reload of HAProxy (another port, labels with raw configuration). A
reload of Swarmgate, from the call until it is confirmed:

""" + table(["Services", "ms", "Reloads", "Requests lost"], shown)


def changes_per_second(results):
    rows = [[number(row["routes"]), row["callers"], number(row["per_second"], 1),
             number(row["cpu_ms"], 1), number(row["changes"] / max(1, row["applies"]), 1),
             row["reloads"]] for row in results["changes-per-second"]["rows"]]
    text = """`reconfigure` calls, each giving one of 200 services another path; a call is answered when HAProxy has
confirmed it. Changes that wait are applied together. The last change is asked for at the end.
Reloads are those by which backends for the 200 services were declared.

""" + table(["Services", "Callers", "Changes per second", "Controller's processor time per change, ms",
             "Changes applied at once", "Reloads"], rows)
    return text, {}


def change_cost(results):
    rows = [[number(row["routes"]), amount(row["wchar"]), amount(row["write_bytes"]),
             number(row["syscw"], 1), number(row["commands"], 1), number(row["cpu_ms"], 1)]
            for row in results["change-cost"]["rows"]]
    text = """One `reconfigure` call that changes a path: what the controller hands to the kernel to be written (files,
sockets, the answer), what of it went to the disk, in how many calls, and the commands that HAProxy
got.

""" + table(["Services", "Handed over", "To the disk", "Calls of write", "Commands",
             "Controller's processor time, ms"], rows)
    return text, {}


def engine(results):
    rows = results["engine"]["rows"]
    shown = [[number(row["services"]), *(
        cell for kind in ("api", "event") for cell in
        (number(row[f"{kind}_ms"], 2), number(row[f"{kind}_allocations"]),
         amount(row[f"{kind}_bytes"])))] for row in rows]
    text = """The engine alone, from the message to the published state, without sockets, disk and HAProxy (these are
fakes, and what they allocate counts); medians of the times, means of the rest.

""" + table(["Services", "API change, ms", "allocations", "memory", "Docker event, ms", "allocations",
             "memory"], shown)
    series = [(key, label, [(row["services"], row[f"{kind}_ms"]) for row in rows])
              for key, label, kind in (("swarmgate", "change by the API", "api"),
                                       ("caddy", "Docker event", "event"))]
    picture = line_chart("What one change costs the engine", "services", "milliseconds", series,
                         log_y=True)
    return text, {"engine": picture}


def websockets(results):
    rows = [[LABELS[row["side"]], number(row["changes"]), f"{row['cut']} of {row['sockets']}",
             row["processes"], number(row["rss_mib"])] for row in results["websockets"]["rows"]]
    text = """50 WebSockets say a word every half second while services are added, one change at a time (by the API of
Swarmgate: services are added and changed, by four callers). Processes and resident memory are those
at the end: what was replaced and still lives for its connections counts.

""" + table(["Side", "Changes", "Cut", "Processes", "MiB"], rows)
    return text, {}


def footprint(results):
    rows = results["footprint"]["rows"]
    shown = [[number(row["routes"]), f"{row['start_s']:.1f}", number(row["controller_mib"]),
              number(row["haproxy_mib"]), f"{100 * row['controller_cpu']:.2f}",
              f"{100 * row['haproxy_cpu']:.2f}"] for row in rows]
    storms = [[number(row["routes"]), number(row["storm_changes"]), f"{row['storm_s']:.1f}",
               number(row["storm_peak_mib"]), f"{row['storm_lost']} of {number(row['storm_asked'])}",
               milliseconds(stats.median(row["label_ms"]))] for row in rows]
    text = """Services of a Swarm, each with two running tasks, told by something that speaks as a Swarm manager does:
no machine of ours runs 20,000 containers. Resident memory, and processor time in per cent of a core
over half a minute without changes, with Docker being listed as always.

""" + table(["Services", "Start, s", "Controller, MiB", "HAProxy, MiB", "Controller, idle %",
             "HAProxy, idle %"], shown) + """
First, one service after the other is created in Docker, its tasks running already (median of the times from
the event to the first answer). Then the storm: so many services get another path by the API, by eight
callers at once; another service is asked meanwhile.

""" + table(["Services", "Changed", "Until all are answered, s", "Controller's peak, MiB",
             "Bystander's requests lost", "Docker event → live, ms"], storms)
    return text, {}


def consul(results):
    rows = [[number(row["services"]), amount(row["all_bytes"]), milliseconds(row["all_ms"]),
             amount(row["writer_bytes"]), amount(row["watcher_bytes"]), milliseconds(row["seen_ms"])]
            for row in results["consul"]["rows"]]
    text = """Between a replica and one Consul server on the same machine, both ways, with the journal of changes at its
longest.

""" + table(["Services", "Everything is read", "ms", "One change, writer", "One change, watcher",
             "Until it is seen, ms"], rows)
    return text, {}


SECTIONS = {
    "change-to-live": ("How soon a change is live", change_to_live),
    "lost-requests": ("What a change costs those who ask", lost_requests),
    "throughput-routes": ("Throughput by number of routes", throughput_routes),
    "throughput-kinds": ("Throughput by host, wildcard and regex", throughput_kinds),
    "throughput-connections": ("Throughput by kind of connection", throughput_connections),
    "change-latency": ("One more service, side by side", change_latency),
    "changes-per-second": ("Changes per second", changes_per_second),
    "change-cost": ("What one change writes", change_cost),
    "engine": ("Where the time of a change goes as services grow", engine),
    "websockets": ("Long conversations", websockets),
    "footprint": ("Ten thousand services", footprint),
    "consul": ("Between replicas and Consul", consul),
}
