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

/// One that restricts who may send what, and cannot: an error. Another one: told, and left out.
void CheckGiven(const std::vector<GivenForDest>& all, Placement& placement, Report& report) {
  for (const GivenForDest& it : all) {
    if (Lists(kForTcp, it.parameter->name)) continue;
    if (it.parameter->restricts ? IsOff(*it.given) : !it.own) continue;
    placement.About(*it.given->name, *it.given->value, *it.parameter);
    if (it.parameter->restricts) {
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
  if (dest.ignore_authorization || service.access.found.empty()) return;
  const bool own = !service.access.users.empty() || !service.access.secret.empty();
  const int index = dest.spec.index;
  const std::string suffix = index == 0 ? "" : "." + std::to_string(index);
  report.About(placement.Shown("reqMode" + suffix), "");
  if (own) {
    report.Error("not-for-tcp", "users can only be asked for with reqMode=http",
                 "Write " + placement.Shown("ignoreAuthorization" + suffix) +
                     "=true, if everybody may connect");
  } else {
    report.Warning("not-for-tcp",
                   "the users of USERS are not asked for: they can only be with reqMode=http",
                   "Restrict who may connect with " + placement.Shown("allowFrom" + suffix));
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
  CheckGiven(given, placement, report);
  CheckUsers(service, dest, placement, report);
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
