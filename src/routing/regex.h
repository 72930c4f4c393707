// Regular expressions as HAProxy compiles them, and how a user's regex for a path or a host becomes
// a part of a larger one: HAProxy matches one subject that holds a group's id or the host, the
// port, and the path.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace swarmgate::routing {

/// A compiled PCRE2 regex with the options of HAProxy's map_reg (case-sensitive, plain parentheses
/// do not capture).
class Regex {
 public:
  /// Nothing when it does not compile.
  static std::optional<Regex> Compile(const std::string& pattern);
  /// Finds a match anywhere. A match that takes too many steps counts as none.
  [[nodiscard]] bool Search(std::string_view subject) const;

 private:
  explicit Regex(std::shared_ptr<void> code) : code_(std::move(code)) {}
  std::shared_ptr<void> code_;
};

/// The name of the group that holds the whole path wherever the texts below ask for it.
inline constexpr const char* kPathGroup = "swarmgate_p";

/// A part of a regex that stands where the path begins.
struct PathPart {
  std::string text;  ///< no alternative at its top level: more text may be put before and behind
  bool needs_group = false;  ///< refers to kPathGroup
};

/// A user's regex for paths (searched anywhere, '^' is the path's begin) as a PathPart. Nothing for
/// constructs that cannot be a part of a larger regex: verbs, recursion, conditions, \G, \K, \C,
/// callouts, (?x).
std::optional<PathPart> PathRegexPart(const std::string& regex);

/// A user's regex for hosts as a look-ahead that stands at the begin of "<host>|<port>|<path>". It
/// refers to kPathGroup.
std::optional<std::string> HostRegexPart(const std::string& regex);

/// Every byte that means something in a regex escaped.
std::string EscapeRegex(std::string_view literal);

}  // namespace swarmgate::routing
