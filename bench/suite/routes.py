"""The services of a benchmark: each has a server address of its own, and the last segment of every
request's path says which one must answer. The upstream compares the two, so that no answer of the
wrong service goes unnoticed.
"""

import random
from dataclasses import dataclass

KINDS = ("prefix", "host", "wildcard", "regex")


@dataclass(frozen=True)
class Route:
    """One service, and the one way to it."""

    number: int
    kind: str = "prefix"

    @property
    def name(self):
        return f"s{self.number:05d}"

    @property
    def key(self):
        """The part of the address that tells the services apart."""
        return f"1.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def address(self):
        return f"127.{self.key}"

    @property
    def second_address(self):
        """Of a second task."""
        return f"127.2.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def domain(self):
        """What the route asks of the host; empty: nothing."""
        return {"host": f"{self.name}.example.com",
                "wildcard": f"*.{self.name}.example.com"}.get(self.kind, "")

    @property
    def path(self):
        """What the route asks of the path: a prefix, or a regex."""
        return {"prefix": f"/{self.name}/", "regex": f"^/{self.name}/[a-z]+/"}.get(self.kind, "/")

    @property
    def request(self):
        """(host, path) of a request that this route takes."""
        if self.kind == "prefix":
            return "any.example.com", f"/{self.name}/{self.key}"
        if self.kind == "regex":
            return "any.example.com", f"/{self.name}/page/{self.key}"
        return self.domain.replace("*", "www"), f"/index/{self.key}"


def table(count, kind="prefix"):
    return [Route(number, kind) for number in range(count)]


def pick(routes, pattern):
    """The routes that a load asks for: `first`, `last`, or all of them (`random`)."""
    return {"first": routes[:1], "last": routes[-1:], "random": routes}[pattern]


def sample(routes, count):
    """Some of them, always the same ones, and always the first and the last."""
    if len(routes) <= count:
        return routes
    return [routes[0], routes[-1]] + random.Random(1).sample(routes[1:-1], count - 2)
