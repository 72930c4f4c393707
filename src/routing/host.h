// Hosts of requests and of routes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/model/service_spec.h"

namespace swarmgate::routing {

/// How many labels HAProxy's rules strip from a host's front in search of a wildcard.
inline constexpr int kWildcardLevels = 4;

/// As HAProxy's rules see it: lower case, without port, without trailing dots, ended by a '/'.
std::string NormaliseHost(std::string_view host);

/// Not empty, and nothing that could end a key or a line: no '/', '|', '?', ':', white space or
/// control byte.
bool IsCleanHost(std::string_view text);

/// What is left after 1 … kWildcardLevels labels are stripped: "x.a.com" → ".a.com", ".com".
std::vector<std::string_view> HostSuffixes(std::string_view host);

/// REQUIRES: not a regex. `host` is normalised.
bool HostMatches(const model::HostMatch& match, std::string_view host);

/// "host a.com", "wildcard *.a.com", "host regex …", "any host": for people.
std::string DescribeHost(const model::HostMatch& match);

}  // namespace swarmgate::routing
