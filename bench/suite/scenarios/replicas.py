"""Three replicas, each on a manager of its own: how soon a task that begins to run, and a change by the
API, are live on all of them.

Docker tells every manager of services, but of a container only those who listen on its node, and of
tasks nobody. So one replica is told of a start, and the others find it when they ask next.
"""

import json
import random
import time

from suite import consul, probe, routes, stats
from suite.engine import Engine
from suite.process import BenchError
from suite.sides import Swarmgate
from suite.sides.swarmgate import API
from suite.stage import Stage

REPLICAS = 3
SAMPLES = 40
# Seconds that a task is prepared: least and most. An image that is there, and one that is pulled.
SOON = (0.1, 1.0)
PULLED = (4.0, 6.0)
PULLED_SAMPLES = 8
# Seconds in which its container is started; the last of them from the container's event until the
# managers call the task running.
STARTING = 0.3
REPORTING = 0.1
LIMIT = 30
# By a proxy itself: no route of it is known, or none of its servers.
NOT_THERE = 503


class Manager(Engine):
    """An engine that notes when it first told of a task that is awaited."""

    def __init__(self, *arguments, **more):
        self._awaited = None
        self.told_at = None
        super().__init__(*arguments, **more)

    def run(self, route, tasks, node):
        """They run from now on."""
        self.told_at, self._awaited = None, f'"ServiceID": "id{route.name}"'.encode()
        self.set_tasks(route, tasks, "running", node)

    def answer(self, path, query):
        body = super().answer(path, query)
        if self._awaited and path == "/tasks":
            at = body.find(self._awaited)
            if at >= 0 and body.find(b'"State": "running"', at) == body.find(b'"State": ', at):
                self.told_at, self._awaited = time.monotonic(), None
        return body


class Replicas:
    """The sides, each with its manager; all have the same services, of one task each."""

    def __init__(self, stage, served):
        self._nodes = [f"node{number}".ljust(25, "n") for number in range(REPLICAS)]
        self._served = served
        self.managers, self.sides = [], []
        for node in self._nodes:
            files = stage.files.inside(node)
            self.managers.append(stage.ends(Manager(
                files.path, served, stage.upstream.port, 1, node, self._nodes)))
            self.sides.append(stage.side(Swarmgate, files=files))
            self.sides[-1].engine_socket = self.managers[-1].socket
        self.sharing = self._share(stage)
        for side in self.sides:
            side.start(served)

    def _share(self, stage):
        """By what they share what the API defines."""
        peers = ",".join(f"127.0.0.1:{side.admin_port}" for side in self.sides)
        settings = {"PEERS": peers}
        sharing = "peers, no Consul"
        if consul.program():
            server = stage.ends(consul.Consul(stage.files))
            settings["CONSUL_ADDRESS"] = server.address
            sharing = f"Consul {server.version()}"
        for side in self.sides:
            side.settings = settings
        return sharing

    def start_task(self, route, prepared, on):
        """A new service's only task is prepared for so long, and then starts on a node, as the managers
        tell of it. Returns when it began to run.
        """
        tasks, node = [(1, route.address)], self._nodes[on]
        for manager in self.managers:
            manager.change(route, "create", tasks=0)
            manager.set_tasks(route, tasks, "preparing", node)
        time.sleep(prepared)
        for manager in self.managers:
            manager.set_tasks(route, tasks, "starting", node)
        time.sleep(STARTING - REPORTING)
        self.managers[on].tell_container(route, 1, "start")
        time.sleep(REPORTING)
        if any(is_live(side, route) for side in self.sides):
            raise BenchError(f"{route.name} is answered before its task runs")
        began = time.monotonic()
        for manager in self.managers:
            manager.run(route, tasks, node)
        return began

    def remove(self, route):
        for manager in self.managers:
            manager.remove(route)
        self.await_gone(route)

    def await_gone(self, route):
        until_all(self.sides, lambda side: not is_live(side, route), time.monotonic(),
                  f"the end of {route.name}, which was removed,")

    def check(self):
        """Whatever happened, the other services are answered by their own servers."""
        for side in self.sides:
            probe.check(side, routes.sample(self._served, 20))


