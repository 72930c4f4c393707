#include "cluster/credentials.h"

#include <chrono>
#include <optional>

#include "swarmgate/base/strings.h"
#include "swarmgate/certs/proof.h"

namespace swarmgate::cluster {
namespace {

std::uint64_t Milliseconds(SteadyTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

}  // namespace

std::string Credentials::ChallengeOf(std::string_view issued) const {
  return std::string(issued) + "-" + certs::Proof(token_, {"challenge", run_, issued});
}

std::string Credentials::MakeChallenge(SteadyTime now) const {
  return has_token() ? ChallengeOf(std::to_string(Milliseconds(now))) : std::string();
}

bool Credentials::Accepts(const model::PeerCall& call, std::string_view challenge,
                          std::string_view signature, SteadyTime now) const {
  if (!has_token()) return false;
  const std::string_view issued = challenge.substr(0, challenge.find('-'));
  const std::optional<std::uint64_t> time = ParseUint(issued, 1ULL << 62U);
  const std::uint64_t present = Milliseconds(now);
  if (!time || *time > present ||
      present - *time > static_cast<std::uint64_t>(kChallengeLives.count())) {
    return false;
  }
  return certs::SameProof(challenge, ChallengeOf(issued)) &&
         certs::SameProof(signature, Sign(call, challenge));
}

std::string Credentials::ProofOf(std::string_view nonce, std::string_view body) const {
  if (!has_token() || nonce.empty()) return {};
  return certs::Proof(token_, {"answer", nonce, body});
}

bool Credentials::IsProof(std::string_view proof, std::string_view nonce,
                          std::string_view body) const {
  return certs::SameProof(proof, ProofOf(nonce, body));
}

std::string Credentials::Sign(const model::PeerCall& call, std::string_view challenge) const {
  const std::string made = std::to_string(call.made_unix_ms);
  const std::string parameters = std::to_string(call.query.size());
  std::vector<std::string_view> parts = {"call",    challenge, call.method,
                                         call.path, made,      parameters};
  for (const auto& [name, value] : call.query) {
    parts.emplace_back(name);
    parts.emplace_back(value);
  }
  parts.emplace_back(call.body);
  return certs::Proof(token_, parts);
}

Result<certs::SealKey> Credentials::Key() const {
  return certs::MakeSealKey(certs::Proof(token_, {"seal"}));
}

Result<std::string> Credentials::Seal(std::string_view text, std::string_view over) const {
  const auto key = Key();
  if (!key) return Forward(key.error());
  return certs::Seal(text, over, *key);
}

Result<std::string> Credentials::Open(std::string_view sealed, std::string_view over) const {
  const auto key = Key();
  if (!key) return Forward(key.error());
  return certs::Unseal(sealed, over, *key);
}

}  // namespace swarmgate::cluster
