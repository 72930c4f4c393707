"""The programs of the benchmark that are written in C++: each prints one JSON object a line."""

import json
import os
import subprocess

from suite.process import BenchError
from suite.sides.swarmgate import BUILD


def output_of(plan, program, *arguments, under=(), env=None, limit=1800):
    """What it prints; raises BenchError when it fails. `under`: a program, with its arguments, that runs
    it.
    """
    argv = [*under, os.path.join(BUILD, "bench", program), *map(str, arguments)]
    plan.say("  " + " ".join([*under[:1], program, *map(str, arguments)]))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as child:
        try:
            output, _ = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            child.kill()
            raise BenchError(f"{program} has not ended within {limit} s") from error
    if child.returncode != 0:
        raise BenchError(f"{program} ended with {child.returncode}")
    return output


def run_program(plan, program, *arguments):
    """Its rows."""
    return [json.loads(line) for line in output_of(plan, program, *arguments).splitlines()]


def change_to_live(plan):
    """How soon a change is live: by the API, and by Docker."""
    rows = []
    for services in plan.sizes((10, 1000, 10000)):
        rows += run_program(plan, "live_bench", "api", services,
                            plan.samples(200 if services <= 1000 else 50))
    return rows + run_program(plan, "live_bench", "docker", 10, plan.samples(50))


def lost_requests(plan):
    """What changes, reloads, updates and crashes cost those who ask meanwhile."""
    return run_program(plan, "loss_bench", 30 if plan.quick else 1000)


def engine(plan):
    """The engine alone: from the message to the published state."""
    rows = []
    for services in plan.sizes((10, 1000, 10000)):
        rows += run_program(plan, "engine_bench", services, plan.samples(20))
    return rows


def consul(plan):
    """What one change moves between replicas and Consul."""
    return run_program(plan, "consul_bench")
