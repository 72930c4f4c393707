"""What a scenario needs around its proxies, and the end of all of it, whatever happens."""

from suite.engine import Engine
from suite.process import Workspace
from suite.sides import Swarmgate
from suite.sides.base import make_certificate
from suite.upstream import Upstream


class Stage:
    """A folder, a certificate, an upstream, and the sides that are put on it."""

    def __enter__(self):
        self.files = Workspace()
        self._ends = []
        try:
            self.certificate = make_certificate(self.files)
            self.upstream = self.ends(Upstream(self.files))
        except BaseException:
            self.__exit__()
            raise
        return self

    def ends(self, thing):
        """`thing.end()` is called at the end, the latest first."""
        self._ends.append(thing)
        return thing

    def side(self, kind, upstream=None, files=None):
        """A proxy that is not started yet."""
        return self.ends(kind(files or self.files, upstream or self.upstream, self.certificate))

    def swarm(self, served):
        """(An engine with these services, two tasks each; Swarmgate that is to listen to it). Both tasks'
        addresses are answered, whatever the path.
        """
        engine = self.ends(Engine(self.files.path, served, self.upstream.any_port))
        side = self.side(Swarmgate)
        side.engine_socket = engine.socket
        side.own_servers = False
        return engine, side

    def __exit__(self, *_):
        failures = []
        while self._ends:
            try:
                self._ends.pop().end()
            except Exception as error:  # the others must end as well
                failures.append(error)
        self.files.remove()
        if failures:
            raise failures[0]
