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
`com.df.port.1`). Opt-in is by `com.df.notify=true`, always. What each label takes: [labels.md](labels.md).

| Label of Traefik, behind `traefik.` | Here, behind `com.df.` |
|---|---|
| `enable=true` | `notify=true` |
| ``http.routers.R.rule=Host(`a.com`)`` | `serviceDomain=a.com` |
| ``Host(`a.com`) \|\| Host(`b.com`)`` | `serviceDomain=a.com,b.com` |
| ``HostRegexp(`^.+\.a\.com$`)`` | `serviceDomain=*.a.com` |
| ``HostRegexp(`^h[0-9]\.a\.com$`)`` | `serviceDomain=^h[0-9]\.a\.com$` with `serviceDomainAlgo=hdr_reg(host)` |
| ``PathPrefix(`/api`)`` | `servicePath=/api` (`pathType=path_beg`, as there); with `path_dir` whole segments |
| ``Path(`/api`)`` | `servicePath=/api` with `pathType=path` |
| ``PathRegexp(`^/v[0-9]+`)`` | `servicePath=^/v[0-9]+` with `pathType=path_reg` |
| ``Host(…) && PathPrefix(…)`` | `serviceDomain` and `servicePath` of one destination |
| ``!PathPrefix(`/private`)`` | `servicePathExclude=/private` |
| ``Header(`X-Version`, `3`)`` | `serviceHeader=X-Version:3` |
| ``HeaderRegexp(`User-Agent`, `(?i)amiga`)`` | `userAgent=amiga`; of other headers only whole values are compared |
| ``Method(`GET`)`` | `allowedMethods=GET`, which does not match but refuse: other methods get 405, and no other route is tried |
| ``ClientIP(`10.0.0.0/8`)`` | `allowFrom=10.0.0.0/8`, which refuses as well: other addresses get 403 |
| ``Query(…)`` | nothing |
| `http.routers.R.priority=10` | `priority=10`. Often not needed: the most specific route wins, not the longest rule. A route with a priority comes before all without one |
| `http.routers.R.entrypoints=web` | `srcPort=8085`, where the proxy has several ports (`BIND_PORTS`) |
| `http.routers.R.tls=true`, `tls.certresolver` | nothing at the service: certificates are the proxy's ([tls.md](tls.md)), and none are ordered |
| `tls.options` with `clientAuth` | `verifyClientSsl=true`, and `CA_FILE` of the proxy |
| `http.services.S.loadbalancer.server.port=8080` | `port=8080` |
| `http.services.S.loadbalancer.server.scheme=https` | `protocol=https`. Traefik verifies the task's certificate, here that takes `sslVerify=true` |
| `http.services.S.loadbalancer.server.scheme=h2c` | `protocol=h2c` |
| `serverstransport` with `insecureSkipVerify` | `sslVerifyNone=true` |
| `serverstransport` with `serverName` | `protocol=https`, `sslServerName=backend.a.com` |
| `http.services.S.loadbalancer.sticky.cookie=true` | `sessionType=sticky-server`; the cookie's name is the proxy's |
| `http.services.S.loadbalancer.healthcheck.path=/health`, `.interval=5s` | `checkPath=/health`, `checkInterval=5s`; Docker's verdict (`HEALTHCHECK`) is followed anyway |
| `http.services.S.loadbalancer.responseforwarding.flushinterval` | nothing: answers are passed on as they come |
| `http.services.S.loadbalancer.passhostheader` | nothing: the host is always passed on |
| `http.services.S.weighted` (of the file provider) | `weight=10%` at services that claim the same host and path |
| `http.services.S.mirroring`, `.failover` | nothing |
| `http.middlewares.M.stripprefix.prefixes=/api` | `reqPathSearchReplace=^/api/?,/` |
| `http.middlewares.M.replacepathregex` | `reqPathSearchReplace=^/old/(.*),/new/\1` |
| `http.middlewares.M.addprefix.prefix=/app` | `reqPathSearchReplace=^/,/app/` |
| `http.middlewares.M.redirectscheme.scheme=https`, `.permanent=true` | `httpsOnly=true`, `httpsRedirectCode=301` |
| `http.middlewares.M.redirectregex` from `www.a.com` to `a.com` | `serviceDomain=a.com`, `redirectFromDomain=www.a.com`; nothing for other redirects |
| `http.middlewares.M.basicauth.users` | `users` with `usersPassEncrypted=true`. Hashes are those of crypt(3), as `mkpasswd` or `htpasswd -B` makes them (bcrypt up to cost 10); `$apr1$` is none |
| `http.middlewares.M.basicauth.usersfile` | `usersSecret=admins` with `usersPassEncrypted=true`: the proxy's Docker secret `dfp_users_admins` |
| `http.middlewares.M.digestauth`, `.forwardauth` | nothing |
| `http.middlewares.M.ipallowlist.sourcerange` (`ipwhitelist`) | `allowFrom=10.0.0.0/8`; there is `denyFrom` as well |
| `http.middlewares.M.ratelimit.average=100`, `.period=10s` | `rateLimit=100/10s` for each address, in 1s, 10s, 1m or 1h; no burst above it |
| `http.middlewares.M.inflightreq.amount=10` | `maxconn=10`: of each task, and more requests wait instead of being refused |
| `http.middlewares.M.retry.attempts=4` | `retries=3`: times after the first, and only of what may be sent twice. Three are the default |
| `http.middlewares.M.errors` | `errorPage=503:<h1>Back soon</h1>`: the page itself, not a service that has it |
| `http.middlewares.M.circuitbreaker`, `.buffering` | nothing |
| `http.middlewares.M.headers.customrequestheaders.X=v` | `setReqHeader=X v`; where `v` is empty there `delReqHeader=X` |
| `http.middlewares.M.headers.customresponseheaders.X=v` | `setResHeader=X v`; where `v` is empty there `delResHeader=X` |
| `http.middlewares.M.headers.stsseconds=31536000`, `.stsincludesubdomains` | `hsts=max-age=31536000; includeSubDomains` |
| `http.middlewares.M.headers.accesscontrolalloworiginlist=https://app.a.com`, `.accesscontrol…` | `corsOrigin=https://app.a.com`, `corsMethods`, `corsHeaders`, `corsCredentials`, `corsMaxAge` |
| `http.middlewares.M.headers.framedeny=true` and the like | `setResHeader=X-Frame-Options DENY` |
| `http.middlewares.M.compress=true` | `compressionAlgo=gzip` |
| ``tcp.routers.R.rule=HostSNI(`*`)`` | `reqMode=tcp`, `srcPort=6379`, `port=6379`; `srcTls=true` where Traefik ends TLS |
| ``HostSNI(`a.com`)`` with `tls.passthrough=true` | `reqMode=sni`, `srcPort=8883`, `port=8883`, `serviceDomain=a.com` |
| `tcp.services.S.loadbalancer.proxyprotocol.version=2` | `sendProxy=true` |
| `udp.…` | nothing |
| `docker.network=proxy` (`swarm.network`) | `network=proxy` |
| `docker.lbswarm=true` (`swarm.lbswarm`) | nothing: requests always go to tasks |

