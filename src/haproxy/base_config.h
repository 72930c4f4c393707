// The part of the configuration that does not depend on services: global settings, the frontend
// with the rules that look requests up in the maps, and one named defaults section per class of
// slots.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {

/// A key of routes.map that no request can hit (no host contains '!'): present when there are
/// wildcard or regex hosts. Without it the rules go from the exact host straight to "any host".
inline constexpr const char* kWildcardFlag = "!wildcards";
/// Likewise: present when there are regex hosts.
inline constexpr const char* kRegexFlag = "!regexes";
/// Likewise: present when a host regex looks at headers, which are then put in front of what it is
/// matched against.
inline constexpr const char* kHeaderFlag = "!headers";
/// Parent domains that are tried: a wildcard matches at most this many labels in front of its
/// suffix.
inline constexpr int kWildcardLevels = 4;

/// `raw`: services that say in HAProxy's own language where their requests go.
[[nodiscard]] std::string RenderBase(const Settings& settings,
                                     const std::vector<model::RawRoutes>& raw = {});

}  // namespace swarmgate::haproxy
