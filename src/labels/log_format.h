// The closed grammar of the values of headers: literal text and those expressions of HAProxy's log
// format that are harmless: they tell about this request or answer and cost little. Everything else
// is "raw" and only for whom the operator allows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarmgate::labels {

/// `text` as HAProxy is to get it (still to be quoted), or what is wrong.
struct FormatOutcome {
  std::string text;
  std::string problem;
  std::string hint;
};

/// A value. A '%' that begins no expression stands for itself.
[[nodiscard]] FormatOutcome CheckedFormat(std::string_view value, bool response);

/// "if { ssl_fc }", "unless { method GET } or !{ path_beg /x }", with one space between its words.
[[nodiscard]] FormatOutcome CheckedCondition(std::string_view condition, bool response);

/// Could a condition begin with this word (behind if or unless)?
[[nodiscard]] bool BeginsCondition(std::string_view word);

/// One header of a list: its name, what follows as written, and that in words.
struct HeaderItem {
  std::string name;
  std::string rest;
  std::string value;      ///< words joined by spaces, without the quotes around them
  std::string condition;  ///< from "if" or "unless" on
  bool has_value = false;
};
/// Splits a list of headers at `separator`, but not inside %[ ], nor in a quoted word; a backslash
/// makes it a plain character. Items are trimmed; empty ones stay.
[[nodiscard]] std::vector<std::string> SplitHeaders(std::string_view text, char separator);
[[nodiscard]] HeaderItem TakeApartHeader(std::string_view text);

/// A token of RFC 9110, as names of headers and methods are.
[[nodiscard]] bool IsToken(std::string_view text);

}  // namespace swarmgate::labels
