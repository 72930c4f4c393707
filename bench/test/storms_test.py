"""Storms and starts: what they do to Docker, and how it is told whether the newest state is served."""

import http.server
import os
import tempfile
import threading
import time
import unittest
from types import SimpleNamespace
from unittest import mock

from suite import probe, routes, steady
from suite.scenarios import cold_start, storms


class _Engine:
    """Keeps what it is told."""

    def __init__(self):
        self.tasks = []
        self.paths = {}
        self.removed = []

    def change_tasks(self, _route, tasks, action, slot):
        self.tasks.append((tasks, action, slot))

    def change(self, route, action, path=None):
        self.paths[route.name] = path or action

    def remove(self, route):
        self.removed.append(route.name)


def _answers(by_path):
    """In the place of probe.ask: what each path is answered, in turn."""
    asked = {}

    def ask(_port, request):
        answers = by_path[request[1]]
        asked[request[1]] = asked.get(request[1], 0) + 1
        status, server = answers[(asked[request[1]] - 1) % len(answers)]
        return SimpleNamespace(status=status, server=server)

    return mock.patch.object(probe, "ask", ask)


class DockerAway(unittest.TestCase):

    def test_nothing_that_is_asked_all_the_time_is_changed_or_removed(self):
        served = routes.table(100)
        meanwhile = storms.Meanwhile(served, 10)
        self.assertEqual(meanwhile.untouched, served[:80])
        self.assertEqual(meanwhile.untouched + meanwhile.removed + meanwhile.changed, served)
        self.assertFalse(set(meanwhile.added) & set(served))

    def test_the_same_services_are_left_as_they_are(self):
        engine = _Engine()
        meanwhile = storms.Meanwhile(routes.table(100), 0)
        meanwhile.happen(engine)
        self.assertEqual((engine.paths, engine.removed), ({}, []))
        self.assertEqual(meanwhile.answered() + meanwhile.gone(), [])

    def test_new_paths_are_to_be_answered_and_old_ones_to_be_gone(self):
        meanwhile = storms.Meanwhile(routes.table(10), 1)
        engine = _Engine()
        meanwhile.happen(engine)
        self.assertEqual(engine.paths, {"s00009": "/meanwhile/s00009/", "s00010": "create"})
        self.assertEqual(engine.removed, ["s00008"])
        self.assertEqual([request[1] for request, good in meanwhile.answered() if good(200)],
                         ["/meanwhile/s00009/", "/s00010/1.0.11"])
        self.assertEqual([request[1] for request, good in meanwhile.gone() if not good(200)],
                         ["/s00009/1.0.10", "/s00008/1.0.9"])

    def test_no_answer_at_all_does_not_mean_that_a_service_is_gone(self):
        (_, gone), *_ = storms.Meanwhile(routes.table(10), 1).gone()
        self.assertEqual([gone(status) for status in (0, 200, 404, 503)], [False, False, True, True])


class Flapping(unittest.TestCase):

    def setUp(self):
        self.engine = _Engine()
        self.route = routes.Route(7)

    def _flaps(self, kind, changes):
        flaps = kind(self.engine, self.route)
        for _ in range(changes):
            flaps.next()
        return flaps

    def test_each_start_is_of_a_task_like_no_other_and_each_end_of_the_latest(self):
        self._flaps(storms.TaskFlaps, 5)
        self.assertEqual([(len(tasks), action, slot) for tasks, action, slot in self.engine.tasks],
                         [(2, "start", 2), (1, "die", 2), (2, "start", 4), (1, "die", 4),
                          (2, "start", 6)])
        addresses = {tasks[1][1] for tasks, action, _ in self.engine.tasks if action == "start"}
        self.assertEqual(len(addresses), 3)

    def test_the_newest_task_must_answer(self):
        flaps = self._flaps(storms.TaskFlaps, 3)
        path = self.route.request[1]
        for servers, newest in ((["1.0.8", "3.0.5"], True), (["1.0.8"], False),
                                (["1.0.8", "3.0.3"], False), (["1.0.8", "3.0.5", "3.0.3"], False)):
            with _answers({path: [(200, server) for server in servers]}):
                self.assertEqual(flaps.is_newest(80), newest, servers)

    def test_a_task_that_has_ended_must_not_answer(self):
        flaps = self._flaps(storms.TaskFlaps, 2)
        path = self.route.request[1]
        for servers, newest in ((["1.0.8"], True), (["1.0.8", "3.0.3"], False)):
            with _answers({path: [(200, server) for server in servers]}):
                self.assertEqual(flaps.is_newest(80), newest, servers)

    def test_the_newest_path_must_be_answered_and_the_one_before_it_no_more(self):
        flaps = self._flaps(storms.PathFlaps, 9)
        for now, before, newest in ((200, 404, True), (200, 200, False), (404, 404, False),
                                    (200, 0, False)):
            with _answers({"/flap/v9/": [(now, "")], "/flap/v8/": [(before, "")]}):
                self.assertEqual(flaps.is_newest(80), newest)


