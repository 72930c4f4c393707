"""HAProxy with configurations written by hand: one route (the limit of what can be had), all routes
in maps, each of them with the headers that say what the client asked for, with all that Swarmgate
promises for every request, and bare; and all routes as lists of ACLs (as Docker Flow Proxy writes
them).
"""

import os
import signal

from suite.process import BenchError, wait_until
from suite.sides.base import THREADS, Side

HEAD = """global
  nbthread {threads}
  stats socket {socket} mode 600 level admin expose-fd listeners
  tune.pool-high-fd-ratio 80
  tune.pool-low-fd-ratio 70
defaults
  mode http
  balance roundrobin
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  timeout tunnel 1h
  timeout http-keep-alive 15s
  option forwardfor
  option idle-close-on-response
{repeats}frontend services
  bind 0.0.0.0:{port}
"""

# What Swarmgate tells every server, nginx-proxy and Caddy as well.
FORWARDED = """  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
"""

# Swarmgate's own lines, as src/haproxy writes them into its frontend and its backends' defaults.
PROMISED = """  http-request del-header X-Forwarded- -m beg
  http-request add-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request add-header X-Forwarded-Host %[req.hdr(host)]
  http-request add-header X-Forwarded-Port %[dst_port]
  http-request disable-l7-retry unless { method GET HEAD OPTIONS }
"""
REPEATS = """  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
"""


class Haproxy(Side):
    """Started, and reloaded, as Docker Flow Proxy does it: checked, then by the start of another
    process that takes over the sockets.
    """

    # Lines of the defaults, and of the frontend before a backend is looked for.
    repeats = ""
    forwarded = ""

    def rules(self, routes):
        """The lines of the frontend that find a backend; may write files."""
        raise NotImplementedError

    def backends(self, routes):
        return "".join(f"backend {route.name}\n  server {route.name} {route.address}:"
                       f"{self.upstream.port}\n" for route in routes)

    def _text(self, routes):
        self._socket = self.files.file(self.key + ".sock")
        text = HEAD.format(threads=THREADS, socket=self._socket, port=self.http_port,
                           repeats=self.repeats)
        if self.tls:
            text += f"  bind 0.0.0.0:{self.https_port} ssl crt {self.certificate[2]} alpn h2,http/1.1\n"
        return text + self.forwarded + self.rules(routes) + self.backends(routes)

    def __init__(self, workspace, upstream, certificate):
        super().__init__(workspace, upstream, certificate)
        self._pids = []

    def launch(self, routes):
        self._config = self.files.write(self.key + ".cfg", self._text(routes))
        self._begin([])

    def _begin(self, takes_over):
        pid_file = self.files.file(self.key + ".pid")
        self.run(["haproxy", "-f", self._config, "-D", "-p", pid_file, *takes_over])
        with open(pid_file, encoding="ascii") as text:
            self._pids += [int(line) for line in text.read().split()]

    def prepare(self, routes):
        text = self._text(routes)

        def change():
            self.files.write(self.key + ".cfg", text)
            self.run(["haproxy", "-c", "-q", "-f", self._config])
            self.replaced()
            self._begin(["-x", self._socket, "-sf", *map(str, self._pids)])

        return change

    def replaced(self):
        self._pids = [pid for pid in self._pids if not self.reap(pid)]
        return len(self._pids) - 1

    def roots(self):
        return self._pids

    def end(self):
        for pid in self._pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            if wait_until(lambda: self.reap(pid), 10) is None:
                raise BenchError(f"{self.label}: process {pid} does not end")
        self._pids = []


class LimitHaproxy(Haproxy):
    key = "limit"
    label = "HAProxy, one route, by hand"
    short = "HAProxy, one route"
    forwarded = FORWARDED

    def start(self, routes, tls=False):
        self.only_server = routes[0].key
        super().start(routes, tls)

    def rules(self, routes):
        return "  default_backend only\n"

    def backends(self, routes):
        # It knows nothing of the others, so its server must answer for them.
        return f"backend only\n  server only {routes[0].address}:{self.upstream.any_port}\n"


class MapHaproxy(Haproxy):
    key = "map"
    label = "HAProxy, all routes in a map, by hand"
    short = "HAProxy, map"
    forwarded = FORWARDED

    LOOKUPS = {
        "prefix": "path,map_beg",
        "regex": "path,map_reg",
        "host": "req.hdr(host),host_only,lower,map_str",
        "wildcard": "req.hdr(host),host_only,lower,field(2,.,0),map_str",
    }

    def rules(self, routes):
        keys = ((route.domain.removeprefix("*.") or route.path, route.name) for route in routes)
        routes_map = self.files.write("map.map", "".join(f"{key} {name}\n" for key, name in keys))
        return f"  use_backend %[{self.LOOKUPS[routes[0].kind]}({routes_map})]\n"


class SameLimitHaproxy(LimitHaproxy):
    """The same with what Swarmgate does for every request besides finding its route: strangers'
    headers are taken off, and a safe request is asked again where no answer came.
    """

    key = "limit-same"
    label = "HAProxy, one route, by hand, with the same promises"
    short = "HAProxy, one route, same promises"
    repeats = REPEATS
    forwarded = PROMISED


class SameMapHaproxy(MapHaproxy):
    key = "map-same"
    label = "HAProxy, all routes in a map, by hand, with the same promises"
    short = "HAProxy, map, same promises"
    repeats = REPEATS
    forwarded = PROMISED


class BareLimitHaproxy(LimitHaproxy):
    """The same without these headers: no more than passing on."""

    key = "limit-bare"
    label = "HAProxy, one route, by hand, without X-Forwarded-Proto, -Host, -Port"
    short = "HAProxy, one route, bare"
    forwarded = ""


class BareMapHaproxy(MapHaproxy):
    key = "map-bare"
    label = "HAProxy, all routes in a map, by hand, without X-Forwarded-Proto, -Host, -Port"
    short = "HAProxy, map, bare"
    forwarded = ""


class AclHaproxy(Haproxy):
    key = "acl"
    label = "HAProxy, a list of ACLs (as Docker Flow Proxy)"
    short = "HAProxy, ACLs"

    TESTS = {"prefix": "path_beg {path}", "regex": "path_reg {path}",
             "host": "hdr_beg(host) -i {domain}", "wildcard": "hdr_end(host) -i {domain}"}

    def rules(self, routes):
        test = self.TESTS[routes[0].kind]
        acls = "".join(
            f"  acl url_{route.name} "
            + test.format(path=route.path, domain=route.domain.removeprefix("*")) + "\n"
            for route in routes)
        return acls + "".join(
            f"  use_backend {route.name} if url_{route.name}\n" for route in routes)
