// Destinations that do not speak HTTP: which ports the proxy listens on for them, which backend a
// connection goes to, and who is in the way of whom.
#pragma once

#include <functional>
#include <vector>

#include "routing/collect.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/routes.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

struct TcpContext {
  std::vector<std::uint16_t> http_ports;      ///< taken by requests
  std::vector<std::uint16_t> reserved_ports;  ///< taken by something else of the proxy
  bool tls = false;                           ///< there are certificates
  /// The servers of a destination.
  std::function<std::vector<model::Server>(const ServedService&, const ServedDest&)> servers;
};

/// Adds listeners, routes and backends to `desired`. REQUIRES: services sorted by age and named.
void BuildTcp(const std::vector<ServedService>& services, const TcpContext& context,
              model::Desired& desired, std::vector<model::Diagnostic>& diagnostics);

}  // namespace swarmgate::routing
