"""What every side can do, whatever it is made of."""

import os
import subprocess

from suite import process
from suite.process import BenchError, free_ports, wait_until
from suite.probe import ask

THREADS = 2


class Side:
    """One proxy with ports of its own. `label` is its name, `short` that of a column, `key` that in
    the results.
    """

    key = ""
    label = ""
    short = ""

    def __init__(self, workspace, upstream, certificate):
        self.files = workspace
        self.upstream = upstream
        self.certificate = certificate
        self.http_port, self.https_port = free_ports(2)
        # Where one server answers for all.
        self.only_server = None
        # False: a service's answers may come from several servers.
        self.own_servers = True
        self.tls = False
        self.child = None
        self._spent = 0.0

    def start(self, routes, tls=False):
        """Serves these routes; returns when the first and the last are answered."""
        self.tls = tls
        self.launch(routes)
        self.wait_live([routes[0], routes[-1]])

    def wait_live(self, routes, limit=60):
        for route in routes:
            if wait_until(lambda: self.serves(route), limit, 0.005) is None:
                raise BenchError(f"{self.label}: no answer of {route.name}: {self.complaint()}")

    def serves(self, route):
        if not process.tree(self.roots()):
            raise BenchError(f"{self.label} has ended: {self.complaint()}")
        answer = ask(self.http_port, route.request)
        return answer.status == 200 and (
            answer.server in (route.key, self.only_server) or not self.own_servers)

    def port(self, tls):
        return self.https_port if tls else self.http_port

    # --- what each side has of its own ---

    def launch(self, routes):
        raise NotImplementedError

    def prepare(self, routes):
        """What makes it serve these routes instead, as something to be called. The text of its
        configuration is put together here, because a real controller is no Python program.
        """
        raise NotImplementedError

    def replaced(self):
        """How many processes still live that serve nothing new."""
        return 0

    def roots(self):
        """Processes from which all others of this side descend."""
        return [self.child.pid]

    def complaint(self):
        return self.child.tail() if self.child else ""

    def end(self):
        if self.child:
            self.child.end()

    # --- what it costs ---

    def traffic_pids(self):
        """The processes that pass requests on."""
        return process.tree(self.roots())

    def traffic_cpu(self):
        return process.cpu_seconds(self.traffic_pids())

    def cpu_of_changes(self):
        """Processor seconds of everything, also of what has ended meanwhile."""
        return self._spent + process.cpu_seconds(process.tree(self.roots()), waited_for=True)

    def rss_mib(self):
        return process.rss_mib(process.tree(self.roots()))

    def run(self, argv):
        """A command that belongs to a change; raises BenchError where it fails."""
        code, output, cpu = process.run(argv)
        self._spent += cpu
        if code != 0:
            raise BenchError(f"{self.label}: {' '.join(argv)}: {output[-400:]}")

    def reap(self, pid):
        """True when this orphan of ours has ended; its cost is kept."""
        try:
            ended, _, usage = os.wait4(pid, os.WNOHANG)
        except ChildProcessError:
            return True
        if ended:
            self._spent += usage.ru_utime + usage.ru_stime
        return bool(ended)


def make_certificate(workspace):
    """(certificate, key, both in one file), for 127.0.0.1 and *.example.com."""
    cert, key = workspace.file("site.crt"), workspace.file("site.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "30", "-subj", "/CN=any.example.com", "-addext",
         "subjectAltName=IP:127.0.0.1,DNS:any.example.com,DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    folder = workspace.folder("certs")
    both = os.path.join(folder, "site.pem")
    with open(both, "w", encoding="ascii") as out:
        for part in (cert, key):
            with open(part, encoding="ascii") as text:
                out.write(text.read())
    os.chmod(key, 0o644)
    os.chmod(both, 0o644)
    return cert, key, both
