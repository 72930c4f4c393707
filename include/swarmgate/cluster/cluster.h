// This replica among the others: finds them, is found by them, hands changes on to all of them at
// once, and, where there is no store in common, keeps records equal with theirs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/cluster/membership.h"
#include "swarmgate/ports/docker_api.h"
#include "swarmgate/ports/peer_log.h"
#include "swarmgate/ports/peers.h"
#include "swarmgate/ports/replicas.h"
#include "swarmgate/ports/shared_store.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::cluster {

struct ClusterOptions {
  Membership self;
  Duration find_every{1000};  ///< how often each way to find others is asked
  Duration poll{1000};        ///< how often each peer is compared with
  Duration deadline{2000};    ///< of a call to a peer
  Duration catch_up{3000};    ///< how long a start waits for a peer's records
};

class Cluster final : public ports::Replicas {
 public:
  /// All outlive it. `log`: where records are kept; null where there is a store in common.
  Cluster(ClusterOptions options, std::vector<ports::Peers*> sources, ports::PeerLog* log,
          const Clock& clock);
  ~Cluster() override;
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Called when the first replica without a Docker socket asks what Docker says here: nobody need
  /// tell before. Set before Start. Thread: any.
  void OnFollower(std::function<void()> told);
  void Start();
  /// Waits until every peer that answers has what was accepted here, at most for `wait`; they fetch
  /// it, so calls of theirs must be answered meanwhile. False: one may lack something. Thread: any.
  bool AwaitPeers(Duration wait);
  void Stop();

  /// Null without a log. Thread: as ports::SharedStore.
  [[nodiscard]] ports::SharedStore* store();
  /// Docker as a replica with a socket tells of it; for one that has none. Outlived by the cluster.
  [[nodiscard]] std::unique_ptr<ports::DockerApi> MakeDocker();
  /// What our own Docker says has changed, for those that have none; the first one is everything.
  /// Thread: any.
  void TakeFacts(const ports::AppliedDelta& delta);
  /// Our own Docker answers, or is lost: then those that have none are sent to another replica.
  void TakeDocker(bool answers);

  // At most so many calls are handed on at a time; of further ones every answer says so.
  static constexpr int kMostAtATime = 8;
  std::vector<model::PeerAnswer> Send(const model::PeerCall& call) override;
  ports::SignedAnswer Identify(const std::string& nonce, const std::string& instance,
                               const std::string& digest, bool ready) override;
  Result<ports::SignedAnswer> Documents(const std::string& nonce, const std::string& epoch,
                                        std::uint64_t revision) override;
  Result<ports::SignedAnswer> Facts(const std::string& nonce, const std::string& epoch,
                                    std::uint64_t revision, SteadyTime deadline) override;
  [[nodiscard]] std::optional<std::string> BodyOf(const model::PeerCall& call,
                                                  std::string_view challenge,
                                                  std::string_view signature) const override;
  [[nodiscard]] bool IsHostOfPeer(std::string_view host) const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarmgate::cluster
