#include "app/migrating.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "app/option_table.h"
#include "swarmgate/app/options.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::app {
namespace {

constexpr std::string_view kHead = R"(# Migrating

<!-- Written by the program; a test compares. After a change of its tables:
     UPDATE_GOLDEN=1 build/dev/test/app_test -->

## From Docker Flow Proxy and Docker Flow Swarm Listener

Swarmgate takes the place of both. It reads the same labels, listens to Docker itself, and answers the
same API calls ([api.md](api.md)).

1. Look at what your services would become, before anything is changed:
   `docker service inspect $(docker service ls -q) | swarmgate lint -`. It names every label that has no
   effect here or means something else.
2. Start it as a service on the proxy's network, on a manager, with the Docker socket, and other
   published ports than the old proxy's. `DATA_DIR` wants a volume.
3. Compare: `swarmgate services`, `swarmgate why http://host/path`, and requests to the other ports.
4. Take the old proxy's ports, and remove it and its listener.

What is different as a whole:

| There | Here |
|---|---|
| A change is a new configuration and a reload, half a second each, one after the other | Commands to the running HAProxy; a reload only where HAProxy fixes something in its configuration |
| An update that HAProxy refuses takes away the route that worked | It is left out, its owner is told, the others go on |
| One name that does not resolve stops every further change | That service has no server, the others do not notice |
| Requests go to the virtual IP of the service | To its tasks; one that is about to end gets no new request |
| Routes by name (`aclName`): `/api` of `a` before `/api/v2` of `b` | The most specific route, and `aclName` where it is given ([routing.md](routing.md)) |
| `hdr_beg(host)` compares domains | Equality, `SERVICE_DOMAIN_ALGO=hdr_beg(host)` for the former |
| A service without a running task is removed | Its routes stay and answer 503 with `Retry-After` |
| Whoever reaches the API may change everything, and reads passwords and keys | Changes want a token, or this machine, or `MODE=swarm`; secrets are never shown |
| A mistyped label is passed over | A diagnostic in the log, `swarmgate services`, the API and a metric |
| Lists end at the first missing index; values cannot hold a comma | Gaps are allowed; `\,` is a comma |

)";

constexpr std::string_view kOthers = R"(
## From Traefik

Traefik keeps routers, services and middlewares apart; here one service has destinations, each with its
hosts, paths and port. What is named by a router there is an index here (`com.df.serviceDomain.1`,
`com.df.port.1`). Opt-in is by `com.df.notify=true`, always.

| Label of Traefik, behind `traefik.` | Here, behind `com.df.` |
|---|---|
| `enable=true` | `notify=true` |
| ``http.routers.R.rule=Host(`a.com`)`` | `serviceDomain=a.com` |
| ``Host(`a.com`) \|\| Host(`b.com`)`` | `serviceDomain=a.com,b.com` |
| ``HostRegexp(`…`)`` | `serviceDomain=*.a.com`, or a regex with `serviceDomainAlgo=hdr_reg(host)` |
| ``PathPrefix(`/api`)`` | `servicePath=/api` (`path_beg`, as there); `pathType=path_dir` for whole segments |
| ``Path(`/api`)`` | `servicePath=/api`, `pathType=path` |
| ``PathRegexp(`^/v[0-9]+`)`` | `servicePath=^/v[0-9]+`, `pathType=path_reg` |
| ``Host(…) && PathPrefix(…)`` | `serviceDomain` and `servicePath` of one destination |
| ``!PathPrefix(`/private`)`` | `servicePathExclude=/private` |
| ``Header(…)``, ``Method(…)``, ``ClientIP(…)`` | see the labels above: `serviceHeader`, `allowedMethods` |
| `http.routers.R.priority=10` | `aclName=05-name`: byte order, not a number. Often not needed: the most specific route wins, not the longest rule |
| `http.routers.R.entrypoints=web` | `srcPort=8085`, where the proxy has several ports (`BIND_PORTS`) |
| `http.routers.R.tls=true`, `tls.certresolver` | nothing at the service: certificates are the proxy's |
| `http.services.S.loadbalancer.server.port=8080` | `port=8080` |
| `http.services.S.loadbalancer.server.scheme=https` | `sslVerifyNone=true`, see above |
| `http.services.S.loadbalancer.sticky.cookie=true` | `sessionType=sticky-server` |
| `http.services.S.loadbalancer.healthcheck.path` | a `HEALTHCHECK` of the image: Docker's verdict is followed |
| `http.services.S.loadbalancer.responseforwarding.flushinterval` | nothing: answers are passed on as they come |
| `http.middlewares.M.stripprefix.prefixes=/api` | `reqPathSearchReplace=^/api/?,/` |
| `http.middlewares.M.replacepathregex` | `reqPathSearchReplace=search,replacement` |
| `http.middlewares.M.addprefix.prefix=/app` | `reqPathSearchReplace=^/,/app/` |
| `http.middlewares.M.redirectscheme.scheme=https` | `httpsOnly=true`, see above |
| `http.middlewares.M.basicauth.users` | `users` with `usersPassEncrypted=true`, or `usersSecret`, see above |
| `http.middlewares.M.headers.customrequestheaders.X=v` | `setReqHeader=X v`, see above |
| `http.middlewares.M.headers.customresponseheaders.X=v` | `setResHeader=X v`, see above |
| `http.middlewares.M.compress=true` | `compressionAlgo=gzip`, see above |
| `tcp.routers.…` | `reqMode=tcp`, see above |
| `docker.network=proxy` (`swarm.network`) | `network=proxy` |
| `docker.lbswarm=true` | nothing: requests always go to tasks |

