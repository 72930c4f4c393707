#include "labels/setters.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labels/matches.h"
#include "labels/regex.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {
namespace {

void Boolean(Setting& setting, bool& field) {
  if (const auto value = ParseBool(setting.value)) {
    field = *value;
  } else {
    setting.report.Error("bad-bool", "it is neither true nor false");
  }
}

void PortNumber(Setting& setting, std::optional<std::uint16_t>& field) {
  field = ParsePort(setting.value);
  if (!field) setting.report.Error("bad-port", "it is not a port number");
}

void Name(Setting& setting, std::string& field) {
  if (IsValidServiceName(setting.value)) {
    field = setting.value;
  } else {
    setting.report.Error("bad-name", "it is not a valid name");
  }
}

void Timeout(Setting& setting, std::optional<std::chrono::milliseconds>& field) {
  field = ParseDuration(setting.value);
  if (!field) {
    setting.report.Error("bad-duration", "it is not a duration");
  } else if (field->count() == 0) {
    field = kLongestTimeout;
    setting.report.Warning("no-timeout", "0 means no timeout, which is taken as 24 days",
                           "Write the longest time that an answer may take");
  }
}

// The items of a list, each once. Too many are an error, and then there are none.
std::vector<std::string> Items(Setting& setting, char separator) {
  std::vector<std::string> items;
  bool empty = false;
  for (std::string& item : SplitEscaped(setting.value, separator)) {
    if (item.empty()) {
      empty = true;
    } else if (std::find(items.begin(), items.end(), item) != items.end()) {
      setting.report.Warning("repeated-item", Quoted(item) + " stands there more than once");
    } else if (items.size() == kMaxListItems) {
      setting.report.Error("too-many-items",
                           "the list has more than " + std::to_string(kMaxListItems) + " items",
                           "Use a shorter path or a wildcard, or a further destination");
      return {};
    } else {
      items.push_back(std::move(item));
    }
  }
  if (items.empty()) {
    setting.report.Error("empty-list", "the list has no items");
  } else if (empty) {
    setting.report.Warning("empty-item", "the list has an empty item, which is left out");
  }
  return items;
}

bool CountRegex(Setting& setting) {
  if (++setting.service.regexes <= kMaxRegexes) return true;
  setting.report.Error("too-many-regexes",
                       "the service has more than " + std::to_string(kMaxRegexes) + " regexes",
                       "Join them with |, or use path_beg and *.example.com, which cost nothing");
  return false;
}

void Paths(Setting& setting, std::vector<model::PathMatch>& field) {
  for (const std::string& item : Items(setting, setting.options.separator)) {
    auto match = ParsePath(item, setting.dest->path_type, setting.report);
    if (!match) continue;
    if (match->kind == model::PathMatch::Kind::kRegex && !CountRegex(setting)) return;
    const bool known = std::any_of(field.begin(), field.end(), [&](const auto& other) {
      return other.kind == match->kind && other.text == match->text;
    });
    if (!known) field.push_back(std::move(*match));
  }
}

// \0 … \9 in a replacement must be groups of the search.
bool CheckReplacement(std::string_view text, std::size_t groups, Report& report) {
  if (!IsPrintableAscii(text) || text.find_first_of("?#") != std::string_view::npos) {
    report.Error(
        "bad-rewrite",
        "the replacement " + Quoted(text) + " contains a character that cannot stand in a path",
        "Write it percent-encoded, as %20 for a space");
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') continue;
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    ++i;
    if (next == '\\') continue;
    if (next >= '0' && next <= '9' && static_cast<std::size_t>(next - '0') <= groups) continue;
    report.Error(
        "bad-rewrite",
        "the replacement " + Quoted(text) + " refers to a group that the search does not have",
        "Use \\1 to \\" + std::to_string(std::max<std::size_t>(groups, 1)) +
            " for what ( ) of the search matched");
    return false;
  }
  return true;
}

std::optional<model::PathRewrite> Rewrite(std::string_view pair, Setting& setting) {
  Report& report = setting.report;
  const std::vector<std::string> halves = SplitEscaped(pair, ',');
  if (halves.size() != 2) {
    report.Error("bad-rewrite",
                 Quoted(pair) + (halves.size() < 2 ? " has no comma" : " has more than one comma"));
    return std::nullopt;
  }
  const RegexOutcome search = CheckedSearch(halves[0]);
  if (!search.problem.empty()) {
    report.Error("bad-regex", Quoted(halves[0]) + ": " + search.problem.message,
                 search.problem.hint);
    return std::nullopt;
  }
  if (search.groups > kMaxRewriteGroups) {
    report.Error("bad-regex", Quoted(halves[0]) + " has more than 6 groups",
                 "Write (?:…) for groups that the replacement does not use");
    return std::nullopt;
  }
  if (!CheckReplacement(halves[1], search.groups, report)) return std::nullopt;
  return model::PathRewrite{search.regex, halves[1]};
}

}  // namespace

void AclName(Setting& setting) {
  Name(setting, setting.service.spec.acl_name);
  setting.service.spec.acl_name_given = true;
}

void DiscoveryType(Setting& setting) {
  const std::string lower = ToLower(setting.value);
  if (lower == "dns") {
    setting.service.spec.discovery = model::Discovery::kDns;
  } else if (lower != "tasks") {
    setting.report.Warning("bad-discovery-type", "there is no such way to find the tasks",
                           "Write DNS, or leave it out: tasks are then found through Docker");
  }
}

void Distribute(Setting& setting) { Boolean(setting, setting.service.spec.distribute); }

