"""The pure functions of the core: their times by Google Benchmark, their instructions by callgrind."""

import json
import os
import re

from suite.process import BenchError, Workspace
from suite.scenarios.programs import output_of

MICROSECONDS = {"ns": 0.001, "us": 1, "ms": 1000, "s": 1_000_000}
# Whose dump is not callgrind's own at the end.
TRIGGER = re.compile(r"^desc: Trigger: Client Request: (\S+)/(\d+)$", re.MULTILINE)
TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)


def measure(plan):
    """One row for each function and number of services."""
    times = parse_times(output_of(
        plan, "core_bench", "--benchmark_format=json", "--benchmark_report_aggregates_only=true",
        f"--benchmark_repetitions={plan.samples(5)}",
        f"--benchmark_min_time={0.01 if plan.quick else 0.05}",
        *(["--benchmark_filter=/10?/"] if plan.quick else []), limit=300))
    return rows_of(times, _counts(plan))


# Between two requests of the program's it is counted, but in these: what they do depends on all that
# the heap has gone through before.
CALLGRIND = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no",
             *(f"--toggle-collect={name}" for name in ("malloc", "calloc", "realloc", "free")),
             "--collect-atstart=yes"]
# Nothing else: what lies where on the stack, and so how texts are compared, depends on how long it is.
# One instruction that copies or sets many bytes is counted once for each of them: others are to do it.
ENVIRONMENT = {"PATH": "/usr/bin:/bin",
               "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=0x40000000:"
                                 "glibc.cpu.x86_rep_stosb_threshold=0x40000000"}


def _counts(plan):
    files = Workspace()
    try:
        output_of(plan, "core_bench", "--count", *([10] if plan.quick else []), limit=300,
                  under=[*CALLGRIND, f"--callgrind-out-file={files.file('dump')}"],
                  env=ENVIRONMENT)
        dumps = []
        for name in os.listdir(files.path):
            with open(files.file(name), encoding="utf-8", errors="replace") as text:
                dumps.append(text.read())
        return parse_counts(dumps)
    finally:
        files.remove()


def parse_times(text):
    """{(function, services): median in microseconds}, of Google Benchmark's JSON."""
    times = {}
    for one in json.loads(text)["benchmarks"]:
        if one.get("error_occurred"):
            raise BenchError(f"{one['name']}: {one.get('error_message', 'no reason is told')}")
        if one.get("aggregate_name") == "median":
            function, services, *_ = one["run_name"].split("/")
            times[function, int(services)] = one["real_time"] * MICROSECONDS[one["time_unit"]]
    return times


def parse_counts(dumps):
    """{(function, services): instructions}, of the texts of callgrind's dumps."""
    counts = {}
    for text in dumps:
        trigger, totals = TRIGGER.search(text), TOTALS.search(text)
        if trigger and totals:
            counts[trigger.group(1), int(trigger.group(2))] = int(totals.group(1))
    return counts


def rows_of(times, counts):
    """In the order of the times; raises BenchError where one of the two was not measured."""
    if not times or set(times) != set(counts):
        lacking = sorted(set(times) ^ set(counts))
        raise BenchError("not both timed and counted: "
                         + (", ".join(f"{name}/{services}" for name, services in lacking) or "all"))
    return [{"function": function, "services": services, "time_us": time,
             "instructions": counts[function, services]}
            for (function, services), time in times.items()]
