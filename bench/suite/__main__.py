"""bench/run, once everything is installed and built."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from suite import catalogue, machine, process, report
from suite.plan import Plan
from suite.process import BenchError

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "docs" / "performance.md"
PICTURES = REPOSITORY / "docs" / "performance"
RESULTS = PICTURES / "results.json"


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog="bench/run", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Installs what it needs from Debian, builds, measures, and writes "
                    "docs/performance.md with its\npictures and raw results. Needs root, and a quiet "
                    "machine: load, servers and proxies share its cores.",
        epilog="scenarios:\n" + listing())
    parser.add_argument("--only", metavar="SCENARIO", action="append", default=[],
                        help="measure this one alone (may be repeated); the others' results stay")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and end")
    parser.add_argument("--quick", action="store_true",
                        help="little of everything, to see that it works: printed, not written down")
    parser.add_argument("--rounds", type=int, help="of a throughput scenario (5)")
    parser.add_argument("--seconds", type=int, help="of one side's turn in a round (3)")
    parser.add_argument("--render", action="store_true",
                        help="measure nothing: write the page from docs/performance/results.json")
    chosen = parser.parse_args(argv)
    for name in chosen.only:
        if not catalogue.find(name):
            parser.error(f"no scenario '{name}'; bench/run --list names them")
    return chosen


def listing():
    return "".join(f"  {scenario.name:24} {scenario.about} (about {scenario.minutes} min)\n"
                   for scenario in catalogue.ALL)


def measure(chosen, results):
    """Runs the chosen scenarios into `results`; the names of those that failed."""
    plan = Plan(chosen.quick, chosen.rounds, chosen.seconds)
    results["machine"] = machine.describe()
    failed = []
    for scenario in catalogue.ALL:
        if chosen.only and scenario.name not in chosen.only:
            continue
        plan.say(f"bench: {scenario.name}: {scenario.about}")
        of = machine.circumstances()
        began = time.monotonic()
        try:
            rows = scenario.run(plan)
        except BenchError as error:
            plan.say(f"bench: {scenario.name} failed: {error}")
            failed.append(scenario.name)
            continue
        finally:
            process.end_all()
        results["scenarios"][scenario.name] = {
            **of, "quick": chosen.quick, "seconds": time.monotonic() - began, "rows": rows}
        if not chosen.quick:
            # What is measured is not lost when a later scenario fails.
            write(results)
    return failed


def load():
    if not RESULTS.exists():
        return {"scenarios": {}}
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def write(results):
    """The page, its pictures, and what they are made of."""
    order = [scenario.name for scenario in catalogue.ALL]
    results["scenarios"] = {name: results["scenarios"][name] for name in order
                            if name in results["scenarios"]}
    text, pictures = report.render(results)
    PICTURES.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name, picture in pictures.items():
        (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")
    DOCUMENT.write_text(text, encoding="utf-8")


def main(argv):
    chosen = arguments(argv)
    if chosen.list:
        print(listing(), end="")
        return 0
    os.chdir(REPOSITORY)
    if chosen.render:
        write(load())
        return 0
    if os.geteuid() != 0:
        print("bench/run needs root: it starts Docker and HAProxy", file=sys.stderr)
        return 2
    # As Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    process.prepare()
    results = {"scenarios": {}} if chosen.quick else load()
    try:
        failed = measure(chosen, results)
    finally:
        process.end_all()
    if chosen.quick:
        print(report.render(results)[0])
    else:
        print(DOCUMENT.read_text(encoding="utf-8"))
    if failed:
        print("bench/run: failed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
