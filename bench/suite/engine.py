"""A Swarm manager's API, as far as Swarmgate reads it, over ten thousand services that do not exist:
no machine of ours runs twenty thousand containers. Answers are put together beforehand, so that
their making takes no processor time from what is measured.
"""

import http.server
import json
import os
import queue
import socket
import socketserver
import sys
import threading
import time
import urllib.parse

NETWORK = "web0000000000000000000000"
NODE = "node000000000000000000000"
OWN = "proxy"
# Of a task's states those that are told here, with Docker's words for them.
MESSAGES = {"preparing": "preparing", "starting": "starting", "running": "started"}


def service_json(route, port, version, path=None, replicas=2):
    """As GET /services lists it."""
    labels = {"com.df.notify": "true", "com.df.port": str(port)}
    if route.domain:
        labels["com.df.serviceDomain"] = route.domain
    else:
        labels["com.df.servicePath"] = path or route.path
    return {
        "ID": f"id{route.name}", "Version": {"Index": version},
        "CreatedAt": "2026-01-01T00:00:00.000000001Z", "UpdatedAt": "2026-01-01T00:00:00.000000001Z",
        "Spec": {"Name": route.name, "Labels": labels,
                 "TaskTemplate": {"ContainerSpec": {"Image": "example/web:1", "Init": False,
                                                    "DNSConfig": {}, "Isolation": "default"},
                                  "Resources": {"Limits": {}, "Reservations": {}}, "Placement": {},
                                  "Networks": [{"Target": NETWORK}], "ForceUpdate": 0,
                                  "Runtime": "container"},
                 "Mode": {"Replicated": {"Replicas": replicas}}, "EndpointSpec": {"Mode": "vip"}},
        "Endpoint": {"Spec": {}}}


def task_json(route, slot, address, state="running", node=NODE):
    """As GET /tasks lists it; its slot tells it from the service's others. A task has an address before
    it has a container.
    """
    name = f"{route.name}x{slot}"
    # As with Docker's, the first twelve of 25 characters tell tasks apart.
    identity = f"{slot:06}{route.number:06}".ljust(25, "t")
    container = {"ContainerStatus": {"ContainerID": f"container{name}",
                                     "PID": 1 if state == "running" else 0, "ExitCode": 0}}
    return {
        "ID": identity, "Version": {"Index": 1}, "CreatedAt": "2026-01-01T00:00:00.000000001Z",
        "UpdatedAt": "2026-01-01T00:00:01.000000001Z", "Labels": {},
        "Spec": {"ContainerSpec": {"Image": "example/web:1", "Init": False},
                 "Networks": [{"Target": NETWORK}], "ForceUpdate": 0},
        "ServiceID": f"id{route.name}", "Slot": slot, "NodeID": node,
        "Status": {"Timestamp": "2026-01-01T00:00:01.000000001Z", "State": state,
                   "Message": MESSAGES[state], **(container if state != "preparing" else {}),
                   "PortStatus": {}},
        "DesiredState": "running",
        "NetworksAttachments": [{"Network": {"ID": NETWORK, "Spec": {"Name": "web"}},
                                 "Addresses": [f"{address}/24"]}]}


