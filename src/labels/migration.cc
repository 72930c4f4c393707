// What whoever comes from Docker Flow Proxy has to know of its parameters. What a parameter does
// here is read from the table of parameters; only what differs is said by hand.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "labels/schema.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::labels {
namespace {

struct Known {
  std::string_view name;
  std::string_view differs = {};  ///< shown once the parameter has an effect here
};

// In the order of its documentation.
constexpr auto kPredecessor = std::to_array<Known>({
    {"notify", "Any spelling of a boolean; it is not handed on as a parameter."},
    {"serviceName",
     "In calls and static services only. A label cannot rename a service: two services of one name "
     "overwrote each other there."},
    {"aclName",
     "Ranks before everything but `/.well-known`; services without one are ordered by how specific "
     "their routes are, not by name. Two services may share one. The catch-all `/` stays behind."},
    {"addReqHeader",
     "Expressions and conditions of a list ([labels.md](labels.md#headers)); everything else needs "
     "ALLOW_RAW_CONFIG. `X-Forwarded-For`, `-Proto`, `-Host` and `-Port` are set, so that each is "
     "there once."},
    {"setReqHeader", "As `addReqHeader`."},
    {"addResHeader", "As `addReqHeader`."},
    {"setResHeader", "As `addReqHeader`."},
    {"delReqHeader"},
    {"delResHeader"},
    {"backendExtra",
     "Only with ALLOW_RAW_CONFIG. Lines that open a section or speak of servers are refused; what "
     "HAProxy refuses keeps out this service alone. `'`, `&`, `<` and `+` stay as they are."},
    {"checkResolvers", "Dead there; here names are always resolved at run time."},
    {"compressionAlgo", "The answers of this service, not those of all."},
    {"compressionType", "As `compressionAlgo`."},
    {"connectionMode", "`http-tunnel` and `forceclose` are gone from HAProxy: told."},
    {"discoveryType",
     "`DNS` asks for `tasks.<service>`, so for every task, and again all the time; what does not "
     "resolve harms no other service."},
    {"distribute",
     "All replicas are called at once, and the answer tells each one's outcome; one that "
     "fails makes no error, it catches up by itself."},
    {"isDefaultBackend", "Two such services: the older one is served, the other one is told."},
    {"proxyInstanceName",
     "A service that moves to another instance loses its route here. A call for another "
     "instance does nothing, as there."},
    {"redirectWhenHttpProto"},
    {"redirectUnlessHttpsProto"},
    {"replicas",
     "0 in a call removes the service, as there. Of a service that Docker knows, Docker says how "
     "many tasks there are; without any the route stays and answers 503."},
    {"reqPathSearch"},
    {"reqPathReplace"},
    {"serviceCert",
     "Read and compared with its key before it is served, for the names that stand in it."},
    {"serviceDomainAlgo",
     "The default is equality. `hdr_beg(host)`, the default there, lets `a.com` match "
     "`a.com.evil.net`; write it, or set SERVICE_DOMAIN_ALGO, to have it back."},
    {"serviceDomainMatchAll"},
    {"sessionType",
     "The cookie's value is a hash, and servers follow the tasks instead of being resolved "
     "once. Only `sticky-server`."},
    {"templateFePath",
     "[templates.md](templates.md): Mustache, and the part of Go's syntax that templates need. "
     "Only with ALLOW_RAW_CONFIG, and below TEMPLATES_PATH. The service is remembered."},
    {"templateBePath", "As `templateFePath`; alone it adds lines to the service's own backends."},
    {"users",
     "Asked for and not found: the service is not served. There, a random user locked everybody "
     "out."},
    {"usersSecret"},
    {"usersPassEncrypted",
     "Hashes that HAProxy would compute too long for every request are refused."},
    {"useGlobalUsers"},
    {"servicePort"},
    {"aclCondition",
     "There a suffix of the rule for `reqMode=sni`; here it holds in every mode. Whoever does not "
     "fulfil it gets 403, or is closed. It takes ALLOW_RAW_CONFIG."},
    {"debug"},
    {"debugFormat"},
    {"isGlobal"},
    {"lookupRetry", "Names are resolved again all the time."},
    {"lookupRetryInterval", "As `lookupRetry`."},
    {"tasks"},
    {"servicePath",
     "Of two paths that match, the more specific one wins: `/api/v2` before `/api`, whatever the "
     "services are called. Without `servicePath`, `serviceDomain` means all paths, as there."},
    {"servicePathExclude"},
    {"pathType",
     "The values of HAProxy; with several paths the keyword does not become a pattern. Regexes "
     "that "
     "could take long are refused."},
    {"port",
     "May be left out where the service or its image exposes exactly one. A value that is no port "
     "is told, not taken for 0."},
    {"serviceDomain",
     "Equality unless `serviceDomainAlgo` says otherwise. `*.a.com` and `*a.com` may stand beside "
     "other names, and each is a wildcard of its own."},
    {"serviceHeader"},
    {"userAgent"},
    {"srcPort",
     "The port must be one of DEFAULT_PORTS or BIND_PORTS, as there; if not, it is told. With "
     "`reqMode` tcp and sni the proxy opens it, as there."},
    {"httpsPort"},
    {"srcHttpsPort"},
    {"httpsOnly", "Also for DFP_SERVICE_… . TLS at one of TRUSTED_PROXIES counts."},
    {"httpsRedirectCode"},
    {"redirectFromDomain"},
    {"reqMode",
     "Two tcp services on one srcPort are a conflict, unless they are one serviceGroup; there the "
     "last one won in silence. The proxy's own ports cannot be had. With `srcTls` TLS is ended."},
    {"reqPathSearchReplace",
     "`\\,` and `\\:` stand for a comma and a colon; a regex that could take long is refused."},
    {"allowedMethods", "405 with `Allow`, not 403."},
    {"deniedMethods", "405 with `Allow`, not 403."},
    {"denyHttp", "TLS at one of TRUSTED_PROXIES counts."},
    {"ignoreAuthorization"},
    {"verifyClientSsl"},
    {"sslVerifyNone", "`sslVerify=true` verifies, which could not be had there."},
    {"outboundHostname",
     "Resolved at run time; a name that does not resolve harms no other service."},
    {"timeoutServer", "Seconds, as there, or with a unit: `500ms`, `5m`."},
    {"timeoutTunnel", "Seconds, as there, or with a unit."},
    {"timeoutClient",
     "As there, `timeoutTunnel` alone counts once a connection stands; that is told."},
    {"checkTcp"},
    {"clitcpka"},
    {"serviceGroup"},
    {"balanceGroup"},
    {"userDef"},
    {"shortName"},
});

std::string Here(const Parameter& parameter, std::string_view differs) {
  switch (parameter.effect) {
    case Effect::kHonoured:
      return differs.empty() ? "as there" : "honoured";
    case Effect::kAccepted:
      return "accepted, without effect yet";
    case Effect::kReplaced:
      return "replaced, and told";
    case Effect::kObsolete:
      return "told, and without effect";
    case Effect::kElsewhere:
      return "passed over in silence";
  }
  return "";
}

bool OfPredecessor(std::string_view name) {
  return std::any_of(kPredecessor.begin(), kPredecessor.end(),
                     [&](const Known& known) { return known.name == name; });
}

}  // namespace

