"""nginx, configured as nginx-proxy does it: an upstream and a location, or a server, per service,
and `nginx -s reload` for every change.
"""

from suite import process
from suite.process import Child
from suite.sides.base import THREADS, Side

HEAD = """worker_processes {threads};
worker_rlimit_nofile {files};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  server_tokens off;
  keepalive_requests 100000000;
  server_names_hash_max_size 65536;
  server_names_hash_bucket_size 128;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_certificate {certificate};
  ssl_certificate_key {key};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:SSL:50m;
  ssl_session_timeout 5m;
  ssl_session_tickets off;
  map $http_upgrade $proxy_connection {{ default upgrade; '' ''; }}
  proxy_http_version 1.1;
  proxy_buffering off;
  proxy_set_header Host $http_host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $proxy_connection;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Port $server_port;
"""


class Nginx(Side):
    key = "nginx"
    label = "nginx (as nginx-proxy)"
    short = "nginx"

    def _text(self, routes):
        text = HEAD.format(threads=THREADS, files=process.open_files(),
                           connections=process.open_files() * 9 // 10, folder=self.files.folder("nginx"),
                           certificate=self.certificate[0], key=self.certificate[1])
        for route in routes:
            text += (f"  upstream {route.name} {{ server {route.address}:{self.upstream.port}; "
                     "keepalive 32; }\n")
        listen = f"listen {self.http_port};"
        if self.tls:
            listen += f" listen {self.https_port} ssl http2;"
        if routes[0].domain:
            for route in routes:
                text += (f"  server {{ server_name {route.domain}; {listen} "
                         f"location / {{ proxy_pass http://{route.name}; }} }}\n")
        else:
            how = "~ " if routes[0].kind == "regex" else ""
            places = "".join(f"    location {how}{route.path} {{ proxy_pass http://{route.name}; }}\n"
                             for route in routes)
            text += f"  server {{ {listen}\n{places}  }}\n"
        return text + "}\n"

    def launch(self, routes):
        self._config = self.files.write("nginx.conf", self._text(routes))
        self.child = Child(["nginx", "-c", self._config], self.files.file("nginx.log"))

    def prepare(self, routes):
        text = self._text(routes)

        def change():
            self.files.write("nginx.conf", text)
            self.run(["nginx", "-c", self._config, "-s", "reload"])

        return change

    def replaced(self):
        workers = [pid for pid in process.tree(self.roots()) if pid != self.child.pid]
        return len(workers) - THREADS