## From nginx-proxy

nginx-proxy reads variables of containers; here they are labels, of the container (`docker run --label`,
`labels:`) or of the Swarm service (`deploy.labels:`). `com.df.notify=true` beside them.

| There | Here, behind `com.df.` |
|---|---|
| `VIRTUAL_HOST=a.com,b.com` | `serviceDomain=a.com,b.com` |
| `VIRTUAL_HOST=*.a.com` | `serviceDomain=*.a.com` (up to four labels deep) |
| `VIRTUAL_HOST=~^x\..*\.com$` | `serviceDomain=^x\..*\.com$` with `serviceDomainAlgo=hdr_reg(host)` |
| `VIRTUAL_HOST` and `VIRTUAL_PATH=/api` | `serviceDomain=a.com`, `servicePath=/api` |
| `VIRTUAL_DEST=/` | `reqPathSearchReplace=^/api/?,/` |
| `VIRTUAL_PORT=8080` | `port=8080`; the only exposed port is taken without it |
| `VIRTUAL_HOST_MULTIPORTS` | destinations: `serviceDomain.1`, `port.1`, `serviceDomain.2`, … |
| `VIRTUAL_PROTO=https` | `protocol=https`; with `sslVerify=true` the task's certificate is verified |
| `VIRTUAL_PROTO=grpc` | `protocol=h2c` |
| `VIRTUAL_PROTO=grpcs` | `protocol=h2` |
| `VIRTUAL_PROTO=fastcgi`, `uwsgi` | nothing |
| `DEFAULT_HOST` (of the proxy) | `isDefaultBackend=true` at the service |
| `NETWORK_ACCESS=internal` | `allowFrom=127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16` |
| `HTTPS_METHOD=redirect` (the default there) | `httpsOnly=true`, `httpsRedirectCode=301` |
| `HTTPS_METHOD=noredirect` (the default here) | nothing |
| `HTTPS_METHOD=nohttp` | `denyHttp=true` |
| `HTTPS_METHOD=nohttps` | `srcPort=80` |
| `HSTS` (on by default there) | `hsts=max-age=31536000`, or `hsts=true`; off by default here |
| `SSL_POLICY` | nothing at the service: `SSL_BIND_OPTIONS` and `SSL_BIND_CIPHERS` of the proxy |
| `CERT_NAME`, `/etc/nginx/certs` | nothing at the service: certificates are the proxy's ([tls.md](tls.md)) |
| `LETSENCRYPT_HOST`, `ACME_HOST` | nothing: no certificates are ordered |
| `com.github.nginx-proxy.nginx-proxy.ssl_verify_client=on` | `verifyClientSsl=true`, and `CA_FILE` of the proxy |
| `/etc/nginx/htpasswd/a.com` | `usersSecret=admins` with `usersPassEncrypted=true`: the proxy's Docker secret `dfp_users_admins`, with hashes as above |
| `com.github.nginx-proxy.nginx-proxy.keepalive` | nothing: connections to tasks are kept |
| `com.github.nginx-proxy.nginx-proxy.loadbalance=ip_hash;` | `balance=source` |
| `com.github.nginx-proxy.nginx-proxy.loadbalance=least_conn;` | `balance=leastconn` |
| `com.github.nginx-proxy.nginx-proxy.loadbalance=random;` | `balance=random` |
| `DISABLE_ACCESS_LOGS` | nothing at the service: requests are logged where the proxy has `ACCESS_LOG` |
| `proxy_read_timeout` | `timeoutServer=60` |
| `client_max_body_size` | nothing: there is no limit |
| `/etc/nginx/vhost.d/a.com` | `backendExtra=http-response set-header X-A b`: lines of HAProxy, where the operator allows it (`ALLOW_RAW_CONFIG`) |
)";

}  // namespace

std::string MigratingMarkdown() {
  std::string added;
  for (const std::string& name : labels::AddedParameters()) {
    added += (added.empty() ? "`" : ", `") + name + "`";
  }
  return std::string(kHead) +
         "Each label, variable and call of theirs, what it does here and what differs: "
         "[compatibility.md](compatibility.md).\n\nLabels that are new here, see "
         "[labels.md](labels.md): " +
         added + ".\n" + std::string(kOthers);
}

}  // namespace swarmgate::app
