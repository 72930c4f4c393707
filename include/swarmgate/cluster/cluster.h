// This replica among the others: finds them, is found by them, hands changes on to all of them at
// once, and, where there is no store in common, keeps records equal with theirs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/cluster/membership.h"
#include "swarmgate/ports/peer_log.h"
#include "swarmgate/ports/peers.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::cluster {

struct ClusterOptions {
  Membership self;
  Duration find_every{1000};  ///< how often each way to find others is asked
  Duration poll{1000};        ///< how often each peer is compared with
  Duration deadline{2000};    ///< of a call to a peer
  Duration catch_up{3000};    ///< how long a start waits for a peer's records
};

/// An answer, and the proof over it for whoever asked with a nonce; empty where no token is set.
struct SignedAnswer {
  std::string body;
  std::string proof;
};

class Cluster {
 public:
  /// All outlive it. `log`: where records are kept; null where there is a store in common.
  Cluster(ClusterOptions options, std::vector<ports::Peers*> sources, ports::PeerLog* log,
          const Clock& clock);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  void Start();
  void Stop();

  /// Null without a log. Thread: as ports::SharedStore.
  [[nodiscard]] ports::SharedStore* store();

  // Thread of all below: any, several at a time.

  /// Calls all other replicas at once and waits for each until its deadline. Who does not identify
  /// itself is not called, and strangers are left out. Sorted by address. At most so many at a
  /// time; of further ones every answer says so.
  std::vector<model::PeerAnswer> Send(const model::PeerCall& call);
  static constexpr int kMostAtATime = 8;

  /// The answer to GET /v1/replica. `instance`, `digest`: what the asker says of itself.
  SignedAnswer Identify(const std::string& nonce, const std::string& instance,
                        const std::string& digest, bool ready);
  /// The answer to GET /v1/replica/records: what is new after `revision` of the history `epoch`.
  /// Errors: kNotFound where there is a store in common; kUnavailable.
  Result<SignedAnswer> Documents(const std::string& nonce, const std::string& epoch,
                                 std::uint64_t revision);
  /// A call that another replica has signed.
  [[nodiscard]] bool Accepts(const model::PeerCall& call, std::string_view challenge,
                             std::string_view signature) const;
  /// Is another replica known at this host? Whoever has no token to show is judged by that.
  [[nodiscard]] bool IsHostOfPeer(std::string_view host) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarmgate::cluster
