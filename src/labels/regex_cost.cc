#include "labels/regex_cost.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace swarmgate::labels {
namespace {

using Kind = RegexNode::Kind;

// A repetition up to this many times is unrolled in thought, not a loop.
constexpr std::size_t kFewTimes = 3;
constexpr std::size_t kMostStates = 4096;
constexpr std::size_t kMostOpenLoops = 2;

bool IsLoop(const RegexNode& node) { return node.max > kFewTimes; }
bool IsVariable(const RegexNode& node) { return node.min != node.max; }

// The number of states that PCRE unrolls a tree into.
std::size_t States(const RegexNode& node) {
  std::size_t sum = 1;
  for (const RegexNode& child : node.children) sum += States(child);
  const std::size_t times =
      node.max == RegexNode::kUnbounded ? node.min + 1 : std::max<std::size_t>(node.max, 1);
  return std::min(sum, 2 * kMostStates) * times;
}

ByteSet AllBytes(const RegexNode& node) {
  ByteSet set = node.kind == Kind::kSet ? node.set : ByteSet();
  for (const RegexNode& child : node.children) set |= AllBytes(child);
  return set;
}

// The sets of a text of fixed length, or nothing where the length varies.
std::optional<std::vector<ByteSet>> FixedSets(const RegexNode& node) {
  constexpr std::size_t kLongest = 256;
  if (IsVariable(node) || node.max > kLongest) return std::nullopt;
  std::vector<ByteSet> once;
  if (node.kind == Kind::kSet) {
    once.push_back(node.set);
  } else if (node.kind == Kind::kSequence) {
    for (const RegexNode& child : node.children) {
      const auto sets = FixedSets(child);
      if (!sets) return std::nullopt;
      once.insert(once.end(), sets->begin(), sets->end());
    }
  } else if (node.kind == Kind::kAlternatives && node.children.size() == 1) {
    const auto sets = FixedSets(node.children.front());
    if (!sets) return std::nullopt;
    once = *sets;
  } else {
    return std::nullopt;
  }
  std::vector<ByteSet> all;
  for (std::size_t i = 0; i < node.max && all.size() <= kLongest; ++i) {
    all.insert(all.end(), once.begin(), once.end());
  }
  if (all.size() > kLongest) return std::nullopt;
  return all;
}

// Of two alternatives of fixed length at most one can match at a place.
bool Exclusive(const std::vector<ByteSet>& a, const std::vector<ByteSet>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if ((a[i] & b[i]).none()) return true;
  }
  return false;
}

bool ExclusiveAlternatives(const RegexNode& group) {
  std::vector<std::vector<ByteSet>> fixed;
  for (const RegexNode& alternative : group.children) {
    auto sets = FixedSets(alternative);
    if (!sets || sets->empty()) return false;
    for (const auto& other : fixed) {
      if (!Exclusive(*sets, other)) return false;
    }
    fixed.push_back(std::move(*sets));
    if (fixed.size() > 64) return false;
  }
  return true;
}

// One sequence, one part of which varies, begun or ended by a byte that occurs nowhere else in it:
// (/[a-z]+)* can be divided in one way only.
bool DelimitedSequence(const RegexNode& group) {
  if (group.children.size() != 1) return false;
  const auto& items = group.children.front().children;
  std::size_t variable = 0;
  for (const RegexNode& item : items) {
    if (item.kind != Kind::kSet) return false;
    if (IsVariable(item)) ++variable;
  }
  if (items.size() < 2 || variable > 1) return false;
  const auto delimits = [&](std::size_t at) {
    if (items[at].quantified()) return false;
    ByteSet others;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i != at) others |= items[i].set;
    }
    return (items[at].set & others).none();
  };
  return delimits(0) || delimits(items.size() - 1);
}

bool LoopsAreUnambiguous(const RegexNode& node) {
  if (node.kind == Kind::kAlternatives && IsLoop(node)) {
    return ExclusiveAlternatives(node) || DelimitedSequence(node);
  }
  return std::all_of(node.children.begin(), node.children.end(), LoopsAreUnambiguous);
}

// Counts the loops that can divide one text among themselves: the degree of the polynomial that
// bounds the time. A loop counts until something must follow that it cannot match.
class OpenLoops {
 public:
  [[nodiscard]] bool Walk(const RegexNode& node) {
    switch (node.kind) {
      case Kind::kSet:
        return Repeat(node, node.set);
      case Kind::kSequence:
        return std::all_of(node.children.begin(), node.children.end(),
                           [this](const RegexNode& child) { return Walk(child); });
      case Kind::kLookahead: {
        const auto before = loops_;
        loops_.clear();
        const bool fine = Branches(node);
        loops_ = before;
        return fine;
      }
      case Kind::kAlternatives:
        if (IsLoop(node)) return Repeat(node, AllBytes(node));
        return Branches(node);
      default:
        return true;
    }
  }

  [[nodiscard]] bool Open(const ByteSet& set) {
    loops_.push_back(set);
    return loops_.size() <= kMostOpenLoops;
  }

 private:
  bool Repeat(const RegexNode& node, const ByteSet& set) {
    if (node.min > 0) {
      loops_.erase(std::remove_if(loops_.begin(), loops_.end(),
                                  [&](const ByteSet& loop) { return (loop & set).none(); }),
                   loops_.end());
    }
    return !IsLoop(node) || !IsVariable(node) || Open(set);
  }

  bool Branches(const RegexNode& group) {
    const auto before = loops_;
    auto worst = group.min == 0 ? before : std::vector<ByteSet>();
    for (const RegexNode& branch : group.children) {
      loops_ = before;
      if (!Walk(branch)) return false;
      if (loops_.size() >= worst.size()) worst = loops_;
    }
    loops_ = worst;
    return true;
  }

