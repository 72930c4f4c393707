#include "swarmgate/consul/legacy.h"

#include <array>
#include <map>
#include <utility>

#include "consul/keys.h"
#include "consul/servers.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::consul {
namespace {

using Attributes = std::map<std::string, std::string>;

// Theirs → the parameter's name today. What is not here has no meaning any more.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAttributes = {{
    {"path", "servicePath"},
    {"domain", "serviceDomain"},
    {"hostname", "outboundHostname"},
    {"outboundHostname", "outboundHostname"},
    {"pathtype", "pathType"},
    {"port", "port"},
}};

/// Folders of ours that a service of theirs might be called like.
bool IsReserved(std::string_view name) {
  return name == "service" || name == "services" || name == "replicas";
}

Attributes ParametersOf(const std::string& name, const Attributes& attributes) {
  Attributes parameters = {{"serviceName", name}};
  for (const auto& [theirs, ours] : kAttributes) {
    const auto found = attributes.find(std::string(theirs));
    if (found == attributes.end() || found->second.empty()) continue;
    parameters[std::string(ours)] = found->second;
  }
  return parameters;
}

}  // namespace

LegacyServices ParseLegacy(std::string_view instance,
                           const std::vector<codec::ConsulEntry>& entries) {
  std::map<std::string, Attributes> services;
  const std::string prefix = std::string(instance) + "/";
  for (const codec::ConsulEntry& entry : entries) {
    if (!entry.key.starts_with(prefix)) continue;
    const std::vector<std::string_view> parts =
        Split(std::string_view(entry.key).substr(prefix.size()), '/');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty() || IsReserved(parts[0])) continue;
    services[std::string(parts[0])][std::string(parts[1])] = entry.value;
  }
  LegacyServices result;
  for (const auto& [name, attributes] : services) {
    const auto path = attributes.find("path");
    if (path == attributes.end() || path->second.empty()) {
      result.notes.push_back(Printable(name, 100) + ": left out, it has no path" +
                             (attributes.contains("consultemplatefepath")
                                  ? " (it was made of templates of its own)"
                                  : ""));
      continue;
    }
    result.services.push_back(ParametersOf(name, attributes));
  }
  return result;
}

Result<LegacyServices> ReadLegacy(const ConsulOptions& options) {
  Servers servers(options);
  // They never escaped a name; one that has to be is none that they could have read.
  const auto listing = servers.Read(EscapeName(options.prefix) + "/", true);
  if (!listing) return Forward(listing.error(), "consul");
  return ParseLegacy(options.prefix, listing->entries);
}

}  // namespace swarmgate::consul
