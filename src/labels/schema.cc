#include "labels/schema.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "labels/schema_parts.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

// Those with an effect stand first. Built once, never changed.
const std::vector<Parameter>& Table() {
  static const auto* const table = [] {
    auto* all = new std::vector<Parameter>();
    for (const std::span<const Parameter> part :
         {ServiceParameters(), TcpParameters(), RoutingParameters(), UpstreamParameters(),
          AccessParameters(), ContentParameters(), TlsParameters(), RawParameters(),
          ForeignParameters()}) {
      all->insert(all->end(), part.begin(), part.end());
    }
    std::stable_partition(all->begin(), all->end(),
                          [](const Parameter& parameter) { return parameter.set != nullptr; });
    return all;
  }();
  return *table;
}

// Lower-case names and aliases → entries. Built once, never changed.
const std::map<std::string, const Parameter*, std::less<>>& ByLowerName() {
  static const auto* const names = [] {
    auto* map = new std::map<std::string, const Parameter*, std::less<>>();
    for (const Parameter& parameter : Table()) {
      map->emplace(ToLower(parameter.name), &parameter);
      if (!parameter.alias.empty()) map->emplace(ToLower(parameter.alias), &parameter);
    }
    return map;
  }();
  return *names;
}

}  // namespace

std::span<const Parameter> Parameters() { return Table(); }

Found FindParameter(std::string_view name) {
  constexpr std::size_t kLongestName = 64;
  if (name.size() > kLongestName) return {};
  const auto& names = ByLowerName();
  const auto found = names.find(ToLower(name));
  if (found == names.end()) return {};
  const Parameter* parameter = found->second;
  return {parameter, name == parameter->name || name == parameter->alias};
}

}  // namespace swarmgate::labels
