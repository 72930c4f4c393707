"""A Consul server of a benchmark's own, where there is the program: scripts/deps brings it."""

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request

from suite.process import BenchError, Child, free_ports, wait_until


def program():
    """Where it is; empty: nowhere."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    ours = os.path.join(cache, "swarmgate", "consul", "usr", "bin", "consul")
    return shutil.which("consul") or (ours if os.access(ours, os.X_OK) else "")


class Consul:
    """One server, alone and its own leader, with nothing in it."""

    def __init__(self, workspace):
        http, rpc, lan, wan = free_ports(4)
        self.address = f"127.0.0.1:{http}"
        self.child = Child(
            [program(), "agent", "-server", "-bootstrap-expect=1", "-bind=127.0.0.1",
             "-client=127.0.0.1", "-node=bench", "-data-dir=" + workspace.folder("consul"),
             "-log-level=warn", f"-http-port={http}", f"-server-port={rpc}",
             f"-serf-lan-port={lan}", f"-serf-wan-port={wan}", "-dns-port=-1",
             "-hcl=performance { raft_multiplier = 1 }", "-hcl=disable_update_check = true"],
            workspace.file("consul.log"))
        if wait_until(self._ready, 30, 0.05) is None:
            raise BenchError("Consul does not answer: " + self.child.tail())

    def _ready(self):
        """Its own node, which sessions need, is there later than its leader."""
        if not self.child.running():
            raise BenchError("Consul has ended: " + self.child.tail())
        try:
            with urllib.request.urlopen(f"http://{self.address}/v1/catalog/node/bench",
                                        timeout=5) as answer:
                return bool(json.load(answer))
        except (urllib.error.URLError, OSError):
            return False

    @staticmethod
    def version():
        said = subprocess.run([program(), "version"], capture_output=True, text=True, check=True)
        found = re.search(r"v(\d+\.\d+\.\d+)", said.stdout)
        return found.group(1) if found else "of an unknown version"

    def end(self):
        self.child.end()
