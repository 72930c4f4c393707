// Which ports that do not speak HTTP a base configuration listens on: for whoever must know what is
// HAProxy's own.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace swarmgate::haproxy {

/// `base` is an Image's, or the text of its file.
[[nodiscard]] std::set<std::uint16_t> TcpPorts(const std::string& base);

}  // namespace swarmgate::haproxy