*See above*: the table of labels says whether this version honours it.

## From nginx-proxy

nginx-proxy reads variables of containers; here they are labels, of the container (`docker run --label`,
`labels:`) or of the Swarm service (`deploy.labels:`). `com.df.notify=true` beside them.

| There | Here, behind `com.df.` |
|---|---|
| `VIRTUAL_HOST=a.com,b.com` | `serviceDomain=a.com,b.com` |
| `VIRTUAL_HOST=*.a.com` | `serviceDomain=*.a.com` (up to four labels deep) |
| `VIRTUAL_HOST=~^x\..*\.com$` | `serviceDomain=^x\..*\.com$`, `serviceDomainAlgo=hdr_reg(host)` |
| `VIRTUAL_HOST` and `VIRTUAL_PATH=/api` | `serviceDomain`, `servicePath=/api` |
| `VIRTUAL_DEST=/` | `reqPathSearchReplace=^/api/?,/` |
| `VIRTUAL_PORT=8080` | `port=8080`; the only exposed port is taken without it |
| `VIRTUAL_HOST_MULTIPORTS` | destinations: `serviceDomain.1`, `port.1`, `serviceDomain.2`, … |
| `VIRTUAL_PROTO=https` | `sslVerifyNone=true`, see above |
| `DEFAULT_HOST` (of the proxy) | `isDefaultBackend=true` at the service |
| `NETWORK_ACCESS=internal` | nothing at the service: a port of its own (`BIND_PORTS`) that only the inside reaches, and `srcPort` |
| `HTTPS_METHOD=redirect` | `httpsOnly=true`, see above |
| `HTTPS_METHOD=nohttp` | `denyHttp=true`, see above |
| `CERT_NAME`, `/etc/nginx/certs` | nothing at the service: certificates are the proxy's |
| `LETSENCRYPT_HOST` | nothing: no certificates are ordered |
| `/etc/nginx/htpasswd/a.com` | `usersSecret`, see above |
| `com.github.nginx-proxy.nginx-proxy.keepalive` | nothing: connections to tasks are kept |
| `com.github.nginx-proxy.nginx-proxy.loadbalance=ip_hash` | `sessionType=sticky-server` |
| `/etc/nginx/vhost.d/a.com` | nothing like it; `backendExtra`, see above |
)";

struct Variable {
  std::string_view name;
  std::string_view note = {};
};

