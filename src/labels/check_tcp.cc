#include "labels/check_tcp.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "labels/templates.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

constexpr std::string_view kOnlyHttp = "it only works with reqMode=http";

/// Parameters of a destination that mean something without requests.
constexpr auto kForTcp = std::to_array<std::string_view>({
    "allowFrom",     "balance",          "balanceGroup",
    "checkInterval", "checkTcp",         "clitcpka",
    "denyFrom",      "drainTimeout",     "ignoreAuthorization",
    "maxconn",       "outboundHostname", "pathType",
    "port",          "reqMode",          "retries",
    "sendProxy",     "serviceDomain",    "serviceGroup",
    "servicePath",   "srcPort",          "srcTls",
    "sslServerName", "sslVerify",        "sslVerifyNone",
    "timeoutClient", "timeoutServer",    "timeoutTunnel",
});

/// Parameters of a destination that mean something only without requests.
constexpr auto kOnlyTcp = std::to_array<std::string_view>(
    {"balanceGroup", "checkTcp", "clitcpka", "serviceGroup", "srcTls", "timeoutClient"});

/// Those that restrict requests, and that Docker Flow Proxy, too, applies to destinations with
/// reqMode=http only.
constexpr auto kRestrictRequests =
    std::to_array<std::string_view>({"allowedMethods", "deniedMethods", "denyHttp", "httpsOnly"});

/// Parameters of a whole service that mean nothing without requests.
constexpr auto kServiceOnlyHttp = std::to_array<std::string_view>(
    {"addReqHeader", "addResHeader", "compressionAlgo", "compressionType", "connectionMode",
     "delReqHeader", "delResHeader", "isDefaultBackend", "redirectUnlessHttpsProto",
     "redirectWhenHttpProto", "reqPathReplace", "reqPathSearch", "serviceDomainAlgo",
     "serviceDomainMatchAll", "sessionType", "setReqHeader", "setResHeader"});

template <typename Names>
bool Lists(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsOff(const Given& given) { return ParseBool(Trim(*given.value)) == false; }

void TellOfOthers(Report& report) {
  report.Warning("not-for-tcp",
                 std::string(kOnlyHttp) +
                     ", so it concerns the destinations that have that, and not the others",
                 "Restrict the others with allowFrom and their index");
}

/// One that restricts who may send what, and cannot: an error, unless it was said for all
/// destinations, and there are some that it concerns. Another one: told, and left out.
void CheckGiven(const ServiceDraft& service, const std::vector<GivenForDest>& all,
                Placement& placement, Report& report) {
  for (const GivenForDest& it : all) {
    if (Lists(kForTcp, it.parameter->name)) continue;
    if (it.parameter->restricts ? IsOff(*it.given) : !it.own) continue;
    placement.About(*it.given->name, *it.given->value, *it.parameter);
    const bool of_others =
        service.beside_http && !it.own && Lists(kRestrictRequests, it.parameter->name);
    if (of_others) {
      TellOfOthers(report);
    } else if (it.parameter->restricts) {
      report.Error("not-for-tcp",
                   std::string(kOnlyHttp) +
                       ", and without it the service would be open to more than its owner wants",
                   "Leave it out, or restrict it with allowFrom");
    } else {
      report.Warning("not-for-tcp", std::string(kOnlyHttp) + ", so it has no effect",
                     "Leave it out");
    }
  }
}

void CheckUsers(const ServiceDraft& service, const DestDraft& dest, const Placement& placement,
                Report& report) {
  // Whoever is meant may not be found here: a secret is elsewhere.
  const AccessDraft& access = service.access;
  const bool own = !access.users.empty() || !access.secret.empty() || access.use_global;
  if (dest.ignore_authorization || (!own && access.found.empty())) return;
  const int index = dest.spec.index;
  const std::string suffix = index == 0 ? "" : "." + std::to_string(index);
  report.About(placement.Shown("reqMode" + suffix), "");
  if (own && service.beside_http) {
    report.Warning(
        "not-for-tcp",
        "users are only asked for by the destinations with reqMode=http, not by this one",
        "Restrict who may connect with " + placement.Shown("allowFrom" + suffix));
  } else if (own) {
    report.Error("not-for-tcp", "users can only be asked for with reqMode=http",
                 "Write " + placement.Shown("ignoreAuthorization" + suffix) +
                     "=true, if everybody may connect");
  } else {
    report.Warning("not-for-tcp",
                   "the users of USERS are not asked for: they can only be with reqMode=http",
                   "Restrict who may connect with " + placement.Shown("allowFrom" + suffix));
  }
}

/// HAProxy measures a connection that stands by its tunnel's timeout alone, which is never absent:
/// connections that are kept for later, as those to databases, outlive the others.
void CheckTimeouts(const DestDraft& dest, const std::vector<GivenForDest>& given,
                   Placement& placement, Report& report) {
  if (dest.spec.policy->timeout_tunnel) return;
  const std::string suffix = dest.spec.index == 0 ? "" : "." + std::to_string(dest.spec.index);
  for (const GivenForDest& it : given) {
    const std::string_view name = it.parameter->name;
    if (!it.own || (name != "timeoutClient" && name != "timeoutServer")) continue;
    placement.About(*it.given->name, *it.given->value, *it.parameter);
    report.Warning("no-effect", "once a connection stands, only timeoutTunnel limits its silence",
                   "Write " + placement.Shown("timeoutTunnel" + suffix));
  }
}

void CheckBalance(model::Balance& balance, Report& report) {
  using Algorithm = model::Balance::Algorithm;
  if (balance.algorithm != Algorithm::kUri && balance.algorithm != Algorithm::kHeader) return;
  balance = {};
  report.Warning("not-for-tcp", "there are no requests by which tasks could be chosen",
                 "Write one of roundrobin, leastconn, source, first, random");
}

/// What is left of what applies to requests.
void TakeOff(model::DestSpec& spec) {
  model::Policy policy;
  policy.timeout_server = spec.policy->timeout_server;
  policy.timeout_tunnel = spec.policy->timeout_tunnel;
  spec.policy = std::move(policy);
  model::Profile profile;
  profile.balance = spec.profile->balance;
  profile.allow_from = spec.profile->allow_from;
  profile.deny_from = spec.profile->deny_from;
  profile.retries = spec.profile->retries;
  profile.ca_file = spec.profile->ca_file;
  profile.raw = spec.profile->raw;
  spec.profile = std::move(profile);
  spec.headers.clear();
  spec.user_agents.clear();
  spec.redirect_from.clear();
  spec.path_excludes.clear();
  spec.weight.reset();
  spec.priority = 0;
  spec.https_port.reset();
  spec.src_https_port.reset();
  spec.server.Edit().http2 = false;
}

}  // namespace