def is_live(side, route):
    """Whether it is answered, by its own server; raises BenchError at any answer that must not be."""
    answer = probe.ask(side.http_port, route.request)
    if answer.status == 200 and answer.server == route.key:
        return True
    if answer.status == NOT_THERE and not answer.server:
        return False
    raise BenchError(f"{route.name} is answered {answer.status} by '{answer.server}', not by "
                     f"{route.key}: {side.complaint()}")


def until_all(sides, is_so, began, what):
    """For each side the milliseconds from `began` until it is so there; they are asked in turn."""
    times = {}
    while len(times) < len(sides):
        for number, side in enumerate(sides):
            if number not in times and is_so(side):
                times[number] = 1000 * (time.monotonic() - began)
        if time.monotonic() - began > LIMIT:
            left = [side for number, side in enumerate(sides) if number not in times]
            if left:
                raise BenchError(f"{what} is missing on {len(left)} of {len(sides)} replicas after "
                                 f"{LIMIT} s: {left[0].complaint()}")
    return [times[number] for number in range(len(sides))]


def measure(plan):
    """For each number of services a row for starts of tasks, and for the API's changes."""
    rows = []
    for count in plan.sizes((10, 1000)):
        with Stage() as stage:
            replicas = Replicas(stage, routes.table(count))
            having = {"routes": count, "shared": replicas.sharing}
            new = (routes.Route(number) for number in range(count, 10000))
            made = [_starts(plan, replicas, new, SOON, SAMPLES)]
            if count == 10:
                made.append(_starts(plan, replicas, new, PULLED, PULLED_SAMPLES))
            made += [_calls(plan, replicas, new, distribute) for distribute in (True, False)]
            replicas.check()
            rows += [{**having, **row} for row in made]
    return rows


def _starts(plan, replicas, new, prepared, samples):
    """Tasks that start, one after the other, on one node after the other."""
    chance = random.Random(1)
    first, last, told = [], [], []
    for number in range(plan.samples(samples)):
        route, on = next(new), number % REPLICAS
        began = replicas.start_task(route, chance.uniform(*prepared), on)
        times = until_all(replicas.sides, lambda side: is_live(side, route), began,
                          f"the answer of {route.name}, whose task runs,")
        first.append(times[on])
        last.append(max(times))
        told.append(1000 * (replicas.managers[times.index(last[-1])].told_at - began))
        replicas.remove(route)
    row = {"what": "task", "prepared_s": prepared, "told_ms": stats.summary(told),
           "first_ms": stats.summary(first), "last_ms": stats.summary(last), "samples_ms": last}
    plan.say(f"  task prepared for {prepared[0]:.1f} to {prepared[1]:.1f} s: {_said(row['first_ms'])} "
             f"where it runs, {_said(row['last_ms'])} on all, of it {_said(row['told_ms'])} until "
             "Docker was asked")
    return row


def _calls(plan, replicas, new, distribute):
    """Services that the API defines, on one replica after the other."""
    more = {"distribute": "true"} if distribute else {}
    answered, first, last = [], [], []
    for number in range(plan.samples(SAMPLES)):
        route, called = next(new), replicas.sides[number % REPLICAS]
        began = time.monotonic()
        said = json.loads(called.admin.must(called.reconfigure_path(route, **more)))
        answered.append(1000 * (time.monotonic() - began))
        if distribute and [one["ok"] for one in said["replicas"]] != [True] * (REPLICAS - 1):
            raise BenchError(f"{route.name} was not taken everywhere: {said}")
        times = until_all(replicas.sides, lambda side: is_live(side, route), began,
                          f"the answer of {route.name}, which was defined,")
        first.append(times[number % REPLICAS])
        last.append(max(times))
        called.admin.must(f"{API}remove?serviceName={route.name}&distribute=true")
        replicas.await_gone(route)
    row = {"what": "api", "distribute": distribute, "answered_ms": stats.summary(answered),
           "first_ms": stats.summary(first), "last_ms": stats.summary(last), "samples_ms": last}
    plan.say(f"  API, {'with' if distribute else 'without'} distribute: answered "
             f"{_said(row['answered_ms'])}, live on all {_said(row['last_ms'])}")
    return row


def _said(summary):
    return f"{summary['median']:.1f} (p99 {summary['p99']:.1f}, worst {summary['max']:.1f}) ms"
