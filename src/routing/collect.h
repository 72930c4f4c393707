// Services → routes: one for each host × path of each destination, named, ordered, and without
// those that lost their claim to another service.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/routes.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// A destination with the ports that its requests go to, and the names of its backends.
struct ServedDest {
  const model::DestSpec* spec = nullptr;
  std::uint16_t port = 0;        ///< 0: only requests by srcHttpsPort are served
  std::uint16_t https_port = 0;  ///< of those; 0: they are as all others
  model::BackendName backend;
  model::BackendName https_backend;
  model::BackendName redirect_backend;  ///< of requests for redirectFromDomain
};

/// A service with those of its destinations that can be served.
struct ServedService {
  const ServiceInput* input = nullptr;
  std::vector<ServedDest> dests;
};

/// The label's port, else the one port that the service exposes; else a diagnostic "missing-port".
std::optional<std::uint16_t> ResolvePort(const ServiceInput& service, const model::DestSpec& dest,
                                         std::vector<model::Diagnostic>& diagnostics);

/// Every service with the destinations that have a port. Sorted: the oldest first, then by name.
std::vector<ServedService> ServeAll(const Inputs& services,
                                    std::vector<model::Diagnostic>& diagnostics);

/// Names the backends: "<aclName>-be<port>_<index>", "https-<aclName>-be<httpsPort>_<index>",
/// "<aclName>-redirect_<index>"; where services share an aclName, all but the
/// oldest get
/// "~<serviceName>" behind it. REQUIRES: sorted as ServeAll does.
void NameBackends(std::vector<ServedService>& services,
                  std::vector<model::Diagnostic>& diagnostics);

/// Routes, and those that came to nothing.
struct Collected {
  std::vector<model::Route> routes;
  std::vector<LostRoute> lost;
};

/// All routes in order of precedence. Claims that are wholly equal are decided: they share the
/// requests where one of them has a weight, else the loser is left out. The aclName and priority of
/// services in `unranked` do not count.
Collected CollectRoutes(const std::vector<ServedService>& services,
                        const std::set<model::ServiceName>& unranked,
                        std::vector<model::Diagnostic>& diagnostics);

/// Notes a route that is left out.
void AddLost(std::vector<LostRoute>& lost, const model::Route& route, std::string reason);

/// "host a.com, path prefix /demo, port 8080"
std::string DescribeRoute(const model::Route& route);

/// "header x-version: 3, user agent curl or wget"
std::string DescribeConditions(const model::Conditions& conditions);

/// A diagnostic about one route, with the parameter that its path came from.
model::Diagnostic RouteDiagnostic(model::Severity severity, const char* code,
                                  const model::Route& route, std::string message, std::string hint);

}  // namespace swarmgate::routing
