// Services → what of them can be served, with the names of their backends; and how routes are told
// to people.
#pragma once

#include <cstdint>
#include <optional>
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
  model::BackendName https_backend;  ///< empty: there is no https_port
  model::BackendName
      redirect_backend;  ///< of requests for redirectFromDomain; empty: none is given
};

/// A service with those of its destinations that can be served.
struct ServedService {
  const ServiceInput* input = nullptr;
  std::vector<ServedDest> dests;
};

/// The label's port, else the one port that the service exposes; else a diagnostic "missing-port".
std::optional<std::uint16_t> ResolvePort(const ServiceInput& service, const model::DestSpec& dest,
                                         std::vector<model::Diagnostic>& diagnostics);

/// The service with the destinations that have a port.
ServedService Serve(const ServiceInput& service, std::vector<model::Diagnostic>& diagnostics);

/// Its aclName, or its name.
const Text& AclNameOf(const ServiceInput& service);

/// Names the backends: "<aclName>-be<port>_<index>", "https-<aclName>-be<httpsPort>_<index>",
/// "<aclName>-redirect_<index>"; with "~<serviceName>" behind it where another service, the
/// `owner`, has this aclName and is older.
void NameBackends(ServedService& service, const model::ServiceName& owner,
                  std::vector<model::Diagnostic>& diagnostics);

/// "port.2": a parameter of a destination, as the table of labels names it.
std::string Indexed(const char* label, int index);

/// As its owner wrote it.
std::string ShownPath(const model::PathMatch& path);

/// About a destination of a service.
model::Diagnostic DestDiagnostic(model::Severity severity, const char* code,
                                 const ServiceInput& service, std::string label, std::string value,
                                 std::string message, std::string hint);

/// "host a.com, path prefix /demo, port 8080"
std::string DescribeRoute(const model::Route& route);

/// "header x-version: 3, user agent curl or wget"
std::string DescribeConditions(const model::Conditions& conditions);

/// A diagnostic about one route, with the parameter that its path came from.
model::Diagnostic RouteDiagnostic(model::Severity severity, const char* code,
                                  const model::Route& route, std::string message, std::string hint);

}  // namespace swarmgate::routing
