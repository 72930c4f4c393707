"""The part of the report that belongs to each scenario: rows in, (Markdown, {file name: SVG}) out."""

from suite import stats
from suite.goals import cpu_above, share_of
from suite.markdown import amount, milliseconds, number, spread, table
from suite.section_core import core
from suite.sides import ALL as SIDES, BY_HAND
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
        f"{bare}.{_warm(rows)}\n\n" + table(header, cells(_rate))
        + "\nProcessor time of the proxy per request, µs.\n\n"
        + table(header, cells(lambda row: spread(row["cpu_us"], 1)))
        + "\nLatency under this load, median / p99 in ms (HTTP/2: the mean).\n\n"
        + table(header, cells(_latency)) + _notes(rows))


def _warm(rows):
    """What is said of rows that were measured so: results may be older than that."""
    cases = {_case_name(row["kind"], row["routes"], row["asked"], row["load"]): seconds
             for row in rows if (seconds := row.get("warm_seconds", 0))}
    if not cases:
        return ""
    return (" Between its turns a proxy closes its connections to the servers; so that serving is\n"
            f"measured, a turn begins with {max(cases.values())} seconds that do not count, in which it "
            f"opens them again, for: {'; '.join(cases)}.")


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
    return _throughput_tables(rows) + _against_by_hand(results), pictures


def _against_by_hand(results):
    """All comparisons of Swarmgate with HAProxy by hand: those of the goals, and those beside them."""
    cases = _cases(results["throughput-routes"]["rows"])
    keys = [side.key for side in BY_HAND if any(side.key in of_case for of_case in cases.values())]

    def cell(case, of_case, key):
        if key not in of_case:
            return "–"
        kind, count, asked, load = case
        having = {"kind": kind, "routes": count, "asked": asked, "load": load}
        return (f"{spread(share_of(results, key, **having), 2)}, "
                f"{cpu_above(results, key, **having):+.1f} µs")

    rows = [[_case_name(*case)] + [cell(case, of_case, key) for key in keys]
            for case, of_case in cases.items() if "swarmgate" in of_case]
    return """
**Swarmgate against HAProxy by hand**: its share of the other's requests per second, round by round, and how
much more processor time a request takes. Goals are judged by “HAProxy, one route” and “HAProxy, map”, which
ask no server again when one has closed a connection without an answer. Those with the same promises do, as
Swarmgate does: what is left between them and it is how it finds a route, and the rules that serve labels. The
bare ones do not tell the server the client's scheme, host and port.

""" + table(["Routes by, how many, which are asked"] + [SHORT[key] for key in keys], rows)


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


def storms(results):
    rows = results["storms"]["rows"]
    parts = ((_docker_away, "restart"), (_flapping, "flap"), (_stack, "stack"))
    return "\n".join(show([row for row in rows if row["kind"] == kind]) for show, kind in parts), {}


def _lost_of(row):
    return f"{row['lost']} of {number(row['asked'])}"


def _memory(row):
    return f"{row['before_mib']:.0f} / {row['peak_mib']:.0f} / {row['after_mib']:.0f}"


def _docker_away(rows):
    shown = [[number(row["routes"]), number(row["changed"]), f"{row['heard_s']:.2f}",
              f"{row['live_s']:.2f}", f"{row['gone_s']:.2f}", f"{row['away_cpu_s']:.2f}",
              f"{row['cpu_s'] - row['away_cpu_s']:.2f}", _memory(row), row["reloads"], _lost_of(row)]
             for row in rows]
    return """Services of a Swarm as in “Ten thousand services”. **Docker is away** for five seconds: its socket is gone
and its connections are cut. Meanwhile so many services get another path, as many are removed, and as
many are new. Seconds from its return until its events are listened to, until what is new is answered,
and until what is gone no longer is; the controller's processor time while Docker is away, and from
then on until it is calm again; its memory before, at most, and in the end. One service, and 50 others
in turn, are asked all the time.

""" + table(["Services", "Changed", "Listens after, s", "New live after, s", "Old gone after, s",
             "Processor time away, s",
             "then, s", "MiB before / peak / after", "Reloads", "Requests lost"], shown)


def _flapping(rows):
    return """**One service flaps**, ten times a second for ten seconds: a second task of it starts and ends, each time another
one; or its label gives it another path. Another service is asked meanwhile, and before, for as long, while
nothing happens; both are done three times in turn. Latency is that of new connections, median of the
rounds, quiet → flapping. The last state is live when it is served, and the one before it no more.

""" + table(["Services", "What flaps", "Requests lost", "Reloads", "Median, ms", "p99, ms",
             "Controller, % of a core", "Changes applied at once", "MiB before / peak / after",
             "Last state live, ms"], [_flap_cells(row) for row in rows])


def _flap_cells(row):
    phases = {name: [one[name] for one in row["rounds"]] for name in ("quiet", "flapping")}

    def both(value, digits):
        return " → ".join(f"{stats.median([value(one) for one in phase]):.{digits}f}"
                          for phase in phases.values())

    flapping = phases["flapping"]
    total = {key: sum(one[key] for one in flapping)
             for key in ("lost", "asked", "reloads", "changes", "applies")}
    return [number(row["routes"]), row["what"], _lost_of(total), total["reloads"],
            both(lambda one: one["bystander"]["new"]["p50_ms"], 1),
            both(lambda one: one["bystander"]["new"]["p99_ms"], 1),
            both(lambda one: 100 * one["cpu"], 1),
            f"{total['changes'] / max(1, total['applies']):.1f}", _memory(row),
            spread(stats.summary([1000 * one["live_s"] for one in flapping]))]


