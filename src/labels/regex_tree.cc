#include "labels/regex_tree.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

constexpr std::size_t kDeepest = 20;
constexpr std::size_t kMostRepeats = 1000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLetter(char c) { return IsUpper(c) || IsLower(c); }

std::size_t Index(char c) { return static_cast<unsigned char>(c); }

ByteSet Range(char first, char last) {
  ByteSet set;
  for (std::size_t i = Index(first); i <= Index(last); ++i) set.set(i);
  return set;
}

ByteSet Bytes(std::string_view text) {
  ByteSet set;
  for (const char c : text) set.set(Index(c));
  return set;
}

ByteSet Digits() { return Range('0', '9'); }
ByteSet Alnum() { return Range('a', 'z') | Range('A', 'Z') | Digits(); }
ByteSet Words() { return Alnum() | Bytes("_"); }
ByteSet Spaces() { return Bytes(" \t\n\v\f\r"); }

std::optional<ByteSet> PosixClass(std::string_view name) {
  if (name == "alpha") return Range('a', 'z') | Range('A', 'Z');
  if (name == "digit") return Digits();
  if (name == "alnum") return Alnum();
  if (name == "upper") return Range('A', 'Z');
  if (name == "lower") return Range('a', 'z');
  if (name == "xdigit") return Digits() | Range('a', 'f') | Range('A', 'F');
  if (name == "punct") return Range('!', '~') & ~Alnum();
  if (name == "word") return Words();
  return std::nullopt;
}

// \d and its like; nothing for other letters.
std::optional<ByteSet> Shorthand(char c) {
  switch (c) {
    case 'd':
      return Digits();
    case 'D':
      return ~Digits();
    case 'w':
      return Words();
    case 'W':
      return ~Words();
    case 's':
      return Spaces();
    case 'S':
      return ~Spaces();
    default:
      return std::nullopt;
  }
}

ByteSet Fold(ByteSet set) {
  for (char c = 'a'; c <= 'z'; ++c) {
    const auto upper = static_cast<char>(c - 'a' + 'A');
    const bool either = set[Index(c)] || set[Index(upper)];
    set[Index(c)] = either;
    set[Index(upper)] = either;
  }
  return set;
}

class Parser {
 public:
  Parser(std::string_view text, const RegexDialect& dialect)
      : text_(text), dialect_(dialect), excluded_(Bytes(dialect.excluded)) {}

  RegexProblem Parse(RegexNode& root) {
    root.kind = RegexNode::Kind::kAlternatives;
    if (Starts("(?i)")) {
      at_ += 4;
      root.text = "(?i:";
    }
    Alternatives(root, dialect_.ignore_case || !root.text.empty(), 0);
    if (problem_.empty() && at_ < text_.size()) Fail("there is a ) without its (", "Write \\)");
    return problem_;
  }

 private:
  bool Starts(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }
  bool More() const { return problem_.empty() && at_ < text_.size(); }

  void Fail(std::string message, std::string hint = {}) {
    if (!problem_.empty()) return;
    problem_ = {std::move(message) + " (at character " + std::to_string(at_ + 1) + ")",
                std::move(hint)};
  }

  void Alternatives(RegexNode& group, bool fold, std::size_t depth) {
    if (depth > kDeepest) return Fail("groups are nested too deeply", "Write it with fewer ( )");
    group.children.emplace_back();
    while (More() && text_[at_] != ')') {
      if (text_[at_] == '|') {
        ++at_;
        group.children.emplace_back();
        continue;
      }
      RegexNode item = Item(fold, depth);
      if (problem_.empty()) Quantifier(item);
      group.children.back().children.push_back(std::move(item));
    }
  }

  RegexNode Item(bool fold, std::size_t depth) {
    RegexNode node;
    const char c = text_[at_];
    switch (c) {
      case '^':
      case '$':
        ++at_;
        node.kind = c == '^' ? RegexNode::Kind::kBegin : RegexNode::Kind::kEnd;
        node.text = std::string(1, c);
        return node;
      case '(':
        return Group(fold, depth);
      case '[':
        return Class(fold);
      case '\\':
        return Escape(fold);
      case '.':
        ++at_;
        node.kind = RegexNode::Kind::kSet;
        node.set = AnyByte(dialect_.excluded);
        node.text = excluded_.none() ? "." : "[^" + std::string(dialect_.excluded) + "]";
        return node;
      case '*':
      case '+':
      case '?':
        Fail("there is nothing to repeat before " + std::string(1, c),
             std::string("Write \\") + c + " for the character itself");
        return node;
      case '{':
        Fail("{ does not begin a repetition such as {2} or {1,3}",
             "Write \\{ for the character itself");
        return node;
      default:
        ++at_;
        return Literal(c, std::string(1, c), fold);
    }
  }

