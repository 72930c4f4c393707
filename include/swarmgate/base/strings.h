// Small text helpers that several modules share. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarmgate {

/// Splits at every `separator`; "a,,b" gives three parts, "" gives one empty part.
[[nodiscard]] std::vector<std::string_view> Split(std::string_view text, char separator);
/// The parts point into the text, so it must outlive them: a string that nobody holds is not
/// taken (in `for (… : Split(F(), ','))` it would be gone before the first turn).
template <typename Char>
std::vector<std::string_view> Split(std::basic_string<Char>&& text, char separator) = delete;
/// Without ASCII white space at both ends.
[[nodiscard]] std::string_view Trim(std::string_view text);
/// ASCII only.
[[nodiscard]] std::string ToLower(std::string_view text);
/// Decimal digits only, no sign, no white space, no leading zero (except "0"), at most `max`.
[[nodiscard]] std::optional<std::uint64_t> ParseUint(std::string_view text, std::uint64_t max);
/// Printable form for logs and messages: control bytes and invalid UTF-8 as \xNN, cut at `limit`
/// bytes with "…".
[[nodiscard]] std::string Printable(std::string_view text, std::size_t limit = 200);
/// Number of edits (insert, delete, replace, swap of neighbours; case counts as half) — for "did
/// you mean". Returns the closest candidate within a third of its length, or nothing.
[[nodiscard]] std::optional<std::string> ClosestMatch(std::string_view word,
                                                      const std::vector<std::string>& candidates);
/// FNV-1a, 64 bit.
[[nodiscard]] std::uint64_t Hash64(std::string_view text);
/// The same as 16 hex digits: stable names from long keys.
[[nodiscard]] std::string HashHex(std::string_view text);
/// 16 digits.
[[nodiscard]] std::string HexOf(std::uint64_t number);

}  // namespace swarmgate