def _stack(rows):
    shown = [[number(row["routes"]), number(row["added"]), f"{row['live_s']:.2f}",
              f"{row['cpu_s']:.2f}", _memory(row), row["reloads"], _lost_of(row)] for row in rows]
    return """**A stack is deployed**: so many services are created in Docker at once, their tasks running already. Each is
asked until it is answered; seconds until the last one is.

""" + table(["Services before", "New", "All live after, s", "Controller's processor time, s",
             "MiB before / peak / after", "Reloads", "Requests lost"], shown)


STEPS = (("known_ms", "services known"), ("serves_ms", "HAProxy serves"),
         ("connected_ms", "HAProxy is spoken to"), ("reloaded_ms", "reloaded"), ("ready_ms", "ready"),
         ("all_ms", "all answered"))
READ = {"base": "base", "slots": "and slots", "servers": "and servers", "entries": "and map entries"}


def cold_start(results):
    rows = results["cold-start"]["rows"]
    starts = [[number(row["routes"]), name,
               *(milliseconds(row[which][step]) if step in row[which] else "–" for step, _ in STEPS)]
              for row in rows for which, name in (("first", "nothing stored"), ("again", "stored"))]
    read = [[number(row["routes"]), number(row["slots"]), number(row["servers"]),
             number(row["entries"]), amount(row["conf_bytes"]), amount(row["map_bytes"]),
             *(spread(row["parse"][part]["ms"]) for part in READ)] for row in rows]
    reloads = [[number(row["routes"]),
                *(spread(row["reload"][key]) for key in ("forked_ms", "new_answers_ms", "answered_ms",
                                                         "overlap_ms")),
                _memory(row["reload"]), _lost_of(row["reload"])] for row in rows]
    text = """Services of a Swarm as in “Ten thousand services”. **The start**, first without anything stored, then after
it was ended: milliseconds until each step is done, as its log says, and until the first and the last service are
answered. Services are known once Docker was listed, or as what was served last; some of the steps go side by
side, and what HAProxy is started with may need a reload at once.

""" + table(["Services", "Start", *(name for _, name in STEPS)], starts) + """
**What HAProxy reads**: slots are backends that are declared in advance, used or not; servers stand in the
configuration (there is no file of servers' states); routes are entries of maps. Milliseconds of
`haproxy -c`: of the base configuration alone, with the slots as well, with their servers, with the maps'
entries: what the files are.

""" + table(["Services", "Slots", "Servers", "Map entries", "Configuration", "Maps",
             *(f"{name}, ms" for name in READ.values())], read) + """
**A reload** that is asked for (`/v1/docker-flow-proxy/reload`), with a small load on one service: milliseconds
until the new worker is there (HAProxy has read everything), until it is the one that answers at HAProxy's
socket, until the call is answered, and for how long the new and the old worker are both there. Memory is
that of all of HAProxy's processes; pages that they share count for each.

""" + table(["Services", "Worker is there, ms", "It answers, ms", "Call answered, ms", "Both, ms",
             "MiB before / peak / after", "Requests lost"], reloads)
    series = [(part, name, [(row["routes"], row["parse"][part]["ms"]["median"]) for row in rows])
              for part, name in READ.items()]
    series.append(("reload", "a whole reload", [
        (row["routes"], row["reload"]["answered_ms"]["median"]) for row in rows]))
    picture = line_chart("What HAProxy reads, and a reload", "services", "milliseconds", series,
                         log_y=True)
    return text, {"cold-start": picture}


def _times(summary):
    """Median, p99 and the worst of them."""
    return " / ".join(milliseconds(summary[key]) for key in ("median", "p99", "max"))


def replicas(results):
    rows = results["replicas"]["rows"]
    tasks = [[number(row["routes"]), "{:.1f}–{:.1f}".format(*row["prepared_s"]), row["last_ms"]["n"],
              *(_times(row[key]) for key in ("first_ms", "last_ms", "told_ms"))]
             for row in rows if row["what"] == "task"]
    calls = [[number(row["routes"]), "yes" if row["distribute"] else "no", row["last_ms"]["n"],
              *(_times(row[key]) for key in ("answered_ms", "first_ms", "last_ms"))]
             for row in rows if row["what"] == "api"]
    text = f"""Three replicas on this machine, each with an engine of its own that speaks as a manager of one Swarm does; they
share what the API defines by {rows[0]["shared"]}. Times are median / p99 / worst, in milliseconds. The replicas
are asked in turn, over and over, by connections of their own; every answer is checked: 503 before, then the
new service's own server, on all three, and 503 after it was removed.

**A task starts**: a service with one task is created, which all three engines tell. They list the task as
`preparing` for so many seconds (an image that is there; one that must be pulled), then as `starting` for 0.3 s,
and from the same moment on as `running`. That its container starts, 0.1 s before, only the engine of its
node tells, one after the other; Docker has no events for tasks. Times are from `running` to the first answer.
Of the slowest replica's, what went by until it asked Docker for the tasks is shown as well: services that
converge are polled from 50 ms on, half as long again each time nothing has changed, up to 150 ms in the
first minute and 2 s later.

""" + table(["Services", "Prepared, s", "Samples", "Replica on its node", "All three",
             "of it until Docker was asked"], tasks) + """
**A service is defined by the API** on one replica after the other, with `distribute=true` and without it.
Times are from the call; the replicas are asked once it is answered.

""" + table(["Services", "`distribute`", "Samples", "Call answered", "Live where it was called",
             "All three"], calls)
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
    "core": ("What each function of the core costs", core),
    "websockets": ("Long conversations", websockets),
    "footprint": ("Ten thousand services", footprint),
    "storms": ("Storms", storms),
    "cold-start": ("Start and reload: where the time goes", cold_start),
    "replicas": ("Live on every replica", replicas),
    "consul": ("Between replicas and Consul", consul),
}