std::vector<MigrationRow> MigrationRows() {
  std::vector<MigrationRow> rows;
  for (const Known& known : kPredecessor) {
    const Parameter* parameter = FindParameter(known.name).parameter;
    if (parameter == nullptr) continue;  // a test says so
    const bool effective =
        parameter->effect == Effect::kHonoured || parameter->effect == Effect::kAccepted;
    const std::string_view said = effective ? known.differs : parameter->help;
    rows.push_back(
        {std::string(parameter->name), Here(*parameter, known.differs), std::string(said)});
  }
  for (const Parameter& parameter : Parameters()) {
    if (parameter.effect != Effect::kObsolete) continue;
    rows.push_back({std::string(parameter.name), Here(parameter, {}),
                    "Dropped there, too." +
                        (parameter.help.empty() ? "" : " " + std::string(parameter.help) + ".")});
  }
  return rows;
}

std::vector<std::string> AddedParameters() {
  std::vector<std::string> added;
  for (const Parameter& parameter : Parameters()) {
    const bool effective =
        parameter.effect == Effect::kHonoured || parameter.effect == Effect::kAccepted;
    if (effective && !OfPredecessor(parameter.name)) added.emplace_back(parameter.name);
  }
  std::sort(added.begin(), added.end());
  return added;
}

}  // namespace swarmgate::labels
