// SHA-256, for names that must not be forged and for passwords that must not be seen. (HashHex is
// for names that nobody gains anything by guessing.)
#pragma once

#include <string>
#include <string_view>

namespace swarmgate::haproxy {

/// 64 upper-case hex digits, as HAProxy's sha2(256),hex gives them.
[[nodiscard]] std::string Sha256Hex(std::string_view text);

}  // namespace swarmgate::haproxy
