"""HAProxy by hand that promises what Swarmgate does: that it is the same, and that it is kept."""

import http.client
import http.server
import shutil
import threading
import unittest
from pathlib import Path
from types import SimpleNamespace

from suite import process, routes
from suite.sides import (BareLimitHaproxy, BareMapHaproxy, LimitHaproxy, MapHaproxy,
                         SameLimitHaproxy, SameMapHaproxy)

ROUTE = routes.Route(0)
# What Swarmgate writes: a test of its own holds it against the program.
WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "haproxy" / "full_conf_00-base.cfg"


def _section(text, title):
    """The lines below the section's own."""
    return [line.strip() for line in text.split(f"\n{title}\n")[1].split("\n\n")[0].splitlines()]


class _Case(unittest.TestCase):

    def setUp(self):
        self.files = process.Workspace()
        self.addCleanup(self.files.remove)

    def side(self, kind, port=80):
        """One that is not started yet; all servers answer at this port."""
        side = kind(self.files, SimpleNamespace(port=port, any_port=port), None)
        self.addCleanup(side.end)
        return side


class Promises(_Case):

    def _lines(self, kind):
        side = self.side(kind)
        side.key, side.http_port = "any", 80
        return [line.strip() for line in side._text([ROUTE]).splitlines()]

    def test_they_are_the_lines_that_swarmgate_writes(self):
        written = WRITTEN.read_text(encoding="utf-8")
        promised = [line for line in _section(written, "defaults sg_plain")
                    if line.startswith(("retries", "retry-on", "option redispatch"))]
        promised += [line for line in _section(written, "frontend services from sg_front")
                     if "X-Forwarded-" in line or "l7-retry" in line]
        for same, bare in ((SameLimitHaproxy, BareLimitHaproxy), (SameMapHaproxy, BareMapHaproxy)):
            without = self._lines(bare)
            self.assertEqual([line for line in self._lines(same) if line not in without], promised)

    def test_nothing_else_is_different(self):
        for same, bare in ((SameLimitHaproxy, BareLimitHaproxy), (SameMapHaproxy, BareMapHaproxy)):
            lines, without = self._lines(same), self._lines(bare)
            self.assertEqual([line for line in lines if line in without], without)


class _Servers(http.server.ThreadingHTTPServer):
    """The route's server, which leaves the next requests without an answer as often as it is told."""

    def __init__(self):
        super().__init__((ROUTE.address, 0), _Answer)
        self.silent = 0
        self.asked = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def end(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Answer(http.server.BaseHTTPRequestHandler):

    def do_GET(self):
        self.server.asked.append(self.headers)
        if self.server.silent > 0:
            self.server.silent -= 1
            return
        self.send_response(200)
        self.send_header("X-Server", ROUTE.key)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_OPTIONS = do_POST = do_GET

    def log_message(self, *_):
        pass


@unittest.skipUnless(shutil.which("haproxy"), "there is no haproxy")
class Traffic(_Case):

    @classmethod
    def setUpClass(cls):
        # HAProxy leaves its parent, and is ours to end all the same.
        process.prepare()

    def setUp(self):
        super().setUp()
        self.server = _Servers()
        self.addCleanup(self.server.end)

    def _started(self, kind):
        side = self.side(kind, self.server.server_address[1])
        side.start([ROUTE])
        return side

    def _ask(self, side, method="GET", silent=0, **headers):
        """The status of one request, and how it came to the server: each time, if more than once."""
        self.server.silent = silent
        self.server.asked.clear()
        there = http.client.HTTPConnection("127.0.0.1", side.http_port, timeout=10)
        self.addCleanup(there.close)
        there.request(method, ROUTE.request[1], headers=headers)
        return there.getresponse().status, list(self.server.asked)

    def test_a_safe_request_is_answered_also_where_a_server_closes_without_an_answer(self):
        for kind in (SameLimitHaproxy, SameMapHaproxy):
            side = self._started(kind)
            for method in ("GET", "HEAD", "OPTIONS"):
                status, asked = self._ask(side, method, silent=1)
                self.assertEqual((status, len(asked)), (200, 2), (kind, method))

    def test_a_post_is_never_sent_twice(self):
        for kind in (SameLimitHaproxy, SameMapHaproxy):
            status, asked = self._ask(self._started(kind), "POST", silent=1)
            self.assertEqual((status, len(asked)), (502, 1), kind)

    def test_the_others_by_hand_repeat_nothing(self):
        for kind in (LimitHaproxy, MapHaproxy, BareLimitHaproxy, BareMapHaproxy):
            status, asked = self._ask(self._started(kind), silent=1)
            self.assertEqual((status, len(asked)), (502, 1), kind)

    def test_what_a_stranger_claims_of_himself_does_not_reach_the_server(self):
        claimed = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1",
                   "X-Forwarded-Prefix": "/admin", "Host": "any.example.com"}
        for kind in (SameLimitHaproxy, SameMapHaproxy):
            side = self._started(kind)
            _, (headers,) = self._ask(side, **claimed)
            told = sorted((name, value) for name, value in headers.items()
                          if name.lower().startswith("x-forwarded-"))
            self.assertEqual(told, [
                ("x-forwarded-for", "127.0.0.1"), ("x-forwarded-host", "any.example.com"),
                ("x-forwarded-port", str(side.http_port)), ("x-forwarded-proto", "http")], kind)


if __name__ == "__main__":
    unittest.main()
