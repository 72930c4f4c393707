"""Where the time of a start and of a reload goes: what HAProxy reads, part by part, and when each step
is done.
"""

import os
import re
import shutil
import socket
import threading
import time
from datetime import datetime, timezone

from suite import process, routes, stats, steady
from suite.process import BenchError
from suite.stage import Stage
from suite.steady import SteadyLoad

# Each has what the one before it has, and more.
PARTS = ("base", "slots", "servers", "entries")
# Events of the log, as far as a start has them.
STEPS = {"SERVICE_LIVE": "known_ms", "HAPROXY_SERVES": "serves_ms",
         "PROXY_CONNECTED": "connected_ms", "RELOAD_DONE": "reloaded_ms", "READY": "ready_ms"}
POLL = 0.01


def measure(plan):
    """One row for each number of services."""
    return [_measure(plan, count) for count in plan.sizes((10, 1000, 10000))]


def _measure(plan, count):
    served = routes.table(count)
    with Stage() as stage:
        _, side = stage.swarm(served)
        row = {"routes": count, "first": _start(side, served)}
        side.end()
        row["again"] = _start(side, served)
        process.calm_down(side.controller())
        files = os.path.join(stage.files.path, "data", "haproxy")
        row.update(size_of(files))
        row["parse"] = _parse(plan, stage, files)
        row["reload"] = _reloads(plan, side, served, os.path.join(stage.files.path, "data", "run"))
    plan.say(f"  {count} services: start {row['first']['all_ms']:.0f} ms, again "
             f"{row['again']['all_ms']:.0f} ms; HAProxy reads in "
             f"{row['parse']['entries']['ms']['median']:.0f} ms; reload "
             f"{row['reload']['answered_ms']['median']:.0f} ms, {row['reload']['lost']} lost")
    return row


# --- the start ---


def _start(side, served):
    """Milliseconds from the start to each of its steps."""
    log = side.files.file("swarmgate.log")
    read = os.path.getsize(log) if os.path.exists(log) else 0
    began, clock = time.time(), time.monotonic()
    side.start(served)
    elapsed = 1000 * (time.monotonic() - clock)
    with open(log, encoding="utf-8", errors="replace") as text:
        text.seek(read)
        return {**steps(text, began), "all_ms": elapsed}


def steps(lines, began):
    """Of a log: when each event that is a step came first, in milliseconds after `began`."""
    found = {}
    for line in lines:
        event = re.match(r"(\S+)Z \w+ (\w+) ", line)
        if event and event.group(2) in STEPS:
            at = datetime.fromisoformat(event.group(1)).replace(tzinfo=timezone.utc)
            found.setdefault(STEPS[event.group(2)], 1000 * (at.timestamp() - began))
    return found


# --- what HAProxy reads ---


def _texts(folder):
    """(name, text) of the files in a folder, in the order in which HAProxy reads them."""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as text:
            yield name, text.read()


def _lines_with(text, word):
    return sum(line.split(None, 1)[0] == word for line in text.splitlines() if line.strip())


def size_of(files):
    """Of what lies there: slots (backends declared for services), servers, entries of maps, bytes."""
    conf = list(_texts(os.path.join(files, "conf")))
    maps = [text for _, text in _texts(os.path.join(files, "maps"))]
    return {"slots": sum(_lines_with(text, "backend") for name, text in conf if not _is_base(name)),
            "servers": sum(_lines_with(text, "server") for _, text in conf),
            "entries": sum(not line.startswith("#") for text in maps for line in text.splitlines()),
            "conf_bytes": sum(len(text) for _, text in conf),
            "map_bytes": sum(map(len, maps))}


def _is_base(name):
    return name.startswith("00-")


def reduce_to(part, files, to):
    """Copies HAProxy's files, with as much in them as this part has."""
    at = PARTS.index(part)
    shutil.copytree(files, to, ignore=shutil.ignore_patterns("staged"))
    for name, text in _texts(os.path.join(to, "conf")):
        path = os.path.join(to, "conf", name)
        if not _is_base(name) and at < PARTS.index("slots"):
            os.remove(path)
        elif at < PARTS.index("servers"):
            _keep(path, text, lambda line: not line.lstrip().startswith("server "))
    if at < PARTS.index("entries"):
        for name, text in _texts(os.path.join(to, "maps")):
            _keep(os.path.join(to, "maps", name), text, lambda line: line.startswith("#"))


