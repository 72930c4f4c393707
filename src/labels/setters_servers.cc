// How tasks are spoken to, and which of them gets a request.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "labels/log_format.h"
#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/model/names.h"

namespace swarmgate::labels::set {
namespace {

using Tls = model::ServerOptions::Tls;
using std::chrono::milliseconds;

// The longest that a limit may be; beyond it nothing is limited in practice.
constexpr std::uint64_t kMostConnections = 1'000'000;
constexpr milliseconds kDefaultCheck{2000};
constexpr milliseconds kShortestCheck{100};

bool IsCheckPath(std::string_view text) {
  return text.size() <= 1024 && text.starts_with('/') && IsPrintableAscii(text) &&
         text.find_first_of(" #") == std::string_view::npos;
}

}  // namespace

void SslVerifyNone(Setting& setting) {
  bool wanted = false;
  Boolean(setting, wanted);
  if (wanted) setting.dest->spec.server.Edit().tls = Tls::kUnverified;
}

void SslVerify(Setting& setting) {
  bool wanted = false;
  Boolean(setting, wanted);
  if (!wanted) return;
  if (setting.dest->spec.server->tls == Tls::kUnverified) {
    return setting.report.Error("contradiction", "sslVerifyNone says the opposite",
                                "Leave sslVerifyNone out");
  }
  if (setting.options.upstream_ca.empty()) {
    return setting.report.Error(
        "no-authorities",
        "the proxy has no certificates of authorities to verify the service's one against",
        "Give the proxy the option UPSTREAM_CA_FILE, or the system's certificates "
        "(ca-certificates)");
  }
  setting.dest->spec.server.Edit().tls = Tls::kVerified;
  setting.dest->spec.server.Edit().ca_file = setting.options.upstream_ca;
  setting.dest->spec.profile.Edit().ca_file = setting.options.upstream_ca;
}

void Protocol(Setting& setting) {
  model::ServerOptions& server = setting.dest->spec.server.Edit();
  const std::string_view value = setting.value;
  const bool tls = value == "https" || value == "h2";
  if (!tls && value != "http" && value != "h2c") {
    return setting.report.Error("bad-protocol", "there is no such protocol");
  }
  if (!tls && server.tls != Tls::kNone) {
    return setting.report.Error("contradiction",
                                std::string(value) + " is not encrypted, but " +
                                    (server.tls == Tls::kVerified ? "sslVerify" : "sslVerifyNone") +
                                    " asks for TLS",
                                value == "h2c" ? "Write protocol=h2" : "Write protocol=https");
  }
  server.http2 = value == "h2" || value == "h2c";
  if (tls && server.tls == Tls::kNone) {
    server.tls = Tls::kUnverified;
    setting.report.Info("tls-unverified", "the service's certificate is not verified",
                        "Add sslVerify=true, or sslVerifyNone=true to say that it is meant so");
  }
}

void SslServerName(Setting& setting) {
  model::ServerOptions& server = setting.dest->spec.server.Edit();
  const std::string lower = ToLower(setting.value);
  if (!IsHostName(lower)) {
    return setting.report.Error("bad-host", "it is not a host name");
  }
  if (server.tls == Tls::kNone) {
    return setting.report.Warning("no-effect", "without TLS to the service it has no effect",
                                  "Add sslVerify=true");
  }
  server.tls_name = lower;
}

bool CompleteServer(model::DestSpec& dest, const model::ServiceSpec& service) {
  if (dest.profile->check_path) {
    const auto named = std::find_if(dest.hosts.begin(), dest.hosts.end(),
                                    [](const auto& host) { return !model::OwnName(host).empty(); });
    if (named != dest.hosts.end()) dest.profile.Edit().check_host = model::OwnName(*named);
  }
  model::ServerOptions& server = dest.server.Edit();
  if (server.tls == Tls::kNone || !server.tls_name.empty()) return true;
  // Any certificate of a public authority would do for a server whose name is not asked for.
  const bool own = dest.outbound_hostname.empty();
  if (!own && !ParseAddress(dest.outbound_hostname)) {
    server.tls_name = ToLower(dest.outbound_hostname);
  } else if (own && server.tls == Tls::kVerified) {
    server.tls_name = ToLower(service.name.str());
  }
  return server.tls != Tls::kVerified || !server.tls_name.empty();
}

void SendProxy(Setting& setting) { Boolean(setting, setting.dest->spec.server.Edit().send_proxy); }

void MaxConnections(Setting& setting) {
  const auto number = ParseUint(setting.value, kMostConnections);
  if (!number || *number == 0) {
    return setting.report.Error("bad-number", "it is not a number from 1 to 1000000");
  }
  setting.dest->spec.server.Edit().max_connections = static_cast<std::uint32_t>(*number);
}

void BalanceBy(Setting& setting) {
  using Algorithm = model::Balance::Algorithm;
  constexpr std::pair<std::string_view, Algorithm> kAlgorithms[] = {
      {"roundrobin", Algorithm::kRoundRobin}, {"leastconn", Algorithm::kLeastConn},
      {"source", Algorithm::kSource},         {"uri", Algorithm::kUri},
      {"first", Algorithm::kFirst},           {"random", Algorithm::kRandom}};
  model::Balance& balance = setting.dest->spec.profile.Edit().balance;
  for (const auto& [name, algorithm] : kAlgorithms) {
    if (setting.value == name) {
      balance = {algorithm, ""};
      return;
    }
  }
  if (setting.value.starts_with("hdr(") && setting.value.ends_with(')')) {
    const std::string name(setting.value.substr(4, setting.value.size() - 5));
    if (IsToken(name)) {
      balance = {Algorithm::kHeader, name};
      return;
    }
  }
  setting.report.Error("bad-balance", "there is no such way to choose a task");
}

void CheckPath(Setting& setting) {
  if (!IsCheckPath(setting.value)) {
    return setting.report.Error("bad-path", "it cannot be the path of a request");
  }
  setting.dest->spec.profile.Edit().check_path = std::string(setting.value);
  setting.dest->spec.server.Edit().check_interval = kDefaultCheck;
}

void CheckInterval(Setting& setting) {
  const auto interval = ParseDuration(setting.value);
  if (!interval || *interval < kShortestCheck) {
    return setting.report.Error("bad-duration", "it is not a duration of at least 100ms");
  }
  setting.dest->spec.server.Edit().check_interval = *interval;
}

void Retries(Setting& setting) {
  const auto number = ParseUint(setting.value, 10);
  if (!number) return setting.report.Error("bad-number", "it is not a number from 0 to 10");
  setting.dest->spec.profile.Edit().retries = static_cast<int>(*number);
}

void DrainTimeout(Setting& setting) { Timeout(setting, setting.dest->spec.drain_timeout); }

void ConnectionModeName(Setting& setting) {
  using Mode = model::ConnectionMode;
  auto& mode = setting.service.common.profile.Edit().connection_mode;
  std::string_view value = setting.value;
  const bool gone = value == "http-tunnel" || value == "forceclose";
  if (gone) {
    const std::string_view closest = value == "forceclose" ? "httpclose" : "http-keep-alive";
    setting.report.Warning("gone-from-haproxy",
                           "HAProxy no longer has it; " + std::string(closest) + " is taken",
                           "Write " + std::string(closest));
    value = closest;
  }
  if (value == "http-keep-alive") {
    mode = Mode::kKeepAlive;
  } else if (value == "http-server-close") {
    mode = Mode::kServerClose;
  } else if (value == "httpclose") {
    mode = Mode::kClose;
  } else {
    setting.report.Error("bad-mode", "there is no such mode");
  }
}

// Names are always resolved at run time and looked up all the time: these are only checked.
void CheckResolvers(Setting& setting) {
  bool ignored = false;
  Boolean(setting, ignored);
}

void LookupRetry(Setting& setting) {
  if (!ParseUint(setting.value, 1'000'000)) {
    setting.report.Error("bad-number", "it is not a number");
  }
}

}  // namespace swarmgate::labels::set
