// The picture of one service for people: what it is, whether it is live, and if not, why. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/assemble.h"
#include "swarmgate/base/chunked.h"
#include "swarmgate/base/text.h"
#include "swarmgate/engine/snapshot.h"
#include "swarmgate/haproxy/image.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

struct StatusContext {
  const Assembly& assembly;
  const std::set<model::ServiceName>& changed;  ///< Assembler::TakeChanged since the last Update
  const SharedMap<model::ServiceName, routing::ServiceOutcome>& outcomes;  ///< routing::Built's
  const model::Desired& desired;
  const haproxy::SlotMap& slots;
  /// Is a server whose name begins so draining in this slot?
  std::function<bool(const model::SlotName&, const std::string&)> is_draining;
  bool drains = false;  ///< some server does
  /// Why the desired state is not live yet; empty when it is.
  std::string not_applied;
};

using StatusPtr = Shared<ServiceStatus>;

/// What is told of services otherwise than before; sorted by name.
struct StatusNews {
  struct Change {
    StatusPtr before;  ///< none: it has come
    StatusPtr now;     ///< none: it is gone
  };
  std::vector<Change> changes;
  /// The same of the diagnostics that are of no service, or of one that has no picture.
  std::vector<model::Diagnostic> gone;
  std::vector<model::Diagnostic> come;
};

/// The services' pictures, of which only those are made anew whose service has changed.
class StatusBook {
 public:
  StatusNews Update(const StatusContext& context);

  /// Sorted by name, and shared with the former ones where nothing changed.
  [[nodiscard]] const Chunked<StatusPtr>& services() const { return services_; }
  /// Diagnostics without a picture, sorted.
  [[nodiscard]] std::vector<model::Diagnostic> others() const;
  /// Backends of a service, as of the last Update.
  [[nodiscard]] std::vector<model::BackendName> BackendsOf(const model::ServiceName& name) const;

 private:
  using Names = std::set<model::ServiceName>;

  [[nodiscard]] Names Touched(const StatusContext& context) const;
  void Remember(const StatusContext& context);
  /// Very many say the same.
  void ShareTexts(ServiceStatus& status);
  void SetStatus(const model::ServiceName& name, StatusPtr now, StatusNews& news);
  void SetOthers(const model::ServiceName& name, std::vector<model::Diagnostic> now,
                 StatusNews& news);

  Chunked<StatusPtr> services_;
  TextPool texts_;
  std::map<model::ServiceName, std::vector<model::Diagnostic>> others_;
  /// What they were made of, beside definitions and facts.
  SharedMap<model::ServiceName, routing::ServiceOutcome> outcomes_;
  Chunked<model::Backend> backends_;
  std::vector<model::TcpRoute> tcp_routes_;
  std::multimap<model::ServiceName, model::BackendName> tcp_backends_;  ///< by tcp_routes_
  std::vector<model::RawRoutes> raw_;
  std::string not_applied_;
  bool drained_ = false;
  Names unsettled_;  ///< depend on what drains
};

/// Parameters with the values of secrets replaced by "***".
[[nodiscard]] Parameters RedactParameters(Parameters parameters);

}  // namespace swarmgate::engine
