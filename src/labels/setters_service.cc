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

void IsDefaultBackend(Setting& setting) { Boolean(setting, setting.service.spec.default_backend); }

void Network(Setting& setting) { Name(setting, setting.service.spec.network); }

// Whether a service is looked at is ParseNotify's; among parameters it says nothing.
void Notify(Setting& /*setting*/) {}

void ProxyInstanceName(Setting& setting) { Name(setting, setting.service.spec.proxy_instance); }

void Replicas(Setting& setting) {
  constexpr std::uint64_t kMost = 10'000;
  if (const auto value = ParseUint(setting.value, kMost)) {
    setting.service.spec.replicas = static_cast<std::uint32_t>(*value);
  } else {
    setting.report.Error("bad-number", "it is not a number of tasks");
  }
}

void ServiceCert(Setting& setting) {
  // A label is one line, so that line breaks come as the two characters "\n".
  std::string pem;
  for (std::size_t i = 0; i < setting.value.size(); ++i) {
    if (setting.value.substr(i, 2) == "\\n") {
      pem += '\n';
      ++i;
    } else {
      pem += setting.value[i];
    }
  }
  setting.service.spec.certificate = model::Secret(std::move(pem));
}

void ServiceName(Setting& setting) {
  Text name;
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

}  // namespace swarmgate::labels::set
