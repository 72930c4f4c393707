"""The part of the report that is about the pure functions of the core."""

from suite.markdown import number, table

NAMES = {
    "labels": "labels of one service parsed",
    "route-all": "routes: all made",
    "route-create": "routes: a service is created",
    "route-path": "routes: its path changes",
    "route-front": "routes: its path becomes `/` for every host",
    "route-task": "routes: its task is replaced",
    "route-remove": "routes: it is removed",
    "slots-all": "slots: all given out",
    "slots-create": "slots: a service is created",
    "render-all": "image: all rendered",
    "render-create": "image: a service is created",
    "render-path": "image: its path changes",
    "render-task": "image: its task is replaced",
    "plan-create": "plan: a service is created",
    "plan-path": "plan: its path changes",
    "plan-task": "plan: its task is replaced",
    "commands-path": "the plan's commands as text",
    "apply-path": "what HAProxy holds, after the plan",
    "files-path": "texts of the files that it changes",
    "lookup": "lookup of a request in the table",
    "explain": "explanation of a request (`why`)",
    "show-map": "HAProxy's map read back",
    "docker-list": "Docker's list of all services read",
    "docker-service": "one service and its two tasks read",
    "record-encode": "record written as JSON",
    "record-decode": "record read",
}
SIZES = (10, 1000, 10000)
# From 1,000 services to 10,000: what takes more than five times as many instructions follows their
# number; what takes less than half as many more has next to nothing to do with it.
FOLLOWS, HARDLY = 5, 1.5


def core(results):
    rows = results["core"]["rows"]
    of = {}
    for row in rows:
        of.setdefault(row["function"], {})[row["services"]] = row
    shown = [[_name(function), *_cells(sizes, lambda row: _time(row["time_us"])),
              *_cells(sizes, lambda row: number(row["instructions"])),
              f"{_growth(sizes):.2f}" if _growth(sizes) else "–"] for function, sizes in of.items()]
    text = """The functions that take values and return values, one call each, in one thread, with the services of
“Where the time of a change goes”. A change is that of one service in the middle of the others. Each stage is
given what the one before has made of it; the state before is still held, as it is by those who read it.
Routes are decided anew in the region that a changed one opens: below `/` for every host, that is half of
the services.

Times are medians by Google Benchmark, in µs, with glibc's allocator. Instructions are counted by callgrind, without
those of the allocator: a program that is the same has the same number in every run, whatever else the
machine does. Growth is how many times as many 10,000 services take as 1,000. From 10 to 1,000 there is another
reason to grow: sequences are copied in chunks of up to 64, which ten services do not fill. What is about one
service alone stands under 10.

""" + table(["Function", *(f"{number(size)}, µs" for size in SIZES),
             *(f"{number(size)}, instructions" for size in SIZES), "Growth"], shown)
    return text + _told(of), {}


def _name(function):
    return NAMES.get(function, function)


def _cells(sizes, show):
    """One for each number of services. Where there is only one service, it stands first."""
    first = sizes.get(1)
    return [show(row) if row else "–" for row in
            (sizes.get(SIZES[0], first), *(sizes.get(size) for size in SIZES[1:]))]


def _time(microseconds):
    return number(microseconds, 0 if microseconds >= 100 else 1 if microseconds >= 10 else 2)


def _growth(sizes):
    """None where both were not measured."""
    if SIZES[1] not in sizes or SIZES[2] not in sizes:
        return None
    return sizes[SIZES[2]]["instructions"] / sizes[SIZES[1]]["instructions"]


def _told(of):
    """Which functions grow with the services, and which do not."""
    growths = {_name(function): _growth(sizes) for function, sizes in of.items() if _growth(sizes)}
    parts = (("In proportion to the services", lambda growth: growth > FOLLOWS),
             ("Less than that", lambda growth: HARDLY <= growth <= FOLLOWS),
             ("Hardly or not at all", lambda growth: growth < HARDLY))
    lines = [f"- **{title}**: {'; '.join(names)}.\n" for title, grows in parts
             if (names := [name for name, growth in growths.items() if grows(growth)])]
    return "\nWhat grows from 1,000 services to 10,000:\n\n" + "".join(lines) if lines else ""
