// Shows that one knows a secret without saying it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarmgate::certs {

/// HMAC-SHA256 over the parts, each with its length before it, as 64 hex digits.
[[nodiscard]] std::string Proof(std::string_view secret,
                                const std::vector<std::string_view>& parts);

/// Takes the same time for every input of one length.
[[nodiscard]] bool SameProof(std::string_view left, std::string_view right);

/// 32 hex digits that nobody can foresee.
[[nodiscard]] std::string MakeNonce();

}  // namespace swarmgate::certs
