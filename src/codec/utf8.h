// UTF-8 as JSON allows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace swarmgate::codec {

/// Length of the valid sequence that begins at `text`; 0 when there is none. REQUIRES: not empty.
[[nodiscard]] std::size_t Utf8Length(std::string_view text);

/// How many bytes from the front are valid UTF-8.
[[nodiscard]] std::size_t Utf8Prefix(std::string_view text);

/// The text with U+FFFD in place of each byte that belongs to no valid sequence.
[[nodiscard]] std::string ValidUtf8(std::string_view text);

}  // namespace swarmgate::codec
