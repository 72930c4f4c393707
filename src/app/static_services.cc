#include "app/static_services.h"

#include <cstdint>
#include <string_view>

#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::app {
namespace {

constexpr std::string_view kPrefix = "DFP_SERVICE_";

}  // namespace

std::vector<std::map<std::string, std::string>> StaticServices(
    const std::map<std::string, std::string>& environment) {
  std::map<std::uint64_t, std::map<std::string, std::string>> services;
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
  std::vector<std::map<std::string, std::string>> list;
  list.reserve(services.size());
  for (auto& [number, parameters] : services) list.push_back(std::move(parameters));
  return list;
}

}  // namespace swarmgate::app
