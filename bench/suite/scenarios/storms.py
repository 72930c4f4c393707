"""What comes all at once: Docker that was away, one service that flaps, and a stack of a thousand.

Of each: what those lose who ask for other services, what it costs the controller, and how soon the
newest state is live. The services are a Swarm's as far as Swarmgate can tell (suite/engine.py).
"""

import time

from suite import probe, process, routes, steady
from suite.process import BenchError, wait_until
from suite.stage import Stage
from suite.steady import SteadyLoad

AWAY_SECONDS = 5
FLAPS_PER_SECOND = 10
# Within it everything must be live that a storm has changed.
LIMIT = 120


def measure(plan):
    """Rows of three kinds: `restart`, `flap`, `stack`."""
    rows = []
    for count in plan.sizes((100, 1000, 10000)):
        rows += _restarts(plan, count)
    for count in plan.sizes((10, 10000)):
        rows += [_flapping(plan, count, flaps) for flaps in (TaskFlaps, PathFlaps)]
    for count in plan.sizes((1000, 9000)):
        rows.append(_stack(plan, count))
    return rows


class Costs:
    """Of the controller, from here on."""

    def __init__(self, side):
        self._side = side
        self._pid = side.controller()
        process.reset_peak(self._pid)
        self._rss = process.rss_mib([self._pid])
        self._cpu = process.cpu_seconds([self._pid])
        self._counters = side.counters()

    def so_far(self):
        if self._side.controller() != self._pid:
            raise BenchError("another controller had to be started: " + self._side.complaint())
        counters = self._side.counters()
        return {"cpu_s": process.cpu_seconds([self._pid]) - self._cpu,
                "before_mib": self._rss, "peak_mib": process.peak_mib(self._pid),
                "after_mib": process.rss_mib([self._pid]),
                "applies": counters["applies"] - self._counters["applies"],
                "reloads": (sum(counters["reloads"].values())
                            - sum(self._counters["reloads"].values()))}


def _is_answered(status):
    return status == 200


def _is_gone(status):
    return status not in (0, 200)


def _await(side, wanted, what):
    """Until all of it is so."""
    left = probe.left(side.http_port, wanted, LIMIT)
    if left:
        raise BenchError(f"{what}: {len(left)} of {len(wanted)} are not live after {LIMIT} s, first "
                         f"{left[0][0][1]}: {side.complaint()}")


# --- Docker is away ---