class Engine:
    """Listens on `socket` until end(), but for the time between stop() and resume(). It runs on one of
    the `nodes`, which are managers, all of them.
    """

    def __init__(self, folder, routes, port, tasks=2, node=NODE, nodes=(NODE,)):
        self.socket = os.path.join(folder, "docker.sock")
        self._fixed = _fixed(node, nodes)
        self._replicas = tasks
        self._port = port
        self._lock = threading.Lock()
        self._services = {}
        self._tasks = {}
        self._listeners = []
        self._version = 1
        self.requests = 0
        for route in routes:
            self._set(route, tasks)
        self._server = None
        self.resume()

    def resume(self):
        """Comes (back), with what was changed meanwhile."""
        self._server = _Server(self.socket, _Handler)
        self._server.engine = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Ends as a daemon does: its connections are cut, its socket is gone. Changes are told nobody."""
        with self._lock:
            server, self._server = self._server, None
            for listener in self._listeners:
                listener.put(None)
        if server is None:
            return
        server.shutdown()
        server.server_close()
        os.unlink(self.socket)
        server.cut_all()

    def _set(self, route, tasks, path=None):
        identity = f"id{route.name}"
        self._version += 1
        service = json.dumps(service_json(route, self._port, self._version, path,
                                          self._replicas)).encode()
        addresses = (route.address, route.second_address)[:tasks]
        with self._lock:
            self._services[identity] = service
        self.set_tasks(route, enumerate(addresses, 1))

    def set_tasks(self, route, tasks, state="running", node=NODE):
        """The service has these tasks, (slot, address) each, and nobody is told: as of those on another
        node, and of what goes before a container's start.
        """
        its = [json.dumps(task_json(route, slot, address, state, node)).encode()
               for slot, address in tasks]
        with self._lock:
            self._tasks[f"id{route.name}"] = its

    def change(self, route, action, tasks=2, path=None):
        """The service is created or updated, and everybody who listens is told."""
        self._set(route, tasks, path)
        self._tell("service", action, f"id{route.name}", {"name": route.name})

    def change_tasks(self, route, tasks, action, slot):
        """The service has these running tasks, (slot, address) each, because the container of the one in
        `slot` did `action` (start, die): Docker tells of no task, but of its container.
        """
        self.set_tasks(route, tasks)
        self.tell_container(route, slot, action)

    def tell_container(self, route, slot, action):
        """What the container of this task did, whatever is listed of the task meanwhile."""
        self._tell("container", action, f"container{route.name}x{slot}",
                   {"name": f"{route.name}.{slot}", "com.docker.swarm.service.id": f"id{route.name}"})

    def remove(self, route):
        with self._lock:
            del self._services[f"id{route.name}"]
            del self._tasks[f"id{route.name}"]
        self._tell("service", "remove", f"id{route.name}", {"name": route.name})

    def _tell(self, kind, action, identity, attributes):
        now = time.time_ns()
        event = json.dumps({
            "Type": kind, "Action": action, "scope": "swarm" if kind == "service" else "local",
            "time": now // 10**9, "timeNano": now,
            "Actor": {"ID": identity, "Attributes": attributes}}).encode() + b"\n"
        with self._lock:
            for listener in self._listeners:
                listener.put(event)

    def listen(self):
        listener = queue.Queue()
        with self._lock:
            if self._server is None:
                listener.put(None)
            self._listeners.append(listener)
        return listener

    def forget(self, listener):
        with self._lock:
            self._listeners.remove(listener)

    def heard(self):
        """Whether anybody listens to the events."""
        with self._lock:
            return bool(self._listeners)

    def answer(self, path, query):
        """The body of GET `path`; None: not found."""
        self.requests += 1
        filters = json.loads(query.get("filters", ["{}"])[0])
        if path == "/services":
            wanted = filters.get("id")
            with self._lock:
                services = (self._services.values() if wanted is None else
                            [self._services[identity] for identity in wanted
                             if identity in self._services])
                return b"[" + b",".join(services) + b"]"
        if path == "/tasks":
            wanted = filters.get("service")
            with self._lock:
                lists = ([self._tasks.get(identity, []) for identity in wanted]
                         if wanted is not None else self._tasks.values())
                return b"[" + b",".join(task for tasks in lists for task in tasks) + b"]"
        return self._fixed.get(path)

    def end(self):
        self.stop()


def _fixed(node, nodes):
    """What an engine answers that never changes."""
    answers = {
        "/version": {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"},
        "/info": {"ID": f"BENCH-{node}", "Swarm": {
            "NodeID": node, "LocalNodeState": "active", "ControlAvailable": True,
            "RemoteManagers": [{"NodeID": each, "Addr": "127.0.0.1:2377"} for each in nodes]}},
        "/networks": [{"Name": "web", "Id": NETWORK, "Scope": "swarm", "Driver": "overlay",
                       "Ingress": False}],
        "/nodes": [{"ID": each, "Version": {"Index": 1},
                    "Spec": {"Role": "manager", "Availability": "active"},
                    "Description": {"Hostname": "bench"},
                    "Status": {"State": "ready", "Addr": "127.0.0.1"}} for each in nodes],
        "/containers/json": [],
        f"/containers/{OWN}/json": {
            "Id": OWN, "State": {"Running": True, "Paused": False}, "Config": {"Labels": {}},
            "NetworkSettings": {"Networks": {"web": {"NetworkID": NETWORK,
                                                     "IPAddress": "127.0.0.1"}}}},
    }
    return {path: json.dumps(answer).encode() for path, answer in answers.items()}


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *arguments):
        self._open = set()
        self._lock = threading.Lock()
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        # Whoever asks may go away, and is sent away by cut_all().
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def cut_all(self):
        with self._lock:
            for request in self._open:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # cut by the other side


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.split("/", 2)
        path = "/" + parts[2] if len(parts) == 3 and parts[1].startswith("v1.") else url.path
        engine = self.server.engine
        if path == "/events":
            listener = engine.listen()
            try:
                self._stream(listener)
            finally:
                engine.forget(listener)
            return
        body = engine.answer(path, urllib.parse.parse_qs(url.query))
        self.send_response(200 if body is not None else 404)
        body = body if body is not None else b'{"message":"no such object"}'
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def _stream(self, listener):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while True:
            event = listener.get()
            if event is None:
                return
            try:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            except OSError:
                return

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass
