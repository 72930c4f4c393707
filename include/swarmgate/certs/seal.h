// Encrypts with AES-256-GCM what is kept at rest, so that whoever reads the store alone learns no
// key, and what replicas send each other.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "swarmgate/base/error.h"

namespace swarmgate::certs {

using SealKey = std::array<unsigned char, 32>;

/// A key from what the operator gave: 64 hex digits are taken as they are, another text of at least
/// 16 characters is hashed. Errors: kInvalidArgument.
[[nodiscard]] Result<SealKey> MakeSealKey(std::string_view text);

/// "aes256gcm:<hex of nonce, tag and text>". `context` is bound to it: moved under another name it
/// does not open. Errors: kInternal.
[[nodiscard]] Result<std::string> Seal(std::string_view plain, std::string_view context,
                                       const SealKey& key);
/// How long it is at most, of a text of so many bytes.
[[nodiscard]] constexpr std::size_t MostSealed(std::size_t plain) { return 2 * plain + 256; }
[[nodiscard]] bool IsSealed(std::string_view text);
/// Errors: kRejected (another key, or changed), kCorrupt.
[[nodiscard]] Result<std::string> Unseal(std::string_view sealed, std::string_view context,
                                         const SealKey& key);

}  // namespace swarmgate::certs