void HttpsPort(Setting& setting) { PortNumber(setting, setting.dest->spec.https_port); }

void IsDefaultBackend(Setting& setting) { Boolean(setting, setting.service.spec.default_backend); }

void Network(Setting& setting) { Name(setting, setting.service.spec.network); }

// Whether a service is looked at is ParseNotify's; among parameters it says nothing.
void Notify(Setting& /*setting*/) {}

void OutboundHostname(Setting& setting) {
  std::string& field = setting.dest->spec.outbound_hostname;
  const std::string lower = ToLower(setting.value);
  const auto address = ParseAddress(lower);
  if (!address &&
      (!IsHostName(lower) || lower.find_first_not_of("0123456789.") == std::string::npos)) {
    return setting.report.Error("bad-host", "it is neither a host name nor an address");
  }
  const bool local =
      address ? address->local : lower == "localhost" || lower.ends_with(".localhost");
  if (local && setting.options.source == Source::kLabel) {
    // Whoever may label a service must not reach what listens on the proxy's own machine.
    return setting.report.Error("local-host", "it names the proxy's own machine",
                                "Write the name or address of another machine");
  }
  field = address ? address->text : std::string(setting.value);
}

void PathTypeName(Setting& setting) {
  if (auto type = ParsePathType(setting.value)) {
    setting.dest->path_type = std::move(*type);
  } else {
    setting.report.Error("bad-path-type", "there is no such way to compare paths");
  }
}

void Port(Setting& setting) { PortNumber(setting, setting.dest->spec.port); }

void ProxyInstanceName(Setting& setting) { Name(setting, setting.service.spec.proxy_instance); }

void Replicas(Setting& setting) {
  constexpr std::uint64_t kMost = 10'000;
  if (const auto value = ParseUint(setting.value, kMost)) {
    setting.service.spec.replicas = static_cast<std::uint32_t>(*value);
  } else {
    setting.report.Error("bad-number", "it is not a number of tasks");
  }
}

void ReqMode(Setting& setting) {
  if (setting.value == "http") return;
  if (setting.value == "tcp" || setting.value == "sni") {
    return setting.report.Error("req-mode-not-yet",
                                "reqMode " + std::string(setting.value) + " is not honoured yet",
                                "Only http is: leave reqMode out");
  }
  setting.report.Error("bad-req-mode", "there is no such mode");
}

void ReqPathSearchReplace(Setting& setting) {
  bool empty = false;
  auto& rewrites = setting.dest->spec.path_rewrites;
  // The colon is taken out of its escape here, the comma when a pair is split; a backslash that
  // escapes neither stays for the regex.
  for (const std::string& pair : SplitEscaped(setting.value, ':')) {
    if (pair.empty()) {
      empty = true;
      continue;
    }
    if (rewrites.size() == kMaxRewrites) {
      return setting.report.Error("bad-rewrite", "there are more than 8 pairs");
    }
    if (!CountRegex(setting)) return;
    if (auto rewrite = Rewrite(pair, setting)) rewrites.push_back(std::move(*rewrite));
  }
  if (empty) setting.report.Warning("empty-item", "an empty pair is left out");
}

void ServiceDomain(Setting& setting) {
  setting.dest->domain_given = true;
  auto& hosts = setting.dest->spec.hosts;
  for (const std::string& item : Items(setting, setting.options.separator)) {
    auto match = ParseHost(item, setting.service.domain_algo, setting.report);
    if (!match) continue;
    if (match->kind == model::HostMatch::Kind::kRegex && !CountRegex(setting)) return;
    const bool known = std::any_of(hosts.begin(), hosts.end(), [&](const auto& other) {
      return other.kind == match->kind && other.text == match->text;
    });
    if (!known) hosts.push_back(std::move(*match));
  }
  // Only "*": any host, which is what no domain says as well.
  if (hosts.size() == 1 && hosts.front().kind == model::HostMatch::Kind::kAny) hosts.clear();
}

void ServiceDomainAlgo(Setting& setting) {
  if (const auto algo = ParseDomainAlgo(setting.value)) {
    setting.service.domain_algo = *algo;
  } else {
    setting.report.Error("bad-domain-algo", "there is no such way to compare domains");
  }
}

void ServiceName(Setting& setting) {
  std::string name;
  if (setting.options.source == Source::kLabel) {
    if (setting.value != setting.service.spec.name.str()) {
      setting.report.Warning("service-name-label",
                             "a label cannot rename a service; it keeps its Docker name",
                             "Use aclName to order routes, or rename the service itself");
    }
    return;
  }
  Name(setting, name);
  if (!name.empty()) setting.service.spec.name = model::ServiceName(std::move(name));
}

void ServicePath(Setting& setting) { Paths(setting, setting.dest->spec.paths); }

void ServicePathExclude(Setting& setting) { Paths(setting, setting.dest->spec.path_excludes); }

void SessionType(Setting& setting) {
  if (setting.value == "sticky-server") {
    setting.service.spec.session = model::Session::kSticky;
  } else {
    setting.report.Warning("bad-session-type",
                           "there is no such kind of session, so requests are spread evenly",
                           "Write sticky-server, or leave it out");
  }
}

void SrcPort(Setting& setting) { PortNumber(setting, setting.dest->spec.src_port); }

void TimeoutServer(Setting& setting) { Timeout(setting, setting.dest->spec.timeout_server); }

void TimeoutTunnel(Setting& setting) { Timeout(setting, setting.dest->spec.timeout_tunnel); }

}  // namespace swarmgate::labels::set
