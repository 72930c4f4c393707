"""On what, and with which programs, it was measured."""

import os
import platform
import re
import subprocess
import time

VERSIONS = {
    "HAProxy": (["haproxy", "-v"], r"version (\d+\.\d+\.\d+)"),
    "nginx": (["nginx", "-v"], r"nginx/(\S+)"),
    "Caddy": (["caddy", "version"], r"v?(\d+\.\d+\.\d+)"),
    "Docker": (["dockerd", "--version"], r"version ([0-9.]+)"),
    "wrk": (["wrk", "-v"], r"wrk (?:debian/)?(\d[0-9.]*)"),
    "valgrind": (["valgrind", "--version"], r"valgrind-(\d[0-9.]*)"),
    "h2load": (["h2load", "--version"], r"nghttp2/(\S+)"),
}


def _said(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    except OSError:
        return ""
    return done.stdout + done.stderr


def versions():
    found = {}
    for name, (argv, pattern) in VERSIONS.items():
        match = re.search(pattern, _said(argv))
        found[name] = match.group(1) if match else "absent"
    return found


def describe():
    """What is the same for all scenarios of a run."""
    with open("/proc/cpuinfo", encoding="utf-8") as text:
        model = re.search(r"^model name\s*: (.*)$", text.read(), re.MULTILINE)
    with open("/proc/meminfo", encoding="utf-8") as text:
        memory = int(re.search(r"^MemTotal:\s*(\d+)", text.read(), re.MULTILINE).group(1))
    return {"cores": os.cpu_count(), "cpu": model.group(1) if model else platform.machine(),
            "memory_gib": memory // 1048576, "linux": platform.release().split("-")[0],
            "debian": _debian(), "versions": versions()}


def _debian():
    try:
        with open("/etc/debian_version", encoding="utf-8") as text:
            return text.read().strip()
    except OSError:
        return ""


def circumstances():
    """What may differ from one scenario to the next."""
    commit = _said(["git", "rev-parse", "--short", "HEAD"]).strip()
    changed = _said(["git", "status", "--porcelain", "--untracked-files=no", "--", "src", "include"])
    return {"date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
            "commit": commit + ("+" if changed.strip() else ""),
            "load_average": os.getloadavg()[0]}
