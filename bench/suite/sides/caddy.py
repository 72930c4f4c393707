"""Caddy, configured as caddy-docker-proxy does it: a Caddyfile with a site, or a handle, per
service, and POST /load of all of it for every change.
"""

import os

from suite.probe import Admin
from suite.process import Child, free_ports
from suite.sides.base import THREADS, Side


class Caddy(Side):
    key = "caddy"
    label = "Caddy (as caddy-docker-proxy)"
    short = "Caddy"

    def _text(self, routes):
        text = (f"{{\n  admin 127.0.0.1:{self.admin_port}\n  auto_https off\n"
                "  default_sni any.example.com\n}\n")
        places = [("http://", self.http_port, "")]
        if self.tls:
            places.append(("https://", self.https_port,
                           f"  tls {self.certificate[0]} {self.certificate[1]}\n"))
        for scheme, port, tls in places:
            if routes[0].domain:
                for route in routes:
                    text += f"{scheme}{route.domain}:{port} {{\n{tls}  {self._proxy(route)}\n}}\n"
                continue
            text += f"{scheme}:{port} {{\n{tls}"
            for route in routes:
                if route.kind == "regex":
                    text += f"  @{route.name} path_regexp {route.path}\n"
                    text += f"  handle @{route.name} {{\n    {self._proxy(route)}\n  }}\n"
                else:
                    text += f"  handle {route.path}* {{\n    {self._proxy(route)}\n  }}\n"
            text += "}\n"
        return text

    def _proxy(self, route):
        return f"reverse_proxy {route.address}:{self.upstream.port}"

    def launch(self, routes):
        (self.admin_port,) = free_ports(1)
        home = self.files.folder("caddy")
        config = self.files.write("Caddyfile", self._text(routes))
        env = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home,
               "GOMAXPROCS": str(THREADS)}
        self.child = Child(["caddy", "run", "--config", config, "--adapter", "caddyfile"],
                           self.files.file("caddy.log"), env)

    def prepare(self, routes):
        text = self._text(routes)
        return lambda: Admin(self.admin_port, timeout=120).must(
            "/load", "POST", text, {"Content-Type": "text/caddyfile"})
