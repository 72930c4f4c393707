// A user's regular expression as a tree. Only a subset of PCRE is read: what one needs to describe
// paths and hosts, and what can be moved into a longer expression without changing its meaning.
// Knowing the tree (rather than the text) is what lets us rewrite a search into a match of the
// whole, and refuse what could keep HAProxy busy for ever.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace swarmgate::labels {

using ByteSet = std::bitset<256>;

struct RegexNode {
  enum class Kind {
    kSet,           ///< one byte out of `set`
    kSequence,      ///< children one after the other
    kAlternatives,  ///< a group, or the root; children are sequences
    kLookahead,     ///< as kAlternatives, consumes nothing
    kBegin,         ///< ^
    kEnd,           ///< $
    kBoundary,      ///< \b, \B
  };
  static constexpr std::size_t kUnbounded = static_cast<std::size_t>(-1);

  Kind kind = Kind::kSequence;
  std::string text;  ///< kSet, kBoundary: as it is written; groups: how they open, "(?:"
  ByteSet set;
  std::vector<RegexNode> children;
  std::size_t min = 1;
  std::size_t max = 1;
  std::string quantifier;  ///< as it is written; empty for exactly one

  [[nodiscard]] bool quantified() const { return !quantifier.empty(); }
};

struct RegexDialect {
  /// Bytes that nothing may match unless they are written out; they bound the text from outside.
  std::string_view excluded;
  bool lookahead = false;
  bool ignore_case = false;
};

/// What is wrong with a regex, or nothing.
struct RegexProblem {
  std::string message;
  std::string hint;
  [[nodiscard]] bool empty() const { return message.empty(); }
};

/// Reads `text` into `root` (kAlternatives). REQUIRES: printable ASCII without white space.
[[nodiscard]] RegexProblem ParseRegex(std::string_view text, const RegexDialect& dialect,
                                      RegexNode& root);

/// The text of a tree, with the marks of its anchors.
[[nodiscard]] std::string RenderRegex(const RegexNode& node);

/// The expression without "^" and "$" that matches a whole text exactly when `root` is found
/// somewhere in it. `any` is what stands for any text at an end that has no anchor.
[[nodiscard]] RegexProblem RenderWhole(const RegexNode& root, std::string_view any,
                                       std::string& out);

/// Is there a ^ or $ in it?
[[nodiscard]] bool HasAnchor(const RegexNode& node);

/// The bytes that may stand for any byte: all but the line feed and the excluded ones.
[[nodiscard]] ByteSet AnyByte(std::string_view excluded);

}  // namespace swarmgate::labels
