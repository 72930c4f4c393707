"""Swarmgate itself: `swarmgate run`, with its services as variables (DFP_SERVICE_…) or from an
engine, and the changes by its API.
"""

import os
import urllib.parse

from suite import process
from suite.probe import Admin
from suite.process import BenchError, Child, free_ports, wait_until
from suite.sides.base import THREADS, Side

BUILD = os.environ.get("SWARMGATE_BENCH_BUILD", "build/bench")
API = "/v1/docker-flow-proxy/"


class Swarmgate(Side):
    key = "swarmgate"
    label = "Swarmgate"
    short = "Swarmgate"

    def __init__(self, workspace, upstream, certificate):
        super().__init__(workspace, upstream, certificate)
        self.admin_port, = free_ports(1)
        self.engine_socket = ""
        self.settings = {}

    def launch(self, routes):
        ports = str(self.http_port)
        if self.tls:
            ports += f",{self.https_port}:ssl"
        env = {**os.environ, "DATA_DIR": self.files.folder("data"), "DEFAULT_PORTS": ports,
               "PORT": str(self.admin_port), "IP": "127.0.0.1", "THREADS": str(THREADS),
               "CERTS_DIR": os.path.dirname(self.certificate[2]),
               "DOCKER_HOST": f"unix://{self.engine_socket}" if self.engine_socket else "none",
               **self.settings}
        if not self.engine_socket:
            for route in routes:
                for name, value in self.parameters(route).items():
                    env[f"DFP_SERVICE_{route.number + 1}_{name}"] = value
        if self.engine_socket:
            env["OWN_CONTAINER"] = "proxy"
        self.child = Child([os.path.join(BUILD, "swarmgate"), "run"],
                           self.files.file("swarmgate.log"), env)
        self.admin = Admin(self.admin_port)
        if wait_until(self._ready, 90, 0.005) is None:
            raise BenchError("Swarmgate is not ready: " + self.complaint())

    def _ready(self):
        if not self.child.running():
            raise BenchError("Swarmgate has ended: " + self.complaint())
        try:
            return self.admin.call("/readyz")[0] == 200
        except BenchError:
            return False

    def parameters(self, route):
        """As variables name them."""
        given = {"SERVICE_NAME": route.name, "PORT": str(self.upstream.port),
                 "OUTBOUND_HOSTNAME": route.address}
        if route.domain:
            given["SERVICE_DOMAIN"] = route.domain
        else:
            given["SERVICE_PATH"] = route.path
        if route.kind == "regex":
            given["PATH_TYPE"] = "path_reg"
        return given

    def reconfigure_path(self, route, **more):
        """The API call that defines this service."""
        given = {"serviceName": route.name, "port": self.upstream.port,
                 "outboundHostname": route.address}
        given["serviceDomain" if route.domain else "servicePath"] = route.domain or route.path
        return API + "reconfigure?" + urllib.parse.urlencode({**given, **more})

    def reconfigure(self, route, **more):
        self.admin.must(self.reconfigure_path(route, **more))

    def remove(self, route):
        self.admin.must(API + "remove?serviceName=" + route.name)

    def reload(self):
        self.admin.must(API + "reload")

    def counters(self):
        """What it has done since its start: applies, runtimeCommands, reloads by reason, …"""
        return self.admin.json("/v1/status")["counters"]

    def reloads(self):
        return sum(count for reason, count in self.counters()["reloads"].items()
                   if reason != "start")

    def controller(self):
        """The process that decides; its children are none of it."""
        for pid in process.tree([self.child.pid]):
            if pid != self.child.pid and process.name_of(pid) != "haproxy":
                return pid
        raise BenchError("Swarmgate has no controller: " + self.complaint())

    def traffic_pids(self):
        return [pid for pid in process.tree(self.roots()) if process.name_of(pid) == "haproxy"]


class OnceSwarmgate(Swarmgate):
    """The same that promises as little as HAProxy by hand does: what a task has not answered is not
    sent again.
    """

    key = "swarmgate-once"
    label = "Swarmgate with HTTP_RETRY=never"
    short = "Swarmgate, HTTP_RETRY=never"

    def __init__(self, workspace, upstream, certificate):
        # The other one is there as well.
        super().__init__(workspace.inside(self.key), upstream, certificate)
        self.settings["HTTP_RETRY"] = "never"
