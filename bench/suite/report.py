"""docs/performance.md and its pictures, from the results."""

from suite import goals
from suite.markdown import table
from suite.sections import SECTIONS

TITLE = """# Performance

Written by `bench/run` from [performance/results.json](performance/results.json); do not edit by hand.
"""

METHOD = """## How it is measured

`bench/run` installs what it needs from Debian, builds, measures and writes this page; `bench/run --list` names the
scenarios, `bench/run --only throughput-routes` measures one of them anew.

- The load, the servers and the proxies share the machine's cores. So throughput here is that of the whole
  chain, ratios are nearer to 1 than they would be with the proxy alone on its cores, and **processor
  time per request** is the number that depends least on the machine.
- All sides run at the same time and are loaded in turns, A B C, then C B A, for a few seconds each, round by
  round. What is shown are medians of the rounds; ratios are taken within a round.
- Every service has a server address of its own. The server compares it with what the request's path says,
  and answers 421 when another service's request has reached it: one wrong answer ends the measurement.
  Routes are also asked one by one before and after each round.
- All answers are the same 128 bytes, by an HAProxy that answers itself. Each proxy has two threads or workers,
  writes no access log, adds `X-Forwarded-For`, and keeps connections to servers as its own defaults say
  (nginx: 32 of each upstream and worker). All but the list of ACLs, and the two that are called **bare**,
  tell the server the client's scheme, host and port as well (`X-Forwarded-Proto`, `-Host`, `-Port`;
  caddy-docker-proxy no port).
- **The limit** is HAProxy with one route, written by hand: what of the machine's power reaches the client at
  best, with the same headers. HAProxy with all routes in one map is what somebody would write by hand who needs them all.
  nginx, Caddy and the list of ACLs are configured as nginx-proxy, caddy-docker-proxy and Docker Flow
  Proxy write it.
- Among more and more routes, there are two more of both HAProxies by hand, with **the same promises** as
  Swarmgate, and bare, and a Swarmgate that promises less (`HTTP_RETRY=never`). What is shown beside a goal
  compares with these; the goal is judged without them.
- Load: wrk with one thread and 64 connections; for HTTP/2 h2load with 16 connections of 4 streams.

| HAProxy by hand | `X-Forwarded-Proto`, `-Host`, `-Port` | What strangers say in `X-Forwarded-…` | A server closes without an answer |
|---|---|---|---|
| one route, map: what goals are judged by | told | only these three are replaced | 502 |
| one route, map, with the same promises | told | all taken off | GET, HEAD and OPTIONS are sent again, to another server if there is one (`retry-on`, `redispatch`); others: 502 |
| one route, map, bare | not told | passed on | 502 |
"""


def _machine(results):
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (f"\n{machine['cores']} cores of \"{machine['cpu']}\", {machine['memory_gib']} GiB, Debian "
            f"{machine['debian']}, Linux {machine['linux']}; {versions}.\n")


def _goals(results):
    rows = []
    for goal in goals.ALL:
        try:
            measured, met = goal.measured(results["scenarios"])
            verdict = "yes" if met else "**no**"
        except LookupError:
            measured, verdict = "not measured", ""
        rows.append([goal.what, goal.goal, measured, verdict, goal.how])
    return "## Goals\n\n" + table(["What", "Goal", "Measured", "Met", "How it comes"], rows)


def _circumstances(results):
    rows = [[name, of["date"] + " UTC", of["commit"], f"{of['load_average']:.2f}",
             f"{of['seconds']:.0f}", "quick" if of.get("quick") else ""]
            for name, of in results["scenarios"].items() if name in SECTIONS]
    return ("## Of which run\n\nThe load average is that when the scenario began: others' work, and what "
            "is left of the scenario before.\n\n"
            + table(["Scenario", "When", "Commit", "Load average", "Seconds", ""], rows))


def render(results):
    """(Markdown, {name: SVG}); the same for the same results."""
    parts = [TITLE, _machine(results), "\n", _goals(results), "\n", METHOD]
    pictures = {}
    for name, (title, section) in SECTIONS.items():
        if name not in results["scenarios"]:
            continue
        text, drawn = section(results["scenarios"])
        parts.append(f"\n## {title}\n\n")
        for picture in drawn:
            parts.append(f"![{title}](performance/{picture}.svg)\n\n")
        parts.append(text)
        pictures.update(drawn)
    parts += ["\n", _circumstances(results)]
    return "".join(parts), pictures
