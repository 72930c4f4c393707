// What the admin API needs of the other replicas: to hand calls on to them, and to answer theirs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/model/replica.h"

namespace swarmgate::ports {

/// An answer, and the proof over it for whoever asked with a nonce; empty where no token is set.
struct SignedAnswer {
  std::string body;
  std::string proof;
};

/// Thread: any, several at a time.
class Replicas {
 public:
  virtual ~Replicas() = default;

  /// Calls all other replicas at once and waits for each until its deadline (about two seconds).
  /// Who does not identify itself is not called, and strangers are left out. Sorted by address.
  virtual std::vector<model::PeerAnswer> Send(const model::PeerCall& call) = 0;

  /// The answer to GET /v1/replica. `instance`, `digest`: what the asker says of itself.
  virtual SignedAnswer Identify(const std::string& nonce, const std::string& instance,
                                const std::string& digest, bool ready) = 0;
  /// The answer to GET /v1/replica/records: what is new after `revision` of the history `epoch`.
  /// Errors: kNotFound where records are shared through a store in common; kUnavailable.
  virtual Result<SignedAnswer> Documents(const std::string& nonce, const std::string& epoch,
                                         std::uint64_t revision) = 0;

  /// The answer to GET /v1/replica/facts: what Docker says here, beyond `revision` of the feed
  /// `epoch`; waits for it until `deadline`, or a while. Errors: kNotFound where there is no
  /// socket; kUnavailable.
  virtual Result<SignedAnswer> Facts(const std::string& nonce, const std::string& epoch,
                                     std::uint64_t revision, SteadyTime deadline) = 0;

  /// What was sent with a call that another replica has signed; on the way it is encrypted.
  /// Nothing: no other replica has signed it.
  [[nodiscard]] virtual std::optional<std::string> BodyOf(const model::PeerCall& call,
                                                          std::string_view challenge,
                                                          std::string_view signature) const = 0;
  /// Is another replica looked for at this host? Where there is no token, it is judged by that.
  [[nodiscard]] virtual bool IsHostOfPeer(std::string_view host) const = 0;
};

}  // namespace swarmgate::ports
