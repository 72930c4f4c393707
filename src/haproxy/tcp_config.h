// The frontends of ports that do not speak HTTP. What they lead to is looked up in the map of
// conditions, so that only a new port costs a reload, not a new service.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {

/// One frontend for each listener, behind the base configuration. Empty without listeners.
[[nodiscard]] std::string RenderTcp(const std::vector<model::TcpListener>& listeners,
                                    const Settings& settings);

/// The key of a route in the map of conditions: "=<port>:", and behind it for SNI "<name>:"
/// exactly,
/// "<beginning>" or ".<parent>:".
[[nodiscard]] std::string TcpKey(const model::TcpRoute& route);

/// What changes between two texts of a base configuration, when it is only frontends of this kind:
/// "tcp port 6379 comes". Else empty.
[[nodiscard]] std::string TcpChange(const std::string& before, const std::string& after);

}  // namespace swarmgate::haproxy
