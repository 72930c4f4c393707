#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {

void BalanceGroup(Setting& setting) {
  using Algorithm = model::Balance::Algorithm;
  constexpr std::array<std::pair<std::string_view, Algorithm>, 5> kAlgorithms = {{
      {"roundrobin", Algorithm::kRoundRobin},
      {"leastconn", Algorithm::kLeastConn},
      {"source", Algorithm::kSource},
      {"first", Algorithm::kFirst},
      {"random", Algorithm::kRandom},
  }};
  for (const auto& [name, algorithm] : kAlgorithms) {
    if (setting.value == name) setting.dest->spec.tcp.Edit().group_balance = algorithm;
  }
  if (!setting.dest->spec.tcp->group_balance) {
    setting.report.Error("bad-balance", "there is no such way to balance");
  }
}

void CheckTcp(Setting& setting) { Boolean(setting, setting.dest->check_tcp); }

void CliTcpKa(Setting& setting) {
  Boolean(setting, setting.dest->spec.tcp.Edit().client_keepalive);
}

void ReqMode(Setting& setting) {
  using Mode = model::ReqMode;
  if (setting.value == "http") {
    setting.dest->spec.mode = Mode::kHttp;
  } else if (setting.value == "tcp") {
    setting.dest->spec.mode = Mode::kTcp;
  } else if (setting.value == "sni") {
    setting.dest->spec.mode = Mode::kSni;
  } else {
    setting.report.Error("bad-req-mode", "there is no such mode");
  }
}

void ServiceGroup(Setting& setting) {
  Text group;
  Name(setting, group);
  setting.dest->spec.tcp.Edit().group = group;
}

void SrcTls(Setting& setting) { Boolean(setting, setting.dest->spec.tcp.Edit().tls); }

void TimeoutClient(Setting& setting) {
  Timeout(setting, setting.dest->spec.tcp.Edit().timeout_client);
}

bool SniPathType(Setting& setting) {
  bool fetch = false;
  SniMatch match = SniMatch::kEqual;
  for (const std::string& word : SplitEscaped(setting.value, ' ')) {
    if (word == "req_ssl_sni" || word == "req.ssl_sni") {
      fetch = true;
    } else if (word == "beg") {
      match = SniMatch::kBegin;
    } else if (word == "end") {
      match = SniMatch::kEnd;
    } else if (!word.empty() && word != "-i" && word != "-m" && word != "str") {
      return false;
    }
  }
  if (fetch) setting.dest->sni_match = match;
  return fetch;
}

void SniNames(Setting& setting, SniMatch match) {
  using Kind = model::HostMatch::Kind;
  if (setting.dest->spec.mode == model::ReqMode::kTcp) {
    return setting.report.Warning("no-effect",
                                  "with reqMode=tcp all that comes in by srcPort is taken",
                                  "Leave it out, or write reqMode=sni");
  }
  auto& names = setting.dest->spec.tcp.Edit().names;
  for (const std::string& item : Items(setting, setting.options.separator)) {
    std::string text = ToLower(item);
    Kind kind = match == SniMatch::kBegin ? Kind::kRegex : Kind::kExact;
    if (match != SniMatch::kBegin && text.starts_with("*.")) {
      kind = Kind::kWildcard;
      text.erase(0, 1);
    } else if (match == SniMatch::kEnd) {
      kind = Kind::kWildcard;
    }
    // Of a prefix the last label need not be complete.
    std::string whole = kind == Kind::kWildcard ? text.substr(std::min<std::size_t>(1, text.size()))
                        : kind == Kind::kRegex  ? text + "x"
                                                : text;
    const bool dotted = kind != Kind::kWildcard || text.starts_with('.');
    if (!dotted || !IsHostName(whole)) {
      setting.report.Error("bad-sni", Quoted(item) + " is not a name that a client can ask for",
                           "Write a host name such as a.example.com or *.example.com, or the "
                           "beginning of one with pathType=req_ssl_sni -m beg");
      continue;
    }
    names.push_back({kind, text, item});
  }
}

}  // namespace swarmgate::labels::set
