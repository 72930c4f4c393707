// How replicas convince each other without ever sending the token that they have in common: whoever
// is asked proves over a number of the asker's that it knows it, and a call is signed over a number
// of whoever is called, so that neither is worth anything elsewhere, or later than half a minute.
// That somebody stands between them, and hands on what each says, is not noticed: so what may hold
// a key (the body of a call, what is answered to a replica) is encrypted with one that comes of the
// token; the parameters of a call are not. Without a token nothing is proved, and
// nothing encrypted. Pure, but for chance.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/certs/seal.h"
#include "swarmgate/model/replica.h"

namespace swarmgate::cluster {

class Credentials {
 public:
  /// How long a challenge can be used.
  static constexpr Duration kChallengeLives{30000};

  /// `run`: of this process.
  Credentials(std::string token, std::string run)
      : token_(std::move(token)), run_(std::move(run)) {}
  [[nodiscard]] bool has_token() const { return !token_.empty(); }

  // Of the one who is asked. `now`: any clock that does not go back.
  [[nodiscard]] std::string MakeChallenge(SteadyTime now) const;
  [[nodiscard]] bool Accepts(const model::PeerCall& call, std::string_view challenge,
                             std::string_view signature, SteadyTime now) const;
  /// Of an answer, for whoever asked with this nonce.
  [[nodiscard]] std::string ProofOf(std::string_view nonce, std::string_view body) const;

  // Of the one who asks.
  [[nodiscard]] bool IsProof(std::string_view proof, std::string_view nonce,
                             std::string_view body) const;
  [[nodiscard]] std::string Sign(const model::PeerCall& call, std::string_view challenge) const;

  // Of both. `over`: the challenge of the call, or the nonce of the answer, that the text is of.
  /// Errors: kInternal.
  [[nodiscard]] Result<std::string> Seal(std::string_view text, std::string_view over) const;
  /// Errors: kRejected, kCorrupt.
  [[nodiscard]] Result<std::string> Open(std::string_view sealed, std::string_view over) const;

 private:
  [[nodiscard]] Result<certs::SealKey> Key() const;
  [[nodiscard]] std::string ChallengeOf(std::string_view issued) const;

  std::string token_;
  std::string run_;
};

}  // namespace swarmgate::cluster
