// The picture of one service for people: what it is, whether it is live, and if not, why. Pure.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/assemble.h"
#include "swarmgate/engine/snapshot.h"
#include "swarmgate/haproxy/image.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

struct StatusContext {
  const Assembly& assembly;
  const routing::Built& built;
  const haproxy::SlotMap& slots;
  /// Is a server whose name begins so draining in this slot?
  std::function<bool(const model::SlotName&, const std::string&)> is_draining;
  /// Why the desired state is not live yet; empty when it is.
  std::string not_applied;
};

/// Sorted by name; those that did not change are taken from `before`.
[[nodiscard]] std::vector<std::shared_ptr<const ServiceStatus>> DescribeServices(
    const StatusContext& context, const std::vector<std::shared_ptr<const ServiceStatus>>& before);

/// Parameters with the values of secrets replaced by "***".
[[nodiscard]] Parameters RedactParameters(Parameters parameters);

}  // namespace swarmgate::engine
