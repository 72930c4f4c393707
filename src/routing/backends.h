// The backends of one service: which of them are led to, and their servers.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "routing/collect.h"
#include "routing/endpoints.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/routes.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// What a service gets.
struct ServiceBackends {
  std::vector<model::Backend> backends;  ///< in the order of its destinations
  std::vector<model::Diagnostic> diagnostics;
};

class BackendMaker {
 public:
  /// Both outlive it.
  BackendMaker(const BuildContext& context, const EndpointChooser& chooser)
      : context_(context), chooser_(chooser) {}

  /// Those in `used`. `names`: gets the names that should be resolved.
  [[nodiscard]] ServiceBackends Make(const ServedService& service, const EndpointChooser::Way& way,
                                     const std::set<model::BackendName>& used,
                                     std::set<std::string>& names) const;

  /// `unreached`: raised to the number of running tasks that this place cannot reach.
  [[nodiscard]] std::vector<model::Server> ServersOf(const ServiceInput& input,
                                                     const ServedDest& dest,
                                                     const EndpointChooser::Way& way,
                                                     std::set<std::string>& names,
                                                     std::size_t& unreached) const;
  [[nodiscard]] model::Diagnostic Unreached(const ServiceInput& input, std::size_t count) const;

 private:
  void TellUnboundPort(const ServiceInput& input, const model::DestSpec& dest, const char* label,
                       std::uint16_t port, std::vector<model::Diagnostic>& diagnostics) const;

  const BuildContext& context_;
  const EndpointChooser& chooser_;
};

}  // namespace swarmgate::routing
