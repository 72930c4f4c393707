// Regular expressions as HAProxy compiles them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace swarmgate::routing {

/// A compiled PCRE2 regex with the options of HAProxy's map_reg (case-sensitive, plain parentheses
/// do not capture).
class Regex {
 public:
  /// Nothing when it does not compile.
  static std::optional<Regex> Compile(const std::string& pattern);
  /// Of a regex "^…$", which is to match as a whole. Nothing for any other form.
  static std::optional<Regex> CompileWhole(const std::string& regex);
  /// Finds a match anywhere. A match that takes too many steps counts as none.
  [[nodiscard]] bool Search(std::string_view subject) const;

 private:
  explicit Regex(std::shared_ptr<void> code) : code_(std::move(code)) {}
  std::shared_ptr<void> code_;
};

/// What stands between the anchors of "^…$", in brackets: "(?:…)". Nothing for any other form.
[[nodiscard]] std::optional<std::string> RegexMiddle(const std::string& regex);

/// Does the regex "^…$" match the text as a whole?
[[nodiscard]] bool MatchesWhole(const std::string& regex, std::string_view text);

/// Every byte that means something in a regex escaped.
[[nodiscard]] std::string EscapeRegex(std::string_view literal);

}  // namespace swarmgate::routing