void CheckTcp(const ServiceDraft& service, const std::vector<GivenForDest>& given,
              Placement& placement, DestDraft& dest, Report& report) {
  constexpr std::chrono::milliseconds kCheckInterval{2000};
  model::DestSpec& spec = dest.spec;
  const std::string suffix = spec.index == 0 ? "" : "." + std::to_string(spec.index);
  const auto shown = [&](const char* name) { return placement.Shown(name + suffix); };
  if (!spec.src_port || !spec.port) {
    report.About(shown(spec.src_port ? "port" : "srcPort"), "");
    return report.Error("missing-src-port",
                        "When NOT using reqMode http (e.g. tcp), srcPort and port parameters are "
                        "mandatory.",
                        "Write " + shown("srcPort") + "=<port of the proxy> and " + shown("port") +
                            "=<port of the service>");
  }
  const bool sni = spec.mode == model::ReqMode::kSni;
  report.About(shown("reqMode"), sni ? "sni" : "tcp");
  if (sni && spec.tcp->names.empty()) {
    report.Error("missing-path", "With reqMode=sni, servicePath or serviceDomain is mandatory",
                 "Write " + shown("serviceDomain") + "=<name that clients ask for>");
  }
  if (sni && spec.tcp->tls) {
    report.Error("not-for-sni", "with reqMode=sni the service itself ends TLS",
                 "Leave " + shown("srcTls") + " out, or write reqMode=tcp");
  }
  report.About(shown("balance"), "");
  CheckBalance(spec.profile.Edit().balance, report);
  CheckGiven(service, given, placement, report);
  CheckUsers(service, dest, placement, report);
  CheckTimeouts(dest, given, placement, report);
  TakeOff(spec);
  if (const std::string_view ignored = FirstHttpLine(spec.profile->raw); !ignored.empty()) {
    report.About(placement.Shown("backendExtra"), "");
    report.Error("not-for-tcp",
                 "HAProxy ignores " + Quoted(ignored) + " where it reads no requests",
                 "Write tcp-request content … instead");
  }
  if (dest.check_tcp && !spec.server->check_interval) {
    spec.server.Edit().check_interval = kCheckInterval;
  }
}

void TellHttp(const std::vector<model::DestSpec>& dests, Placement& placement, Report& report) {
  const auto table = placement.table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (!Lists(kOnlyTcp, table[i].name)) continue;
    for (std::size_t index = 0; index <= kMaxIndex; ++index) {
      const Given& given = placement.At(i, index);
      if (given.name == nullptr || IsOff(given) || Trim(*given.value).empty()) continue;
      const auto is_its = [index](const model::DestSpec& dest) {
        return index == 0 || dest.index == static_cast<int>(index);
      };
      const auto its_http = [&is_its](const model::DestSpec& dest) {
        return is_its(dest) && dest.mode == model::ReqMode::kHttp;
      };
      const auto all = std::count_if(dests.begin(), dests.end(), is_its);
      if (all == 0 || std::count_if(dests.begin(), dests.end(), its_http) != all) continue;
      placement.About(*given.name, *given.value, table[i]);
      report.Warning("not-for-http",
                     "it only works with reqMode=tcp or reqMode=sni, so it has no effect",
                     "Leave it out");
    }
  }
}

void TellServiceOfTcp(Placement& placement, Report& report) {
  const auto table = placement.table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Given& given = placement.At(i, 0);
    if (!Lists(kServiceOnlyHttp, table[i].name) || given.name == nullptr || IsOff(given)) continue;
    placement.About(*given.name, *given.value, table[i]);
    report.Warning("not-for-tcp", std::string(kOnlyHttp) + ", so it has no effect", "Leave it out");
  }
}

}  // namespace swarmgate::labels