def _keep(path, text, wanted):
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(line for line in text.splitlines(keepends=True) if wanted(line))


def _parse(plan, stage, files):
    """`haproxy -c` of each part, in turns."""
    taken = {part: {"ms": [], "cpu_ms": []} for part in PARTS}
    folders = {part: stage.files.file(f"parse-{part}") for part in PARTS}
    for part, folder in folders.items():
        reduce_to(part, files, folder)
    for _ in range(plan.samples(9)):
        for part, folder in folders.items():
            began = time.monotonic()
            code, output, cpu = process.run(["haproxy", "-c", "-f", os.path.join(folder, "conf")])
            taken[part]["ms"].append(1000 * (time.monotonic() - began))
            taken[part]["cpu_ms"].append(1000 * cpu)
            if code != 0:
                raise BenchError(f"HAProxy refuses its files with nothing but {part}: {output[-300:]}")
    return {part: {key: stats.summary(samples) for key, samples in its.items()}
            for part, its in taken.items()}


# --- a reload ---


class Workers:
    """Watches HAProxy's processes through a reload: when the new worker is there, when it is the one
    that answers, when the old one has gone, and how much memory all of them have at most.
    """

    def __init__(self, side, run):
        self._socket = os.path.join(run, "runtime.sock")
        pids = side.traffic_pids()
        self._old = self._answering()
        self._master = next(pid for pid in pids if pid != self._old)
        self.before_mib = process.rss_mib(pids)
        self.peak_mib = self.before_mib
        self.after_mib = 0.0
        self.seen = {}
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _answering(self):
        """The process at HAProxy's socket; 0: none that can be understood."""
        try:
            with socket.socket(socket.AF_UNIX) as there:
                there.settimeout(5)
                there.connect(self._socket)
                there.sendall(b"show info\n")
                answer = b""
                while piece := there.recv(65536):
                    answer += piece
        except OSError:
            return 0
        pid = re.search(rb"^Pid: (\d+)$", answer, re.MULTILINE)
        return int(pid.group(1)) if pid else 0

    def _see(self, what):
        self.seen.setdefault(what, 1000 * (time.monotonic() - self._began))

    def _watch(self):
        until = self._began + 60
        while time.monotonic() < until and "old_gone_ms" not in self.seen:
            workers = process.children(self._master)
            self.after_mib = process.rss_mib([self._master, *workers])
            self.peak_mib = max(self.peak_mib, self.after_mib)
            if set(workers) - {self._old}:
                self._see("forked_ms")
                if "new_answers_ms" not in self.seen and self._answering() not in (0, self._old):
                    self._see("new_answers_ms")
                if self._old not in workers:
                    self._see("old_gone_ms")
            time.sleep(POLL)

    def end(self):
        """What was seen, once the old worker has gone."""
        self._thread.join()
        missing = {"forked_ms", "new_answers_ms", "old_gone_ms"} - self.seen.keys()
        if missing:
            raise BenchError(f"a reload is not over within a minute: {', '.join(sorted(missing))}")
        return self.seen


def _reloads(plan, side, served, run):
    """Reloads that are asked for, one after the other, under a small load."""
    taken, memory = [], []
    load = SteadyLoad(side, served[0], any_server=True)
    try:
        for _ in range(plan.samples(5)):
            workers = Workers(side, run)
            began = time.monotonic()
            side.reload()
            answered = 1000 * (time.monotonic() - began)
            seen = workers.end()
            taken.append({"answered_ms": answered, **seen,
                          "overlap_ms": seen["old_gone_ms"] - seen["forked_ms"]})
            memory.append({key: getattr(workers, key)
                           for key in ("before_mib", "peak_mib", "after_mib")})
    finally:
        lost = load.end()
    return {**{key: stats.summary([one[key] for one in taken]) for key in taken[0]},
            **{key: stats.median([one[key] for one in memory]) for key in memory[0]},
            "bystander": lost, "lost": steady.lost(lost), "asked": steady.asked(lost)}
