// Regexes of users, and those that stand for Docker Flow Proxy's ways to compare (path_end,
// hdr_dom(host), …), in the one form that the rest of the program takes: "^…$" over the whole path
// or host, safe to be put behind another prefix, and bounded in time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "labels/regex_tree.h"

namespace swarmgate::labels {

struct RegexOutcome {
  std::string regex;  ///< empty when there is a problem
  RegexProblem problem;
  std::size_t groups = 0;  ///< capturing groups, for CheckedSearch
};

/// A search in paths, as HAProxy's path_reg, as a match of the whole path.
[[nodiscard]] RegexOutcome PathRegex(std::string_view written, bool ignore_case);

/// A search in lower-case host names, as hdr_reg(host) -i, as a match of the whole host.
[[nodiscard]] RegexOutcome HostRegex(std::string_view written);

/// A search in paths for regsub(); anchors stay where they are.
[[nodiscard]] RegexOutcome CheckedSearch(std::string_view written);

/// `literal` with every character escaped that means something in a regex.
[[nodiscard]] std::string EscapeRegex(std::string_view literal);

/// Any text inside a host: what HostRegex writes for ".*".
inline constexpr std::string_view kAnyHostText = "[^/|]*";

}  // namespace swarmgate::labels
