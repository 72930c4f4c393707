// The one way by which a value reaches configuration text, map files or the Runtime API. Values are
// typed long before; here they are looked at once more, so that no mistake elsewhere becomes an
// injection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarmgate::haproxy {

/// A word of HAProxy's configuration language: unchanged when it is plain, else in single quotes.
/// REQUIRES: no control byte (nothing can quote a newline).
[[nodiscard]] std::string Quote(std::string_view word);

/// A word of a Runtime API command: ' ', ';', '\' with a backslash in front. REQUIRES: no control
/// byte.
[[nodiscard]] std::string EscapeArgument(std::string_view word);

/// May it be the key (or a value without spaces) of a map entry: not empty, at most `limit` bytes,
/// no white space, no control byte, no '#' in front.
[[nodiscard]] bool IsMapWord(std::string_view word, std::size_t limit = 6000);

/// Appends a field to a record: every byte that is not a letter, a digit or one of "._~/:@-"
/// becomes '_'.
void AppendField(std::string& record, std::string_view text);

/// "10.0.0.5:8080", "[fd00::1]:8080" in the spelling of inet_ntop; nothing when it is not an IP
/// literal or the port is 0.
[[nodiscard]] std::optional<std::string> CanonicalAddress(const std::string& address);
[[nodiscard]] std::string JoinAddress(const std::string& canonical, std::uint16_t port);

}  // namespace swarmgate::haproxy
