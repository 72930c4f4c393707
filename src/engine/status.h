// The picture of one service for people: what it is, whether it is live, and if not, why. Pure.
#pragma once

#include <cstdint>
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
  const model::Desired& desired;
  const std::vector<model::Diagnostic>& diagnostics;  ///< of routing::Built
  const haproxy::SlotMap& slots;
  /// Is a server whose name begins so draining in this slot?
  std::function<bool(const model::SlotName&, const std::string&)> is_draining;
  /// Why the desired state is not live yet; empty when it is.
  std::string not_applied;
};

/// The services' pictures, of which only those are made anew whose service has changed.
class StatusBook {
 public:
  using Services = std::vector<std::shared_ptr<const ServiceStatus>>;

  /// Sorted by name, and shared with the former ones where nothing changed.
  Services Update(const StatusContext& context);

 private:
  /// What a picture was made of.
  struct Key {
    std::shared_ptr<const Parsed> parsed;
    std::uint64_t facts_revision = 0;
    model::Origin origin = model::Origin::kDocker;
    bool overrides_labels = false;
    bool withdrawn = false;
    bool quarantined = false;
    std::vector<model::Diagnostic> diagnostics;
    std::uint64_t outcome = 0;  ///< fingerprint of routes, servers and diagnostics
    std::string not_applied;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Entry {
    Key key;
    std::shared_ptr<const ServiceStatus> status;
    bool lasting = false;  ///< false: holds what no key tells, a draining task
  };
  std::vector<Entry> entries_;  ///< sorted by name
};

/// Parameters with the values of secrets replaced by "***".
[[nodiscard]] Parameters RedactParameters(Parameters parameters);

}  // namespace swarmgate::engine
