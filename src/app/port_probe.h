// Can HAProxy listen on a port? Asked before it is told to: one that cannot listen on all of its
// ports does not start.
#pragma once

#include <cstdint>
#include <string>

namespace swarmgate::app {

/// False when somebody listens there already, or this user may not. What cannot be found out counts
/// as free: HAProxy will say. `address`: "*", or a literal.
[[nodiscard]] bool PortIsFree(const std::string& address, std::uint16_t port);

}  // namespace swarmgate::app
