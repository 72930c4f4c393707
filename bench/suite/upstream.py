"""The server of every service: HAProxy that answers by itself. It listens on all of 127/8, so that
each service has an address of its own there; a request that came to another service's address than
its path names is answered 421, which every load counts as an error.
"""

from suite.process import Child, BenchError, free_ports, wait_until
from suite import probe
from suite.routes import Route

BODY_BYTES = 128

CONFIG = """global
  nbthread 1
defaults
  mode http
  timeout client 300s
  timeout http-keep-alive 300s
frontend upstream
  bind 0.0.0.0:{port}
  bind 0.0.0.0:{any_port}
  http-request set-var(txn.server) dst,field(2,.,3)
  http-request set-var(txn.wanted) path,field(-1,/)
  http-request return status 200 content-type text/plain string "{body}" hdr X-Server "%[var(txn.server)]" if {{ dst_port {any_port} }} || {{ var(txn.wanted),strcmp(txn.server) eq 0 }}
  http-request return status 421 content-type text/plain string "another server's request" hdr X-Server "%[var(txn.server)]"
"""


class Upstream:
    """`port` compares; `any_port` answers whatever is asked, for a proxy that has one route only."""

    # Each side keeps thousands of connections to ten thousand servers, and one process has room for
    # ten thousand where it may open twenty thousand files.
    PROCESSES = 8

    def __init__(self, workspace):
        self.port, self.any_port = free_ports(2)
        config = workspace.write("upstream.cfg", CONFIG.format(
            port=self.port, any_port=self.any_port, body="x" * (BODY_BYTES - 1) + "\\n"))
        # They share the ports; the kernel spreads connections over them.
        self.children = [Child(["haproxy", "-db", "-f", config], workspace.file("upstream.log"))
                         for _ in range(self.PROCESSES)]
        if wait_until(lambda: probe.ask(self.port, Route(0).request).status == 421, 10) is None:
            raise BenchError("the upstream does not answer: " + self.children[0].tail())

    def end(self):
        for child in self.children:
            child.end(grace=0.2)