class _Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", self.headers.get("Connection", "keep-alive"))
        self.end_headers()

    def log_message(self, *_):
        pass


class Asking(unittest.TestCase):

    def setUp(self):
        self.site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
        self.site.daemon_threads = True
        self.addCleanup(self.site.server_close)
        threading.Thread(target=self.site.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.site.shutdown)
        self.port = self.site.server_address[1]
        _Site.asked.clear()

    def test_what_is_not_answered_in_time_is_named(self):
        wanted = [(("any", path), lambda status: status == 200) for path in ("/here", "/gone")]
        self.assertEqual(probe.left(self.port, wanted, 0.05), wanted[1:])
        self.assertEqual(_Site.asked.count("/here"), 1)

    def test_nothing_to_wait_for_takes_no_time(self):
        began = time.monotonic()
        self.assertEqual(probe.left(self.port, [], 60), [])
        self.assertLess(time.monotonic() - began, 5)

    def test_a_load_on_several_services_asks_for_all_of_them_and_counts_what_is_lost(self):
        paths = ("/here", "/there", "/gone")
        load = steady.SteadyLoad(SimpleNamespace(http_port=self.port),
                                 *(SimpleNamespace(request=("any", path)) for path in paths),
                                 any_server=True)
        deadline = time.monotonic() + 20
        while len(_Site.asked) < 30 and time.monotonic() < deadline:
            time.sleep(0.01)
        result = load.end()
        self.assertEqual(set(_Site.asked), set(paths))
        self.assertEqual(steady.asked(result), len(_Site.asked))
        self.assertEqual(steady.lost(result), _Site.asked.count("/gone"))
        for kind in result.values():
            self.assertLessEqual(kind["p50_ms"], kind["p99_ms"])
            self.assertLessEqual(kind["p99_ms"], kind["slowest_ms"])


class Start(unittest.TestCase):

    def test_the_first_of_each_step_counts(self):
        log = ["2026-01-01T00:00:01.250Z info SERVICE_LIVE the service is live service=\"a\"\n",
               "2026-01-01T00:00:01.300Z info SERVICE_LIVE the service is live service=\"b\"\n",
               "what is no line of the log\n",
               "2026-01-01T00:00:02.000Z info READY the state found at start is served\n"]
        began = 1767225601.0  # 2026-01-01T00:00:01Z
        found = cold_start.steps(log, began)
        self.assertEqual({key: round(value) for key, value in found.items()},
                         {"known_ms": 250, "ready_ms": 1000})


class Reading(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.files = os.path.join(folder.name, "haproxy")
        self.to = os.path.join(folder.name, "to")
        for name, text in {
                "conf/00-base.cfg": "frontend f\nbackend none\n",
                "conf/10-plain-0001.cfg": "# Written\nbackend a from p\n  server x 127.0.0.1:80\n"
                                          "  server y 127.0.0.2:80\nbackend b from p\n",
                "maps/routes.map": "# Written\n/a/ a|s\n/b/ b|t\n/c/ c|u\n",
                "staged/conf/00-base.cfg": "frontend f\n"}.items():
            path = os.path.join(self.files, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)

    def test_slots_servers_and_entries_are_counted(self):
        size = cold_start.size_of(self.files)
        self.assertEqual((size["slots"], size["servers"], size["entries"]), (2, 2, 3))

    def test_each_part_has_what_the_one_before_it_has_and_more(self):
        sizes = []
        for part in cold_start.PARTS:
            to = os.path.join(self.to, part)
            cold_start.reduce_to(part, self.files, to)
            size = cold_start.size_of(to)
            sizes.append((size["slots"], size["servers"], size["entries"]))
        self.assertEqual(sizes, [(0, 0, 0), (2, 0, 0), (2, 2, 0), (2, 2, 3)])

    def test_the_last_part_is_what_haproxy_runs_on(self):
        cold_start.reduce_to("entries", self.files, self.to)
        for name in ("conf/00-base.cfg", "conf/10-plain-0001.cfg", "maps/routes.map"):
            with open(os.path.join(self.files, name), encoding="utf-8") as had, \
                    open(os.path.join(self.to, name), encoding="utf-8") as has:
                self.assertEqual(has.read(), had.read())


if __name__ == "__main__":
    unittest.main()
