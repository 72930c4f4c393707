// The plain kinds of values: lists, booleans, ports, durations, names.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarmgate::labels {

/// Splits at `separator`; a backslash makes the next separator a plain character, every other
/// backslash stays as it is, together with what follows. Items are trimmed; empty ones stay.
[[nodiscard]] std::vector<std::string> SplitEscaped(std::string_view text, char separator);

/// Go's ParseBool: 1 t T TRUE true True, 0 f F FALSE false False.
[[nodiscard]] std::optional<bool> ParseBool(std::string_view text);

/// 1 … 65535, decimal, no sign, no leading zero.
[[nodiscard]] std::optional<std::uint16_t> ParsePort(std::string_view text);

/// "30" (seconds), "500ms", "1m", "1h30m". Nothing when it is not of this form or above 24 days,
/// the longest that HAProxy's timers hold. Zero is returned as zero.
[[nodiscard]] std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

inline constexpr std::chrono::hours kLongestTimeout{24 * 24};

/// Lower-case letters, digits, '-', '_' in labels of 1 to 63 bytes between dots; at most 253 bytes.
/// A label neither begins nor ends with '-'.
[[nodiscard]] bool IsHostName(std::string_view text);

[[nodiscard]] bool IsPrintableAscii(std::string_view text);

/// An IPv4 or IPv6 address in the usual notation; nothing otherwise.
struct Address {
  std::string text;
  bool local = false;  ///< loopback or unspecified: the proxy's own machine
};
[[nodiscard]] std::optional<Address> ParseAddress(std::string_view text);

}  // namespace swarmgate::labels
