"""Calls an admin API from several threads, in a process of its own.

    python3 -m suite.callers PORT THREADS SECONDS    paths on standard input, one a line

Each thread calls the next path as soon as its last call is answered, until there are none left or
the time is over (0: no bound). Prints {"calls": n, "seconds": s, "failed": n, "first": "…"}.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from suite.probe import Admin
from suite.process import BenchError


def _call(port, paths, until, lock, outcome):
    admin = Admin(port)
    while time.monotonic() < until:
        with lock:
            path = next(paths, None)
        if path is None:
            return
        try:
            status, text = admin.call(path)
        except BenchError as error:
            status, text = 0, str(error)
        with lock:
            outcome["calls"] += 1
            if status != 200:
                outcome["failed"] += 1
                outcome["first"] = outcome["first"] or f"{path}: {status} {text[:200]}"


def main(argv):
    port, threads, seconds = int(argv[0]), int(argv[1]), float(argv[2])
    paths = iter(sys.stdin.read().splitlines())
    outcome = {"calls": 0, "failed": 0, "first": ""}
    began = time.monotonic()
    until = began + (seconds or 3600)
    lock = threading.Lock()
    callers = [threading.Thread(target=_call, args=(port, paths, until, lock, outcome))
               for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    outcome["seconds"] = time.monotonic() - began
    print(json.dumps(outcome))


def call_all(port, threads, seconds, paths):
    """The same from here; raises BenchError when a call failed."""
    done = subprocess.run(
        [sys.executable, "-m", "suite.callers", str(port), str(threads), str(seconds)],
        input="\n".join(paths), capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent.parent)
    if done.returncode != 0:
        raise BenchError("the callers: " + done.stderr[-300:])
    outcome = json.loads(done.stdout)
    if outcome["failed"]:
        raise BenchError(f"{outcome['failed']} of {outcome['calls']} calls failed: {outcome['first']}")
    return outcome


if __name__ == "__main__":
    main(sys.argv[1:])
