// The little JSON that tests need, by JSON Pointer (RFC 6901).
#ifndef SWARMGATE_TEST_SUPPORT_JSON_H_
#define SWARMGATE_TEST_SUPPORT_JSON_H_

#include <cstddef>
#include <optional>
#include <string>

namespace swarmgate::testing {

/// What stands at `pointer` ("" is the whole, "/0/State/Pid"): a string as it
/// is, anything else as compact JSON. Nothing when the text is not JSON or has
/// no such place.
std::optional<std::string> JsonAt(const std::string& text, const std::string& pointer);

/// JsonAt() or an empty string.
std::string JsonText(const std::string& text, const std::string& pointer);

/// The number of elements or members at `pointer`; 0 when there is none.
size_t JsonCount(const std::string& text, const std::string& pointer);

/// The text as a JSON string, with its quotes.
std::string JsonQuote(const std::string& text);

/// A member's name as one step of a pointer (`/` and `~` escaped).
std::string JsonStep(const std::string& name);

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_JSON_H_
