"""Loads a proxy with wrk (HTTP/1.1) or h2load (HTTP/2), and says what came of it."""

import json
import random
import re

from suite import process
from suite.process import BenchError

CONNECTIONS = 64

# Every request is put together beforehand; each answer other than 2xx is an error to wrk.
SCRIPT = """local requests = {}
function init(args)
  for line in io.lines("%(requests)s") do
    local host, path = line:match("(%%S+) (%%S+)")
    local headers = {Host = host}
    if "%(connection)s" ~= "" then headers["Connection"] = "%(connection)s" end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
  math.randomseed(1)
end
if %(random)s then
  function request() return requests[math.random(#requests)] end
else
  function request() return requests[1] end
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%%d,"microseconds":%%d,"bytes":%%d,"errors":%%d,' ..
    '"p50_us":%%d,"p90_us":%%d,"p99_us":%%d,"max_us":%%d}\\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50),
    latency:percentile(90), latency:percentile(99), latency.max))
end
"""


def url(side, tls):
    return f"{'https' if tls else 'http'}://127.0.0.1:{side.port(tls)}/"


def wrk(workspace, side, routes, seconds, tls=False, keep=True):
    """Asks for these routes at random for so long. {"rps", "cpu_us", "p50_us", …}."""
    requests = workspace.write("requests.txt", "".join(
        f"{host} {path}\n" for host, path in (route.request for route in routes)))
    script = workspace.write("load.lua", SCRIPT % {
        "requests": requests, "connection": "" if keep else "close",
        "random": "true" if len(routes) > 1 else "false"})
    argv = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "10s",
            "-s", script, url(side, tls)]
    return _measured(side, argv, parse_wrk)


def h2load(workspace, side, routes, seconds):
    """The same by HTTP/2: 16 connections with 4 streams each. Each connection goes through the routes
    in the same order, and in a short time not through all of them: so they are shuffled.
    """
    base = url(side, tls=True).rstrip("/")
    shuffled = random.Random(1).sample(routes, len(routes))
    uris = workspace.write("uris.txt", "".join(f"{base}{route.request[1]}\n" for route in shuffled))
    argv = ["h2load", "-t", "1", "-c", "16", "-m", "4", "-D", str(seconds), "-i", uris]
    return _measured(side, argv, parse_h2load)


def _measured(side, argv, parse):
    pids = side.traffic_pids()
    before = process.cpu_seconds(pids)
    code, output, _ = process.run(argv)
    spent = process.cpu_seconds(pids) - before
    if code != 0:
        raise BenchError(f"{argv[0]}: {output[-300:]}")
    result = parse(output)
    if result["errors"]:
        raise BenchError(f"{side.label}: {result['errors']} of {result['requests']} requests were "
                         f"not answered rightly: {output[-300:]}")
    result["cpu_us"] = 1e6 * spent / max(1, result["requests"])
    return result


def parse_wrk(output):
    """What the script's done() has written."""
    line = re.search(r"^RESULT (\{.*\})$", output, re.MULTILINE)
    if not line:
        raise BenchError("wrk says nothing: " + output[-300:])
    result = json.loads(line.group(1))
    result["rps"] = 1e6 * result["requests"] / result.pop("microseconds")
    result["bytes_per_request"] = result.pop("bytes") / max(1, result["requests"])
    return result


def parse_h2load(output):
    """h2load's own summary; it gives no quantiles but mean and maximum."""
    rate = re.search(r"^finished in [^,]+, ([0-9.]+) req/s", output, re.MULTILINE)
    counts = re.search(r"^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, "
                       r"(\d+) failed, (\d+) errored, (\d+) timeout", output, re.MULTILINE)
    codes = re.search(r"^status codes: (\d+) 2xx", output, re.MULTILINE)
    times = re.search(r"^time for request:\s+\S+\s+(\S+)\s+(\S+)", output, re.MULTILINE)
    if not (rate and counts and codes and times):
        raise BenchError("h2load says nothing: " + output[-300:])
    done, _, failed, errored, timeout = map(int, counts.groups())
    return {"requests": done, "rps": float(rate.group(1)),
            "errors": max(failed + errored + timeout, done - int(codes.group(1))),
            "mean_us": _microseconds(times.group(2)), "max_us": _microseconds(times.group(1))}


def _microseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]
