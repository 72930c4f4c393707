// One address at which another replica may answer. Nothing is sent there that matters, and nothing
// is believed that it says, before it has identified itself as a member of our cluster.
#pragma once

#include <cstdint>
#include <string>

#include "cluster/credentials.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/cluster/membership.h"
#include "swarmgate/codec/facts_json.h"
#include "swarmgate/codec/replica_json.h"
#include "swarmgate/http/client.h"

namespace swarmgate::cluster {

/// Thread: one at a time; Cancel from any.
class PeerLink {
 public:
  /// `self` outlives it.
  PeerLink(const Membership& self, const std::string& address);

  /// Who answers there. It may be ourselves. `digest`: of what we have, so that it may come to
  /// fetch it. Errors: kNotFound for a member of another cluster, kRejected when it does not prove
  /// that it knows our token, kCorrupt when it is no replica at all; those of http::Client.
  Result<model::ReplicaIdentity> Identify(const std::string& digest, SteadyTime deadline);

  // REQUIRES: it has identified itself not long ago, as `peer`.

  /// What it knows beyond `revision` of its history.
  Result<codec::DocumentList> Documents(const model::ReplicaIdentity& peer, std::uint64_t revision,
                                        SteadyTime deadline);
  /// What Docker says there, beyond `revision` of that replica's feed `epoch`; waits for news.
  Result<codec::FactsList> Facts(const model::ReplicaIdentity& peer, const std::string& epoch,
                                 std::uint64_t revision, Duration wait, SteadyTime deadline);
  Result<http::Response> Send(const model::ReplicaIdentity& peer, const model::PeerCall& call,
                              SteadyTime deadline);

  void Cancel() { client_.Cancel(); }

 private:
  /// The text of a good answer that is proved to be from a member.
  Result<std::string> Ask(const model::ReplicaIdentity& peer, model::PeerCall call,
                          SteadyTime deadline);

  const Membership& self_;
  Credentials credentials_;
  http::Client client_;
};

}  // namespace swarmgate::cluster
