// ports::Peers by names: a list that the operator gives, tasks.<service> in Docker's DNS, or
// addresses that somebody else knows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/ports/peers.h"

namespace swarmgate::cluster {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// "a", "a:8080", "10.0.0.3:8080", "[fd00::1]:8080". Errors: kInvalidArgument.
[[nodiscard]] Result<HostPort> ParseHostPort(std::string_view text, std::uint16_t default_port);
/// The same, divided by commas. Errors: kInvalidArgument.
[[nodiscard]] Result<std::vector<HostPort>> ParseHostPorts(std::string_view text,
                                                           std::uint16_t default_port);

/// As engine::Engine::Ports::resolve. Errors: kNotFound for a name that does not exist.
using Resolve = std::function<Result<std::vector<std::string>>(const std::string& name)>;

/// `names`: asked anew each time. A name that does not exist has no address; one that cannot be
/// asked about is an error. `resolve` is not called for literal addresses.
[[nodiscard]] std::unique_ptr<ports::Peers> MakeResolvedPeers(
    std::function<std::vector<HostPort>()> names, Resolve resolve);

}  // namespace swarmgate::cluster
