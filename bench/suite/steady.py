"""A small, steady load on one route, in a process of its own, that counts what is lost.

A request is lost when its complete, right answer did not come; nothing is tried twice, also not
where a kept connection was closed without a word.

    python3 -m suite.steady PORT HOST PATH SERVER    until the end of standard input; SERVER: who
                                                      must answer, or "any"

Then it prints {"kept": {…}, "new": {…}} as JSON.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from suite.process import BenchError

THREADS_OF_A_KIND = 2
PAUSE = 0.004


class Counts:
    """Of one thread."""

    def __init__(self):
        self.right = 0
        self.lost = {}
        self.slowest_ms = 0.0


def _ask_on(port, host, path, server, keep, stop, counts):
    there = None
    while not stop.is_set():
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
        counts.slowest_ms = max(counts.slowest_ms, 1000 * (time.monotonic() - began))
        if reason:
            counts.lost[reason] = counts.lost.get(reason, 0) + 1
        else:
            counts.right += 1
        time.sleep(PAUSE)


def main(argv):
    port, host, path, server = int(argv[0]), argv[1], argv[2], argv[3]
    stop = threading.Event()
    kinds = {"kept": [], "new": []}
    threads = []
    for kind, all_counts in kinds.items():
        for _ in range(THREADS_OF_A_KIND):
            all_counts.append(Counts())
            threads.append(threading.Thread(target=_ask_on, args=(
                port, host, path, server, kind == "kept", stop, all_counts[-1])))
            threads[-1].start()
    print("running", flush=True)
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    result = {}
    for kind, all_counts in kinds.items():
        reasons = {}
        for counts in all_counts:
            for reason, count in counts.lost.items():
                reasons[reason] = reasons.get(reason, 0) + count
        result[kind] = {"right": sum(counts.right for counts in all_counts),
                        "lost": sum(reasons.values()), "reasons": reasons,
                        "slowest_ms": max(counts.slowest_ms for counts in all_counts)}
    print(json.dumps(result))


class SteadyLoad:
    """Such a process. end() returns what it has counted."""

    def __init__(self, side, route, any_server=False):
        host, path = route.request
        self.process = subprocess.Popen(
            [sys.executable, "-m", "suite.steady", str(side.http_port), host, path,
             "any" if any_server else route.key],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parent.parent)
        if self.process.stdout.readline() != "running\n":
            raise BenchError("the steady load does not begin")

    def end(self):
        output, _ = self.process.communicate("", timeout=60)
        return json.loads(output)


if __name__ == "__main__":
    main(sys.argv[1:])
