"""Three replicas: what their managers tell, and how it is told whether a service is live on all."""

import json
import tempfile
import time
import unittest
from types import SimpleNamespace
from unittest import mock

from suite import probe, routes
from suite.process import BenchError
from suite.scenarios import replicas

ROUTE = routes.Route(3)
TASKS = [(1, ROUTE.address)]
NODES = ["node1", "node2", "node3"]


def _answers(by_port):
    """In the place of probe.ask: what each replica answers, in turn, the last for good."""
    def ask(port, _request):
        answers = by_port[port]
        status, server = answers.pop(0) if len(answers) > 1 else answers[0]
        return SimpleNamespace(status=status, server=server)

    return mock.patch.object(probe, "ask", ask)


def _sides(*ports):
    return [SimpleNamespace(http_port=port, complaint=lambda: "its log") for port in ports]


class Managers(unittest.TestCase):

    def setUp(self):
        self.managers = []
        for node in NODES:
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            self.managers.append(
                replicas.Manager(folder.name, routes.table(3), 8080, 1, node, NODES))
            self.addCleanup(self.managers[-1].end)

    def _get(self, path, of=0, **filters):
        return json.loads(self.managers[of].answer(path, {"filters": [json.dumps(filters)]}))

    def test_they_are_three_nodes_of_one_swarm(self):
        self.assertEqual([self._get("/info", of)["Swarm"]["NodeID"] for of in range(3)], NODES)
        for of in range(3):
            self.assertEqual([node["ID"] for node in self._get("/nodes", of)], NODES)

    def test_a_service_has_as_many_tasks_as_it_wants_so_that_nothing_converges_before_a_change(self):
        for service in self._get("/services"):
            tasks = self._get("/tasks", service=[service["ID"]])
            self.assertEqual(service["Spec"]["Mode"]["Replicated"]["Replicas"], len(tasks))

    def test_a_task_that_is_prepared_has_no_container_yet(self):
        manager = self.managers[0]
        states = []
        for state in ("preparing", "starting", "running"):
            manager.set_tasks(ROUTE, TASKS, state, "node2")
            task, = self._get("/tasks", service=["ids00003"])
            states.append((task["Status"]["State"], "ContainerStatus" in task["Status"],
                           task["NodeID"]))
        self.assertEqual(states, [("preparing", False, "node2"), ("starting", True, "node2"),
                                  ("running", True, "node2")])

    def test_a_container_is_told_of_on_its_own_node_alone(self):
        listeners = [manager.listen() for manager in self.managers]
        self.managers[1].tell_container(ROUTE, 1, "start")
        self.assertEqual([listener.qsize() for listener in listeners], [0, 1, 0])
        self.assertEqual(json.loads(listeners[1].get())["Type"], "container")

    def test_a_change_that_tells_nobody_is_heard_by_nobody(self):
        listener = self.managers[0].listen()
        self.managers[0].set_tasks(ROUTE, TASKS, "starting", "node1")
        self.managers[0].run(ROUTE, TASKS, "node1")
        self.assertEqual(listener.qsize(), 0)

    def test_the_first_list_that_has_the_running_task_is_noted_and_no_other(self):
        manager = self.managers[0]
        manager.set_tasks(ROUTE, TASKS, "starting", "node1")
        self._get("/tasks", service=["ids00003"])
        self.assertIsNone(manager.told_at)
        manager.run(ROUTE, TASKS, "node1")
        self._get("/services")
        self._get("/tasks", service=["ids00001"])
        self.assertIsNone(manager.told_at)
        self._get("/tasks")
        told = manager.told_at
        self.assertIsNotNone(told)
        self._get("/tasks", service=["ids00003"])
        self.assertEqual(manager.told_at, told)


class Answers(unittest.TestCase):

    def test_each_replica_is_asked_until_it_is_live_there(self):
        asked = {1: [(200, ROUTE.key)], 2: [(503, ""), (503, ""), (200, ROUTE.key)],
                 3: [(503, ""), (200, ROUTE.key)]}
        with _answers(asked):
            times = replicas.until_all(_sides(1, 2, 3), lambda side: replicas.is_live(side, ROUTE),
                                       time.monotonic(), "it")
        self.assertEqual(sorted(times), [times[0], times[2], times[1]])

    def test_a_replica_that_never_answers_is_an_error_and_not_a_time(self):
        with _answers({1: [(200, ROUTE.key)], 2: [(503, "")]}), mock.patch.object(replicas, "LIMIT", 0):
            with self.assertRaisesRegex(BenchError, "missing on 1 of 2 replicas"):
                replicas.until_all(_sides(1, 2), lambda side: replicas.is_live(side, ROUTE),
                                   time.monotonic(), "it")

    def test_any_answer_but_its_own_servers_and_the_proxys_503_ends_the_measurement(self):
        side, = _sides(1)
        for status, server in ((200, "1.0.9"), (421, ROUTE.key), (503, "1.0.9"), (404, ""), (0, "")):
            with _answers({1: [(status, server)]}), self.assertRaises(BenchError):
                replicas.is_live(side, ROUTE)


if __name__ == "__main__":
    unittest.main()
