"""A small, steady load on one route or some in turn, in a process of its own, that counts what is
lost.

A request is lost when its complete, right answer did not come; nothing is tried twice, also not
where a kept connection was closed without a word.

    python3 -m suite.steady PORT (HOST PATH SERVER)…    until the end of standard input; SERVER: who
                                                         must answer, or "any"

Then it prints {"kept": {…}, "new": {…}} as JSON.
"""

import http.client
import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from suite import stats
from suite.process import BenchError

THREADS_OF_A_KIND = 2
PAUSE = 0.004


class Counts:
    """Of one thread."""

    def __init__(self):
        self.right = 0
        self.lost = {}
        self.times_ms = []


def _ask_on(port, targets, keep, stop, counts):
    there = None
    for host, path, server in itertools.cycle(targets):
        if stop.is_set():
            return
        began = time.monotonic()
        try:
            if there is None:
                there = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            there.request("GET", path, headers={"Host": host,
                                                **({} if keep else {"Connection": "close"})})
            answer = there.getresponse()
            answer.read()
            reason = "" if answer.status == 200 else str(answer.status)
            if not reason and server not in ("any", answer.getheader("X-Server")):
                reason = "wrong server"
            if answer.will_close:
                there.close()
                there = None
        except (OSError, http.client.HTTPException) as error:
            reason = type(error).__name__
            there.close()
            there = None
        counts.times_ms.append(1000 * (time.monotonic() - began))
        if reason:
            counts.lost[reason] = counts.lost.get(reason, 0) + 1
        else:
            counts.right += 1
        time.sleep(PAUSE)


def main(argv):
    port = int(argv[0])
    targets = list(zip(argv[1::3], argv[2::3], argv[3::3]))
    stop = threading.Event()
    kinds = {"kept": [], "new": []}
    threads = []
    for kind, all_counts in kinds.items():
        for _ in range(THREADS_OF_A_KIND):
            all_counts.append(Counts())
            threads.append(threading.Thread(target=_ask_on, args=(
                port, targets, kind == "kept", stop, all_counts[-1])))
            threads[-1].start()
    print("running", flush=True)
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps({kind: _sum(all_counts) for kind, all_counts in kinds.items()}))


def _sum(all_counts):
    reasons = {}
    for counts in all_counts:
        for reason, count in counts.lost.items():
            reasons[reason] = reasons.get(reason, 0) + count
    times = [time_ms for counts in all_counts for time_ms in counts.times_ms]
    return {"right": sum(counts.right for counts in all_counts), "lost": sum(reasons.values()),
            "reasons": reasons, "p50_ms": stats.quantile(times, 0.5),
            "p99_ms": stats.quantile(times, 0.99), "slowest_ms": max(times)}


def lost(result):
    """How many requests were lost, of both kinds of connections."""
    return sum(kind["lost"] for kind in result.values())


def asked(result):
    return lost(result) + sum(kind["right"] for kind in result.values())


class SteadyLoad:
    """Such a process. end() returns what it has counted."""

    def __init__(self, side, *routes, any_server=False):
        targets = [word for route in routes
                   for word in (*route.request, "any" if any_server else route.key)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "suite.steady", str(side.http_port), *targets],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parent.parent)
        if self.process.stdout.readline() != "running\n":
            raise BenchError("the steady load does not begin")

    def end(self):
        output, _ = self.process.communicate("", timeout=60)
        return json.loads(output)


if __name__ == "__main__":
    main(sys.argv[1:])