  RegexNode Literal(char c, std::string written, bool fold) {
    RegexNode node;
    node.kind = RegexNode::Kind::kSet;
    node.set.set(Index(c));
    if (fold) node.set = Fold(node.set);
    node.text = std::move(written);
    CheckExcluded(node.set);
    return node;
  }

  void CheckExcluded(const ByteSet& set) {
    if ((set & excluded_).none()) return;
    Fail("it names a character that cannot occur here",
         "It must not match any of " + std::string(dialect_.excluded));
  }

  RegexNode Group(bool fold, std::size_t depth) {
    RegexNode node;
    node.kind = RegexNode::Kind::kAlternatives;
    node.text = "(";
    for (const std::string_view open : {"(?:", "(?>", "(?i:", "(?=", "(?!"}) {
      if (Starts(open)) node.text = open;
    }
    if (node.text == "(?=" || node.text == "(?!") {
      node.kind = RegexNode::Kind::kLookahead;
      if (!dialect_.lookahead)
        Fail("a lookahead cannot be used here", "Only pathType=path_reg takes one");
    }
    if (node.text == "(" && (Starts("(?") || Starts("(*"))) {
      Fail("this kind of group cannot be used here",
           "Use (…), (?:…), (?i:…) or (?>…); (?i) may stand at the very start");
    }
    at_ += node.text.size();
    Alternatives(node, fold || node.text == "(?i:", depth + 1);
    if (!problem_.empty()) return node;
    if (at_ >= text_.size()) {
      Fail("a ( is never closed", "Write \\( for the character itself");
      return node;
    }
    ++at_;
    return node;
  }

  std::optional<char> HexByte() {
    const auto digit = [](char c) -> int {
      if (IsDigit(c)) return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      if (c >= 'A' && c <= 'F') return c - 'A' + 10;
      return -1;
    };
    if (at_ + 4 > text_.size()) return std::nullopt;
    const int high = digit(text_[at_ + 2]);
    const int low = digit(text_[at_ + 3]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(high * 16 + low);
  }

  // A character written with a backslash that stands for itself or by its number.
  std::optional<std::pair<char, std::string>> EscapedLiteral() {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == 'x') {
      const auto byte = HexByte();
      if (!byte) {
        Fail("\\x needs two hexadecimal digits", "Write \\x20, for instance");
        return std::nullopt;
      }
      std::string written(text_.substr(at_, 4));
      at_ += 4;
      return std::pair{*byte, std::move(written)};
    }
    if (c == '\0') {
      Fail("the last \\ has nothing behind it", "Write \\\\ for the character itself");
      return std::nullopt;
    }
    if (IsDigit(c)) {
      Fail("back-references cannot be used here", "Write the text out a second time");
      return std::nullopt;
    }
    if (IsLetter(c)) {
      Fail(std::string("\\") + c + " cannot be used here",
           "Use \\d \\w \\s \\D \\W \\S \\b \\xHH; ^ and $ for the ends");
      return std::nullopt;
    }
    at_ += 2;
    return std::pair{c, std::string("\\") + c};
  }

