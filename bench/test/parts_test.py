"""The services, the engine that tells of them, and WebSockets: what can be shown without a proxy."""

import http.client
import json
import re
import socket
import tempfile
import unittest
import urllib.parse

from suite import routes
from suite.engine import Engine
from suite.websocket import EchoServer, Sockets
from suite.process import wait_until


class Services(unittest.TestCase):

    def test_no_two_services_share_an_address(self):
        table = routes.table(10000)
        addresses = {route.address for route in table} | {route.second_address for route in table}
        self.assertEqual(len(addresses), 20000)

    def test_every_request_is_one_of_its_own_route_and_names_its_server(self):
        for kind in routes.KINDS:
            for route in routes.sample(routes.table(300, kind), 20):
                host, path = route.request
                self.assertEqual(path.rsplit("/", 1)[1], route.key)
                self.assertTrue(route.address.endswith("." + route.key))
                self.assertTrue(re.match(route.path, path))
                if kind == "host":
                    self.assertEqual(host, route.domain)
                if kind == "wildcard":
                    self.assertTrue(host.endswith(route.domain[1:]))
                    self.assertNotIn("*", host)

    def test_a_sample_has_the_first_and_the_last(self):
        table = routes.table(1000)
        picked = routes.sample(table, 10)
        self.assertEqual((picked[0], picked[1], len(picked)), (table[0], table[-1], 10))
        self.assertEqual(picked, routes.sample(table, 10))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self._path)


class Manager(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.engine = Engine(self.folder.name, routes.table(3), 8080)
        self.addCleanup(self.engine.end)

    def _get(self, path, connection=None):
        there = connection or _UnixConnection(self.engine.socket)
        there.request("GET", path)
        answer = there.getresponse()
        body = answer.read()
        if connection is None:
            there.close()
        return answer.status, json.loads(body)

    def test_services_are_listed_with_their_labels(self):
        status, services = self._get("/v1.41/services")
        self.assertEqual((status, len(services)), (200, 3))
        self.assertEqual(services[2]["Spec"]["Labels"]["com.df.servicePath"], "/s00002/")

    def test_tasks_of_one_service_are_listed_alone(self):
        filters = urllib.parse.quote(json.dumps({"service": ["ids00001"]}))
        _, tasks = self._get(f"/v1.41/tasks?filters={filters}")
        self.assertEqual([task["ServiceID"] for task in tasks], ["ids00001"] * 2)

    def test_tasks_are_told_apart_by_what_is_shown_of_their_ids(self):
        route = routes.Route(1)
        self.engine.change_tasks(route, [(slot, route.address) for slot in (1, 12, 102)], "start", 102)
        _, tasks = self._get("/v1.41/tasks")
        self.assertEqual({len(task["ID"]) for task in tasks}, {25})
        self.assertEqual(len({task["ID"][:12] for task in tasks}), len(tasks))

    def test_what_it_does_not_know_is_404(self):
        self.assertEqual(self._get("/v1.41/containers/other/json")[0], 404)

    def test_a_change_is_told_to_those_who_listen(self):
        there = _UnixConnection(self.engine.socket)
        self.addCleanup(there.close)
        there.request("GET", "/v1.41/events")
        stream = there.getresponse()
        self.engine.change(routes.Route(3), "create")
        event = json.loads(stream.readline())
        self.assertEqual((event["Type"], event["Action"], event["Actor"]["ID"]),
                         ("service", "create", "ids00003"))
        self.assertEqual(len(self._get("/v1.41/services")[1]), 4)


    def _events(self):
        there = _UnixConnection(self.engine.socket)
        self.addCleanup(there.close)
        there.request("GET", "/v1.41/events")
        return there.getresponse()

    def test_a_service_that_is_removed_is_listed_no_more_and_neither_are_its_tasks(self):
        stream = self._events()
        self.engine.remove(routes.Route(1))
        event = json.loads(stream.readline())
        self.assertEqual((event["Action"], event["Actor"]["ID"]), ("remove", "ids00001"))
        self.assertEqual((len(self._get("/v1.41/services")[1]), len(self._get("/v1.41/tasks")[1])),
                         (2, 4))

    def test_a_task_that_ends_is_told_by_its_container(self):
        stream = self._events()
        self.engine.change_tasks(routes.Route(1), [(1, "127.1.0.2")], "die", 2)
        event = json.loads(stream.readline())
        self.assertEqual((event["Type"], event["Action"],
                          event["Actor"]["Attributes"]["com.docker.swarm.service.id"]),
                         ("container", "die", "ids00001"))
        self.assertEqual(len(self._get("/v1.41/tasks")[1]), 5)

    def test_a_daemon_that_has_ended_cuts_its_connections_and_answers_nobody(self):
        stream = self._events()
        kept = _UnixConnection(self.engine.socket)
        self.addCleanup(kept.close)
        self._get("/v1.41/services", kept)
        self.engine.stop()
        self.assertEqual(stream.readline(), b"")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self._get("/v1.41/services", kept)
        with self.assertRaises(OSError):
            self._get("/v1.41/services")

    def test_a_daemon_that_is_back_has_what_was_changed_meanwhile(self):
        self.engine.stop()
        self.engine.change(routes.Route(3), "create")
        self.engine.remove(routes.Route(0))
        self.engine.resume()
        names = [service["Spec"]["Name"] for service in self._get("/v1.41/services")[1]]
        self.assertEqual(names, ["s00001", "s00002", "s00003"])

    def test_whether_anybody_listens_is_known(self):
        self.assertFalse(self.engine.heard())
        self._events()
        self.assertTrue(self.engine.heard())
        self.engine.stop()
        self.assertIsNotNone(wait_until(lambda: not self.engine.heard(), 10))


class WebSockets(unittest.TestCase):

    def test_a_conversation_goes_on_and_one_that_is_cut_is_counted(self):
        server = EchoServer()
        sockets = Sockets(server.port, "any", "/", 3)
        self.assertIsNotNone(wait_until(lambda: sockets.answers >= 6, 10))
        self.assertEqual((sockets.open, sockets.cut), (3, 0))
        server.cut_all()
        self.assertIsNotNone(wait_until(lambda: sockets.cut == 3, 10))
        self.assertEqual(sockets.end(), 3)
        server.end()


if __name__ == "__main__":
    unittest.main()
