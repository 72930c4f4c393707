#include "app/static_services.h"

#include <cstdint>
#include <string_view>

#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::app {
namespace {

using Parameters = std::map<std::string, std::string>;

constexpr std::string_view kPrefix = "DFP_SERVICE_";

/// Parameters by the number of their service; 0: without.
std::map<std::uint64_t, Parameters> ByNumber(
    const std::map<std::string, std::string>& environment) {
  std::map<std::uint64_t, Parameters> services;
  for (const auto& [name, value] : environment) {
    if (name.rfind(kPrefix, 0) != 0 || value.empty()) continue;
    std::string_view rest = std::string_view(name).substr(kPrefix.size());
    std::uint64_t number = 0;
    const auto underscore = rest.find('_');
    if (underscore != std::string_view::npos) {
      if (const auto parsed = ParseUint(rest.substr(0, underscore), 1'000'000)) {
        number = *parsed;
        rest = rest.substr(underscore + 1);
      }
    }
    if (rest.empty()) continue;
    services[number][labels::ParameterFromEnvironment(rest)] = value;
  }
  return services;
}

}  // namespace

std::vector<Parameters> StaticServices(const std::map<std::string, std::string>& environment) {
  std::vector<Parameters> list;
  for (auto& [number, parameters] : ByNumber(environment)) list.push_back(std::move(parameters));
  return list;
}

std::vector<std::string> NamelessStaticServices(
    const std::map<std::string, std::string>& environment) {
  std::vector<std::string> said;
  for (const auto& [number, parameters] : ByNumber(environment)) {
    if (parameters.contains("serviceName")) continue;
    const std::string prefix =
        std::string(kPrefix) + (number == 0 ? "" : std::to_string(number) + "_");
    said.push_back("the variables " + prefix + "… define no service, because " + prefix +
                   "SERVICE_NAME is not set");
  }
  return said;
}

}  // namespace swarmgate::app