  RegexNode Escape(bool fold) {
    RegexNode node;
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == 'b' || c == 'B') {
      at_ += 2;
      node.kind = RegexNode::Kind::kBoundary;
      node.text = std::string("\\") + c;
      return node;
    }
    if (const auto set = Shorthand(c)) {
      at_ += 2;
      node.kind = RegexNode::Kind::kSet;
      node.set = *set;
      node.text = std::string("\\") + c;
      if (IsUpper(c) && excluded_.any()) {
        node.set &= ~excluded_;
        node.text =
            "[^\\" + ToLower(std::string_view(&c, 1)) + std::string(dialect_.excluded) + "]";
      }
      return node;
    }
    if (auto literal = EscapedLiteral()) {
      return Literal(literal->first, std::move(literal->second), fold);
    }
    return node;
  }

  // One item of a class: a set (then `single` is empty) or a character, which may begin a range.
  ByteSet ClassItem(std::string& written, std::optional<char>& single) {
    single.reset();
    if (Starts("[:") || Starts("[.") || Starts("[=")) {
      const std::size_t end = text_.find(":]", at_);
      const auto set = end == std::string_view::npos || !Starts("[:")
                           ? std::nullopt
                           : PosixClass(text_.substr(at_ + 2, end - at_ - 2));
      if (!set) {
        Fail("there is no such class of characters", "Write \\[ for the character itself");
        return {};
      }
      written = text_.substr(at_, end + 2 - at_);
      at_ = end + 2;
      return *set;
    }
    const char c = text_[at_];
    if (c != '\\') {
      ++at_;
      single = c;
      written = std::string(c == '[' || c == ']' || c == '^' || c == '-' ? "\\" : "") + c;
      return Bytes(std::string_view(&c, 1));
    }
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (const auto set = Shorthand(next)) {
      if (IsUpper(next) && excluded_.any()) {
        Fail(std::string("\\") + next + " cannot be used inside [ ] here", "Write [^…] instead");
      }
      at_ += 2;
      written = std::string("\\") + next;
      return *set;
    }
    if (auto literal = EscapedLiteral()) {
      single = literal->first;
      written = std::move(literal->second);
      return Bytes(std::string_view(&literal->first, 1));
    }
    return {};
  }

  RegexNode Class(bool fold) {
    RegexNode node;
    node.kind = RegexNode::Kind::kSet;
    const std::size_t start = at_++;
    const bool negated = More() && text_[at_] == '^';
    if (negated) ++at_;
    std::string body;
    bool first = true;
    while (More() && (first || text_[at_] != ']')) {
      first = false;
      std::string written;
      std::optional<char> low;
      ByteSet set = ClassItem(written, low);
      body += written;
      if (low && More() && text_[at_] == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        std::optional<char> high;
        ClassItem(written, high);
        if (problem_.empty() && (!high || Index(*high) < Index(*low))) {
          Fail("the range inside [ ] is out of order", "Write - last for the character itself");
        }
        if (!problem_.empty()) return node;
        body += "-" + written;
        set = Range(*low, *high);
      }
      node.set |= set;
    }
    if (!problem_.empty()) return node;
    if (at_ >= text_.size()) {
      at_ = start;
      Fail("a [ is never closed", "Write \\[ for the character itself");
      return node;
    }
    ++at_;
    if (fold) node.set = Fold(node.set);
    if (negated) {
      node.set = ~node.set & ~excluded_;
    } else {
      CheckExcluded(node.set);
    }
    node.text = (negated ? "[^" + std::string(dialect_.excluded) : "[") + body + "]";
    return node;
  }

  std::optional<std::size_t> Number() {
    const std::size_t start = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    const auto value = ParseUint(text_.substr(start, at_ - start), kMostRepeats);
    if (!value) return std::nullopt;
    return static_cast<std::size_t>(*value);
  }

  bool Braces(RegexNode& node) {
    const std::size_t start = at_++;
    const auto low = Number();
    if (!low) return false;
    node.min = node.max = *low;
    if (at_ < text_.size() && text_[at_] == ',') {
      ++at_;
      node.max = RegexNode::kUnbounded;
      if (at_ < text_.size() && text_[at_] != '}') {
        const auto high = Number();
        if (!high || *high < *low) return false;
        node.max = *high;
      }
    }
    if (at_ >= text_.size() || text_[at_] != '}') return false;
    ++at_;
    node.quantifier = text_.substr(start, at_ - start);
    return true;
  }

  void Quantifier(RegexNode& node) {
    if (!More()) return;
    const char c = text_[at_];
    if (c != '*' && c != '+' && c != '?' && c != '{') return;
    if (node.kind != RegexNode::Kind::kSet && node.kind != RegexNode::Kind::kAlternatives) {
      return Fail("there is nothing to repeat before " + std::string(1, c),
                  std::string("Write \\") + c + " for the character itself");
    }
    if (c == '{') {
      if (!Braces(node)) {
        return Fail("{ does not begin a repetition such as {2} or {1,3}",
                    "Write \\{ for the character itself, and \\, for a comma inside a value");
      }
    } else {
      ++at_;
      node.quantifier = std::string(1, c);
      node.min = c == '+' ? 1 : 0;
      node.max = c == '?' ? 1 : RegexNode::kUnbounded;
    }
    if (More() && (text_[at_] == '?' || text_[at_] == '+')) node.quantifier += text_[at_++];
    if (More() &&
        (text_[at_] == '*' || text_[at_] == '+' || text_[at_] == '?' || text_[at_] == '{')) {
      Fail("a repetition follows a repetition",
           std::string("Write \\") + text_[at_] + " for the character itself");
    }
  }

  std::string_view text_;
  RegexDialect dialect_;
  ByteSet excluded_;
  std::size_t at_ = 0;
  RegexProblem problem_;
};

}  // namespace

ByteSet AnyByte(std::string_view excluded) { return ~(Bytes(excluded) | Bytes("\n")); }

RegexProblem ParseRegex(std::string_view text, const RegexDialect& dialect, RegexNode& root) {
  return Parser(text, dialect).Parse(root);
}

}  // namespace swarmgate::labels