constexpr auto kVariables = std::to_array<Variable>({
    {"BIND_PORTS"},
    {"CA_FILE"},
    {"CAPTURE_REQUEST_HEADER"},
    {"CERTS", "dead there, too"},
    {"CFG_TEMPLATE_PATH"},
    {"CHECK_RESOLVERS", "names are resolved again all the time, whatever it says"},
    {"COMPRESSION_ALGO"},
    {"COMPRESSION_TYPE"},
    {"CONNECTION_MODE"},
    {"CONSUL_ADDRESS", "of the first releases; `swarmgate import-consul` takes their keys over"},
    {"CRT_LIST_PATH"},
    {"DEBUG", "LOG_LEVEL is for the log of the program itself"},
    {"DEBUG_ERRORS_ONLY"},
    {"DEBUG_HTTP_FORMAT"},
    {"DEBUG_TCP_FORMAT"},
    {"DEFAULT_PORTS", "also `address:port`"},
    {"DEFAULT_PROTOCOL"},
    {"DEFAULT_REQ_MODE"},
    {"DF_NOTIFY_LABEL", "of the listener; the prefix of all labels follows from it"},
    {"DF_NOTIFY_CREATE_SERVICE_URL",
     "of the listener, which is built in: nobody has to be notified"},
    {"DF_DOCKER_HOST", "of the listener: DOCKER_HOST"},
    {"DFP_SERVICE_…", "as there, and with every parameter, index and number"},
    {"DO_NOT_RESOLVE_ADDR", "always so: nothing is resolved when a configuration is loaded"},
    {"ENABLE_H2"},
    {"EXTRA_FRONTEND"},
    {"EXTRA_GLOBAL"},
    {"FILTER_PROXY_INSTANCE_NAME"},
    {"HEALTHCHECK",
     "`/healthz` and `/readyz`; whether Docker answers does not decide about health"},
    {"HTTPS_ONLY"},
    {"IP"},
    {"LISTENER_ADDRESS"},
    {"MODE", "`swarm` also lets calls that change something in from other machines"},
    {"PORT"},
    {"PREFERRED_CERTIFICATE"},
    {"PROXY_INSTANCE_NAME"},
    {"RECONFIGURE_ATTEMPTS", "not needed: a change that is refused is not tried again"},
    {"RELOAD_ATTEMPTS", "not needed: the listener is built in"},
    {"RELOAD_INTERVAL", "not needed: the listener is built in"},
    {"REPEAT_RELOAD", "not needed: everything is listed again all the time, and nothing reloads"},
    {"RESOLVERS"},
    {"SEPARATOR", "a separator inside a value is written with `\\` before it"},
    {"SERVICE_DOMAIN_ALGO", "the default is equality, not `hdr_beg(host)`"},
    {"SERVICE_NAME"},
    {"SKIP_ADDRESS_VALIDATION", "not needed: a name that does not resolve harms nobody else"},
    {"SSL_BIND_CIPHERS"},
    {"SSL_BIND_OPTIONS"},
    {"STATS_PASS"},
    {"STATS_PORT"},
    {"STATS_URI"},
    {"STATS_USER"},
    {"TERMINATE_ON_RELOAD", "HARD_STOP_AFTER says how long a replaced process may live on"},
    {"TIMEOUT_CLIENT"},
    {"TIMEOUT_CONNECT"},
    {"TIMEOUT_HTTP_KEEP_ALIVE"},
    {"TIMEOUT_HTTP_REQUEST"},
    {"TIMEOUT_QUEUE"},
    {"TIMEOUT_SERVER"},
    {"TIMEOUT_TUNNEL"},
    {"USERS"},
    {"USERS_PASS_ENCRYPTED"},
});

const OptionRow* FindRow(std::string_view name) {
  for (const OptionRow& row : OptionTable()) {
    if (name == row.name || (row.alias != nullptr && name == row.alias)) return &row;
  }
  return nullptr;
}

/// Do the program's warnings name this variable when it is set?
bool IsTold(std::string_view name) {
  OptionSources sources;
  sources.root = true;
  sources.environment[std::string(name)] = "1";
  const auto options = ReadOptions(sources);
  return options && std::any_of(options->warnings.begin(), options->warnings.end(),
                                [&](const std::string& warning) {
                                  return warning.find(name) != std::string::npos;
                                });
}

std::string Here(const Variable& variable) {
  if (variable.name.starts_with("DFP_SERVICE_")) return "honoured";
  if (IsTold(variable.name)) return "told at the start, and without effect";
  if (FindRow(variable.name) != nullptr) return variable.note.empty() ? "as there" : "honoured";
  return "not known";
}

std::string Variables() {
  std::string out = "| Variable | Here | Note |\n|---|---|---|\n";
  for (const Variable& variable : kVariables) {
    out += "| `" + std::string(variable.name) + "` | " + Here(variable) + " | " +
           (variable.note.empty() ? "–" : std::string(variable.note)) + " |\n";
  }
  return out;
}

}  // namespace

std::string MigratingMarkdown() {
  return std::string(kHead) + "### Labels\n\n" + labels::MigrationTable() +
         "\n### Variables\n\nAlso as a Docker secret `dfp_<variable in lower case>`. All options: "
         "[options.md](options.md).\n\n" +
         Variables() + std::string(kOthers);
}

}  // namespace swarmgate::app
