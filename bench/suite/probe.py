"""Asks one request and says what came: for checking answers, and for noticing the first good one."""

import http.client
import json
import socket
import ssl
import time

from suite.process import BenchError


class Answer:
    """`status` is 0 where no complete answer came."""

    def __init__(self, status, server="", body=b""):
        self.status = status
        self.server = server
        self.body = body


def connection(port, tls=False, timeout=5):
    if not tls:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=context)


def ask(port, request, tls=False, timeout=5):
    """One request (host, path) on a connection of its own."""
    host, path = request
    there = connection(port, tls, timeout)
    try:
        there.request("GET", path, headers={"Host": host, "Connection": "close"})
        answer = there.getresponse()
        return Answer(answer.status, answer.getheader("X-Server", ""), answer.read())
    except (OSError, http.client.HTTPException):
        return Answer(0)
    finally:
        there.close()


def is_right(port, route, tls=False):
    """Whether the service's own server answers."""
    answer = ask(port, route.request, tls)
    return answer.status == 200 and answer.server == route.key


def left(port, wanted, limit):
    """Those of `wanted`, (request, test of its status) each, that are not answered so within `limit`
    seconds. They are asked on one connection, again and again, each until it is.
    """
    there = connection(port)
    until = time.monotonic() + limit
    waiting = list(wanted)
    while waiting and time.monotonic() < until:
        waiting = [(request, good) for request, good in waiting
                   if not good(_status(there, request))]
    there.close()
    return waiting


def _status(there, request):
    host, path = request
    try:
        there.request("GET", path, headers={"Host": host})
        answer = there.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        # The next request opens another.
        there.close()
        return 0


def check(side, routes, tls=False):
    """Raises BenchError when one of these routes is not answered by its own server."""
    for route in routes:
        answer = ask(side.port(tls), route.request, tls)
        if answer.status != 200 or answer.server not in (route.key, side.only_server):
            raise BenchError(f"{side.label}: {route.request} is answered {answer.status} by "
                             f"'{answer.server}', not by {route.key}")


class Admin:
    """A kept connection to an admin API."""

    def __init__(self, port, timeout=60):
        self.port = port
        self.timeout = timeout
        self.there = connection(port, timeout=timeout)

    def call(self, path, method="GET", body=None, headers=None):
        """(status, text). One that the server closed meanwhile is opened anew, once."""
        for again in (True, False):
            try:
                self.there.request(method, path, body=body, headers=headers or {})
                answer = self.there.getresponse()
                return answer.status, answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                self.there.close()
                if not again or isinstance(error, socket.timeout):
                    raise BenchError(f"admin call {path}: {error!r}") from error
        raise AssertionError("unreachable")

    def must(self, path, method="GET", body=None, headers=None):
        """The text; raises BenchError where the status is not 200."""
        status, text = self.call(path, method, body, headers)
        if status != 200:
            raise BenchError(f"{path}: {status} {text[:300]}")
        return text

    def json(self, path):
        return json.loads(self.must(path))
