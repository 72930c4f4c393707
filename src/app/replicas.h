// This process among other replicas, put together out of the options: what they share, how they
// find each other, and who they are to each other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/layout.h"
#include "swarmgate/app/options.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/certs/seal.h"
#include "swarmgate/cluster/cluster.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::app {

class Replicas {
 public:
  /// Those that the shared store tells of (Consul's presence).
  using Announced = std::function<std::vector<ports::Replica>()>;

  /// `clock` outlives it. `announced` is first called by Start. Errors: kUnavailable (the directory
  /// cannot be written), kInvalidArgument (DOCKER_HOST).
  static Result<std::unique_ptr<Replicas>> Make(const Options& options, const Layout& layout,
                                                const std::optional<certs::SealKey>& key,
                                                const Clock& clock, Announced announced);

  /// Begins to look for others. After it the engine may start.
  void Start() { cluster_->Start(); }
  void Stop() { cluster_->Stop(); }

  /// Null: nothing is shared.
  [[nodiscard]] ports::SharedStore* shared() { return shared_; }
  /// What people call it.
  [[nodiscard]] const char* shared_name() const { return consul_ ? "consul" : "peers"; }
  /// Asking Consul is a question over the network, asking ourselves is not.
  [[nodiscard]] Duration announce_every() const { return Duration(consul_ ? 5000 : 1000); }
  [[nodiscard]] const ports::Replica& self() const { return self_; }
  [[nodiscard]] cluster::Cluster& cluster() { return *cluster_; }

 private:
  Replicas() = default;

  ports::Replica self_;
  std::vector<std::unique_ptr<ports::Peers>> sources_;
  std::unique_ptr<ports::PeerLog> log_;
  std::unique_ptr<ports::SharedStore> consul_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<ports::SharedStore> sealed_;
  ports::SharedStore* shared_ = nullptr;
};

}  // namespace swarmgate::app