  std::vector<ByteSet> loops_;
};

bool IsAny(const RegexNode& node, std::string_view any) {
  return node.kind == Kind::kSet && node.text + node.quantifier == any;
}

// A leading .* takes the place of the search.
bool StartsAnchored(const RegexNode& sequence, std::string_view any) {
  if (sequence.children.empty()) return false;
  const RegexNode& first = sequence.children.front();
  return first.kind == Kind::kBegin || IsAny(first, any);
}

// The sequence without a last loop over any byte: that cannot fail, so it never backtracks.
RegexNode WithoutLastAny(RegexNode sequence, std::string_view any) {
  auto& items = sequence.children;
  if (!items.empty() && items.back().kind == Kind::kEnd) items.pop_back();
  if (!items.empty() && IsAny(items.back(), any)) items.pop_back();
  return sequence;
}

char Sample(const ByteSet& set) {
  for (const char c : std::string_view("a0/.-_zA")) {
    if (set[static_cast<unsigned char>(c)]) return c;
  }
  for (std::size_t i = 0x21; i < 0x7f; ++i) {
    if (set[i]) return static_cast<char>(i);
  }
  return 'a';
}

// A text that the tree more or less matches, and the bytes that it is made of.
void Samples(const RegexNode& node, std::string& text, std::set<char>& bytes) {
  constexpr std::size_t kLongest = 128;
  if (node.kind == Kind::kSet) {
    const char c = Sample(node.set);
    bytes.insert(c);
    for (std::size_t i = 0; i < std::max<std::size_t>(node.min, 1); ++i) {
      if (text.size() < kLongest) text += c;
    }
    return;
  }
  if (node.kind == Kind::kLookahead) return;
  bool first = true;
  for (const RegexNode& child : node.children) {
    std::string other;
    Samples(child, node.kind == Kind::kSequence || first ? text : other, bytes);
    first = false;
  }
}

std::vector<std::string> HardTexts(const RegexNode& root) {
  constexpr std::size_t kLength = 256;
  constexpr std::size_t kMostBytes = 6;
  std::string sample;
  std::set<char> bytes;
  Samples(root, sample, bytes);
  std::vector<std::string> texts;
  if (!sample.empty()) {
    std::string repeated;
    while (repeated.size() < kLength) repeated += sample;
    texts.push_back(repeated + "!");
    // Without its last byte the sample fails as late as it can.
    texts.push_back(repeated.substr(0, repeated.size() - 1) + "!");
  }
  for (const char c : bytes) {
    if (texts.size() >= kMostBytes) break;
    texts.push_back(sample + std::string(kLength, c) + "!");
    texts.push_back("/" + std::string(kLength, c) + "!");
  }
  return texts;
}

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using CodePtr = std::unique_ptr<pcre2_code, Deleter<pcre2_code_free>>;
using MatchPtr = std::unique_ptr<pcre2_match_data, Deleter<pcre2_match_data_free>>;
using ContextPtr = std::unique_ptr<pcre2_match_context, Deleter<pcre2_match_context_free>>;

}  // namespace

RegexProblem CheckStructure(const RegexNode& root, std::string_view any) {
  if (States(root) > kMostStates) {
    return {"the regex is too large once its repetitions are unrolled",
            "Repeat less: * instead of {0,1000}"};
  }
  if (!LoopsAreUnambiguous(root)) {
    return {"a repeated group can be matched in many ways, which may take unbounded time",
            "Let each repetition begin or end with a fixed character that occurs nowhere else in "
            "it, as in (/[a-z]+)*"};
  }
  for (const RegexNode& alternative : root.children) {
    OpenLoops loops;
    const bool fine = (StartsAnchored(alternative, any) || loops.Open(ByteSet().set())) &&
                      loops.Walk(WithoutLastAny(alternative, any));
    if (!fine) {
      return {"too many repetitions can match the same text, which may take long",
              "Anchor it with ^, and use [^/]* instead of .* so that each part ends at a fixed "
              "character"};
    }
  }
  return {};
}

RegexProblem CompileAndProbe(const std::string& regex, const RegexNode& root, bool captures) {
  // A quadratic regex needs some 10^5 steps for the texts below, a cubic one 10^7.
  constexpr std::uint32_t kMostSteps = 400'000;
  int error = 0;
  PCRE2_SIZE offset = 0;
  const CodePtr code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.data()), regex.size(),
                                   captures ? 0 : PCRE2_NO_AUTO_CAPTURE, &error, &offset, nullptr));
  if (!code) {
    std::array<PCRE2_UCHAR, 128> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return {
        "the regex does not compile: " + std::string(reinterpret_cast<const char*>(text.data())),
        ""};
  }
  const MatchPtr match(pcre2_match_data_create_from_pattern(code.get(), nullptr));
  const ContextPtr context(pcre2_match_context_create(nullptr));
  if (!match || !context) return {"the regex could not be tried: out of memory", ""};
  pcre2_set_match_limit(context.get(), kMostSteps);
  pcre2_set_heap_limit(context.get(), 8 * 1024);
  for (const std::string& text : HardTexts(root)) {
    const int result = pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                   text.size(), 0, 0, match.get(), context.get());
    if (result < 0 && result != PCRE2_ERROR_NOMATCH) {
      return {"the regex takes too long on some texts",
              "Anchor it with ^, and use [^/]* instead of .*"};
    }
  }
  return {};
}

}  // namespace swarmgate::labels
