#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "labels/matches.h"
#include "labels/regex.h"
#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {
namespace {

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

constexpr std::size_t kMaxConditionBytes = 1024;

/// A token of RFC 9110.
bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// Printable ASCII and spaces.
bool IsText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

/// Too long, and the conditions make no line of a map any more.
bool FitsConditions(Setting& setting, std::size_t bytes) {
  if (bytes <= kMaxConditionBytes) return true;
  setting.report.Error(
      "value-too-long",
      "together the items have more than " + std::to_string(kMaxConditionBytes) + " bytes",
      "Write fewer or shorter ones");
  return false;
}

}  // namespace

void HttpsPort(Setting& setting) { PortNumber(setting, setting.dest->spec.https_port); }

void PathTypeName(Setting& setting) {
  if (setting.dest->spec.mode != model::ReqMode::kHttp) {
    if (!SniPathType(setting)) {
      setting.report.Error("bad-path-type", "there is no such way to compare names",
                           "Write req_ssl_sni, req_ssl_sni -m beg or req_ssl_sni -m end");
    }
    return;
  }
  if (auto type = ParsePathType(setting.value)) {
    setting.dest->path_type = std::move(*type);
  } else {
    setting.report.Error("bad-path-type", "there is no such way to compare paths");
  }
}

void ServiceDomain(Setting& setting) {
  setting.dest->domain_given = true;
  if (setting.dest->spec.mode != model::ReqMode::kHttp) return SniNames(setting, SniMatch::kEqual);
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

void ServiceDomainMatchAll(Setting& setting) {
  bool all = false;
  Boolean(setting, all);
  if (all) setting.service.domain_algo = DomainAlgo::kDomain;
}

void ServiceHeader(Setting& setting) {
  auto& headers = setting.dest->spec.headers.Edit();
  std::size_t bytes = 0;
  for (const std::string& item : Items(setting, setting.options.separator)) {
    const std::size_t colon = item.find(':');
    const std::string_view name = Trim(std::string_view(item).substr(0, colon));
    const std::string_view value =
        colon == std::string::npos ? "" : Trim(std::string_view(item).substr(colon + 1));
    if (!IsToken(name) || value.empty() || !IsText(value)) {
      setting.report.Error("bad-header", Quoted(item) + " is not a header's name and its value");
      continue;
    }
    bytes += item.size();
    headers.push_back({ToLower(name), std::string(value)});
  }
  if (!FitsConditions(setting, bytes)) headers.clear();
  std::sort(headers.begin(), headers.end());
  headers.erase(std::unique(headers.begin(), headers.end()), headers.end());
}

void ServicePath(Setting& setting) {
  if (setting.dest->spec.mode != model::ReqMode::kHttp) {
    return SniNames(setting, setting.dest->sni_match);
  }
  Paths(setting, setting.dest->spec.paths);
}

void ServicePathExclude(Setting& setting) {
  if (setting.dest->spec.mode != model::ReqMode::kHttp) {
    return setting.report.Error("not-for-tcp", "it only works with reqMode=http");
  }
  Paths(setting, setting.dest->spec.path_excludes.Edit());
}

void Priority(Setting& setting) {
  constexpr std::uint64_t kGreatest = 1'000'000;
  const auto number = ParseUint(setting.value, kGreatest);
  if (!number || *number == 0) {
    return setting.report.Error("bad-priority", "it is not a number from 1 to 1000000");
  }
  setting.dest->spec.priority = static_cast<std::uint32_t>(*number);
}

void RedirectFromDomain(Setting& setting) {
  for (const std::string& item : Items(setting, setting.options.separator)) {
    auto match = ParseHost(item, DomainAlgo::kExact, setting.report);
    if (!match) continue;
    using Kind = model::HostMatch::Kind;
    if (match->kind != Kind::kExact && match->kind != Kind::kWildcard) {
      setting.report.Error("bad-host", Quoted(item) + " is not a host name");
      continue;
    }
    setting.dest->spec.redirect_from.push_back(std::move(*match));
  }
}

void SrcHttpsPort(Setting& setting) { PortNumber(setting, setting.dest->spec.src_https_port); }

void SrcPort(Setting& setting) { PortNumber(setting, setting.dest->spec.src_port); }

void UserAgent(Setting& setting) {
  auto& agents = setting.dest->spec.user_agents.Edit();
  std::size_t bytes = 0;
  for (const std::string& item : Items(setting, setting.options.separator)) {
    bytes += item.size();
    if (IsText(item)) {
      agents.push_back(ToLower(item));
    } else {
      setting.report.Error("bad-user-agent", Quoted(item) + " is not printable ASCII");
    }
  }
  if (!FitsConditions(setting, bytes)) agents.clear();
  std::sort(agents.begin(), agents.end());
  agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
}

void Weight(Setting& setting) {
  constexpr std::uint32_t kGreatest = 256;
  std::string_view text = setting.value;
  model::Weight weight;
  weight.percent = text.ends_with('%');
  if (weight.percent) text = Trim(text.substr(0, text.size() - 1));
  // Tenths of a percent.
  const std::size_t dot = weight.percent ? text.find('.') : std::string_view::npos;
  const auto whole = ParseUint(text.substr(0, dot), weight.percent ? 100 : kGreatest);
  std::optional<std::uint64_t> tenths = 0;
  if (dot != std::string_view::npos) {
    tenths = text.size() == dot + 2 ? ParseUint(text.substr(dot + 1), 9) : std::nullopt;
  }
  if (whole && tenths) {
    weight.value = static_cast<std::uint32_t>(weight.percent ? *whole * 10 + *tenths : *whole);
  }
  if (!whole || !tenths || (weight.percent && weight.value > 1000)) {
    return setting.report.Error("bad-weight", "it is neither a number up to 256 nor a percentage");
  }
  setting.dest->spec.weight = weight;
}

}  // namespace swarmgate::labels::set
