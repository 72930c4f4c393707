"""Which scenarios there are, in the order in which they run."""

from dataclasses import dataclass
from typing import Callable

from suite.scenarios import (change_latency, changes, cold_start, core, footprint, programs,
                             replicas, storms, throughput, websockets)


@dataclass(frozen=True)
class Scenario:
    """`run` takes a Plan and returns rows of results; `minutes` is about how long it takes."""

    name: str
    about: str
    minutes: int
    run: Callable


ALL = (
    Scenario("change-to-live", "how soon a change by the API or by Docker is live", 3,
             programs.change_to_live),
    Scenario("lost-requests", "what changes, reloads, updates and crashes cost those who ask", 2,
             programs.lost_requests),
    Scenario("throughput-routes", "requests per second among more and more routes", 25,
             throughput.by_number),
    Scenario("throughput-kinds", "the same by host, wildcard and regex", 12, throughput.by_kind),
    Scenario("throughput-connections", "the same with new connections, TLS and HTTP/2", 17,
             throughput.by_connection),
    Scenario("change-latency", "one more service: Swarmgate, and proxies that reload", 2,
             change_latency.measure),
    Scenario("changes-per-second", "changes one after the other, and from eight callers", 1,
             changes.rate),
    Scenario("change-cost", "what one change writes and sends", 1, changes.cost),
    Scenario("engine", "processor time and memory of one change in the engine alone", 1,
             programs.engine),
    Scenario("core", "time and instructions of each pure function of the core", 2, core.measure),
    Scenario("websockets", "long conversations through a thousand changes", 1, websockets.measure),
    Scenario("footprint", "memory and processor time of ten thousand services, idle and in a storm",
             3, footprint.measure),
    Scenario("storms", "Docker that was away, a service that flaps, a stack of a thousand", 9,
             storms.measure),
    Scenario("cold-start", "where the time of a start and of a reload goes", 1, cold_start.measure),
    Scenario("replicas", "how soon a started task, and a change by the API, is live on all of three", 3,
             replicas.measure),
    Scenario("consul", "what one change moves between replicas and Consul", 1, programs.consul),
)


def find(name):
    """The scenario of that name, or None."""
    return next((scenario for scenario in ALL if scenario.name == name), None)
