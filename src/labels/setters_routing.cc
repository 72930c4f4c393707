#include <algorithm>
#include <optional>
#include <string>
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

}  // namespace

void HttpsPort(Setting& setting) { PortNumber(setting, setting.dest->spec.https_port); }

void PathTypeName(Setting& setting) {
  if (auto type = ParsePathType(setting.value)) {
    setting.dest->path_type = std::move(*type);
  } else {
    setting.report.Error("bad-path-type", "there is no such way to compare paths");
  }
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

void ServicePath(Setting& setting) { Paths(setting, setting.dest->spec.paths); }

void ServicePathExclude(Setting& setting) { Paths(setting, setting.dest->spec.path_excludes); }

void SrcPort(Setting& setting) { PortNumber(setting, setting.dest->spec.src_port); }

}  // namespace swarmgate::labels::set