def _restarts(plan, count):
    """Docker comes back with the same services; then with some changed, removed and new."""
    served = routes.table(count)
    with Stage() as stage:
        engine, side = stage.swarm(served)
        side.start(served)
        process.calm_down(side.controller())
        rows = [_restart(plan, engine, side, served, Meanwhile(served, each))
                for each in (0, min(100, count // 10))]
    for row in rows:
        plan.say(f"  Docker away, {count} services, {row['changed']} changed: {row['live_s']:.2f} "
                 f"s, gone {row['gone_s']:.2f} s, peak {row['peak_mib']:.0f} MiB, {row['lost']} of {row['asked']} lost")
    return rows


class Meanwhile:
    """So many services are changed while Docker is away, as many are removed, and as many are new."""

    def __init__(self, served, each):
        count = len(served)
        self.each = each
        self.changed = served[count - each:]
        self.removed = served[count - 2 * each:count - each]
        self.added = [routes.Route(count + number) for number in range(each)]
        self.untouched = served[:count - 2 * each]

    def happen(self, engine):
        for route in self.changed:
            engine.change(route, "update", path=_new_path(route))
        for route in self.removed:
            engine.remove(route)
        for route in self.added:
            engine.change(route, "create")

    def answered(self):
        """What must be answered then."""
        return ([(("any", _new_path(route)), _is_answered) for route in self.changed]
                + [(route.request, _is_answered) for route in self.added])

    def gone(self):
        """What must not: removed services, and paths that services no longer have."""
        return [(route.request, _is_gone) for route in self.changed + self.removed]


def _new_path(route):
    return f"/meanwhile/{route.name}/"


def _restart(plan, engine, side, served, meanwhile):
    bystander = SteadyLoad(side, served[0], any_server=True)
    others = SteadyLoad(side, *routes.sample(meanwhile.untouched[1:], 50), any_server=True)
    try:
        costs = Costs(side)
        engine.stop()
        meanwhile.happen(engine)
        time.sleep(1 if plan.quick else AWAY_SECONDS)
        away_cpu = costs.so_far()["cpu_s"]
        asked = engine.requests
        engine.resume()
        began = time.monotonic()
        if wait_until(engine.heard, LIMIT) is None:
            raise BenchError(f"Docker's events are not listened to {LIMIT} s after it is back")
        heard = time.monotonic() - began
        _await(side, meanwhile.answered(), "Docker is back")
        live = time.monotonic() - began
        _await(side, meanwhile.gone(), "Docker is back, and what it has no more")
        gone = time.monotonic() - began
        # Also what comes after it: lists that are read once more, files that are written.
        process.calm_down(side.controller())
        spent = costs.so_far()
    finally:
        lost = {"bystander": bystander.end(), "others": others.end()}
    return {"kind": "restart", "routes": served[-1].number + 1, "changed": meanwhile.each,
            "heard_s": heard, "live_s": live, "gone_s": gone, "away_cpu_s": away_cpu,
            "docker_requests": engine.requests - asked, **spent, "loads": lost,
            "lost": sum(map(steady.lost, lost.values())),
            "asked": sum(map(steady.asked, lost.values()))}


# --- one service flaps ---


class TaskFlaps:
    """A second task starts and ends, each time another one, with an address of its own."""

    name = "tasks"

    def __init__(self, engine, route):
        self._engine = engine
        self._route = route
        self._slot = 1

    @staticmethod
    def _address(slot):
        return f"127.3.{slot // 250}.{slot % 250 + 1}"

    def next(self):
        one = [(1, self._route.address)]
        if self._slot % 2:
            self._slot += 1
            task = (self._slot, self._address(self._slot))
            self._engine.change_tasks(self._route, one + [task], "start", self._slot)
        else:
            self._engine.change_tasks(self._route, one, "die", self._slot)
            self._slot += 1

    def is_newest(self, port):
        """Its two servers answer in turn, and no other."""
        newest = {self._route.key}
        if self._slot % 2 == 0:
            newest.add(self._address(self._slot).removeprefix("127."))
        return {probe.ask(port, self._route.request).server for _ in range(4)} == newest


class PathFlaps:
    """The service's label gives it another path each time."""

    name = "path"

    def __init__(self, engine, route):
        self._engine = engine
        self._route = route
        self._version = 0

    def next(self):
        self._version += 1
        self._engine.change(self._route, "update", path=self._path(self._version))

    def _path(self, version):
        return f"/flap/v{version}/"

    def is_newest(self, port):
        """The path is answered, and the one before it no more."""
        statuses = [probe.ask(port, ("any", self._path(version))).status
                    for version in (self._version, self._version - 1)]
        return _is_answered(statuses[0]) and _is_gone(statuses[1])


def _flapping(plan, count, kind):
    served = routes.table(count)
    rounds = []
    with Stage() as stage:
        engine, side = stage.swarm(served)
        side.start(served)
        process.calm_down(side.controller())
        flaps = kind(engine, served[-1])
        # So that each phase, of an even number of changes, ends with a start: of a task like no other.
        flaps.next()
        overall = Costs(side)
        for _ in range(1 if plan.quick else 3):
            rounds.append({"quiet": _quiet(plan, side, served[0]),
                           "flapping": _flap(plan, side, served[0], flaps)})
        memory = overall.so_far()
    row = {"kind": "flap", "routes": count, "what": kind.name, "rounds": rounds,
           **{key: memory[key] for key in ("before_mib", "peak_mib", "after_mib")}}
    lost = sum(one["flapping"]["lost"] for one in rounds)
    plan.say(f"  {kind.name} flap among {count} services: newest state live after "
             f"{1000 * rounds[-1]['flapping']['live_s']:.0f} ms, peak {row['peak_mib']:.0f} MiB, "
             f"{lost} lost")
    return row


def _phase_seconds(plan):
    return 1 if plan.quick else 10


def _quiet(plan, side, bystander):
    return _asked(side, bystander, lambda: time.sleep(_phase_seconds(plan)))


def _flap(plan, side, bystander, flaps):
    changes = FLAPS_PER_SECOND * _phase_seconds(plan)

    def flap():
        began = time.monotonic()
        for number in range(changes):
            time.sleep(max(0.0, began + number / FLAPS_PER_SECOND - time.monotonic()))
            flaps.next()

    live = {}

    def settle():
        seconds = wait_until(lambda: flaps.is_newest(side.http_port), LIMIT)
        if seconds is None:
            raise BenchError(f"the newest state is not live {LIMIT} s after the last change: "
                             + side.complaint())
        live["live_s"] = seconds

    return {"changes": changes, **_asked(side, bystander, flap, settle), **live}


def _asked(side, bystander, happen, settle=lambda: None):
    """What came of a bystander's requests while something happened, and of the controller."""
    load = SteadyLoad(side, bystander, any_server=True)
    try:
        costs = Costs(side)
        began = time.monotonic()
        happen()
        seconds = time.monotonic() - began
        spent = costs.so_far()
        settle()
    finally:
        result = load.end()
    return {"seconds": seconds, "cpu": spent["cpu_s"] / seconds, "applies": spent["applies"],
            "reloads": costs.so_far()["reloads"], "peak_mib": spent["peak_mib"],
            "lost": steady.lost(result), "asked": steady.asked(result), "bystander": result}


# --- a stack is deployed ---


def _stack(plan, count):
    """So many services are created in Docker at once, on top of those that are there."""
    served = routes.table(count)
    added = [routes.Route(count + number) for number in range(plan.samples(1000))]
    with Stage() as stage:
        engine, side = stage.swarm(served)
        side.start(served)
        process.calm_down(side.controller())
        load = SteadyLoad(side, served[0], any_server=True)
        try:
            costs = Costs(side)
            began = time.monotonic()
            for route in added:
                engine.change(route, "create")
            told = time.monotonic() - began
            _await(side, [(route.request, _is_answered) for route in added], "a stack is deployed")
            live = time.monotonic() - began
            process.calm_down(side.controller())
            spent = costs.so_far()
        finally:
            lost = load.end()
    row = {"kind": "stack", "routes": count, "added": len(added), "told_s": told, "live_s": live,
           **spent, "bystander": lost, "lost": steady.lost(lost), "asked": steady.asked(lost)}
    plan.say(f"  {row['added']} services on top of {count}: {live:.2f} s, peak "
             f"{row['peak_mib']:.0f} MiB, {row['reloads']} reloads, {row['lost']} lost")
    return row
