// A tree back into text: as it was, or turned from a search into a match of the whole.
#include <algorithm>
#include <string>
#include <string_view>

#include "labels/regex_tree.h"

namespace swarmgate::labels {
namespace {

bool HasKind(const RegexNode& node, RegexNode::Kind kind) {
  if (node.kind == kind) return true;
  return std::any_of(node.children.begin(), node.children.end(),
                     [kind](const RegexNode& child) { return HasKind(child, kind); });
}

std::string RenderChildren(const RegexNode& node) {
  const bool group = node.kind != RegexNode::Kind::kSequence;
  std::string out;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (group && i > 0) out += '|';
    out += RenderRegex(node.children[i]);
  }
  return out;
}

// Turns a search into a match of the whole: what has no anchor at an end gets `any` there. A group
// at an end that holds an anchor, as in (^|\.)a\.com(/|$), takes that duty over.
class WholeRenderer {
 public:
  explicit WholeRenderer(std::string_view any) : any_(any) {}

  std::string Alternatives(const RegexNode& group, bool pad_begin, bool pad_end) {
    std::string out;
    for (std::size_t i = 0; i < group.children.size(); ++i) {
      if (i > 0) out += '|';
      out += Sequence(group.children[i], pad_begin, pad_end);
    }
    return out;
  }

  [[nodiscard]] bool misplaced() const { return misplaced_; }

 private:
  static bool Opens(const RegexNode& node) {
    return node.kind == RegexNode::Kind::kAlternatives && !node.quantified() &&
           node.text != "(?>" && HasAnchor(node);
  }

  [[nodiscard]] bool IsAny(const RegexNode& node) const {
    return node.kind == RegexNode::Kind::kSet && node.text + node.quantifier == any_;
  }

  std::string Sequence(const RegexNode& sequence, bool pad_begin, bool pad_end) {
    const auto& items = sequence.children;
    std::size_t first = 0;
    std::size_t last = items.size();
    bool begin = pad_begin;
    bool end = pad_end;
    if (pad_begin && first < last && items[first].kind == RegexNode::Kind::kBegin) {
      ++first;
      begin = false;
    }
    if (pad_end && first < last && items[last - 1].kind == RegexNode::Kind::kEnd) {
      --last;
      end = false;
    }
    if (first == last) return std::string(begin || end ? any_ : "");
    const bool push_begin = begin && Opens(items[first]);
    const bool push_end = end && Opens(items[last - 1]);
    std::string out;
    if (begin && !push_begin && !IsAny(items[first])) out += any_;
    for (std::size_t i = first; i < last; ++i) {
      const bool at_begin = push_begin && i == first;
      const bool at_end = push_end && i + 1 == last;
      if (at_begin || at_end) {
        out += items[i].text + Alternatives(items[i], at_begin, at_end) + ")";
        continue;
      }
      // $ inside a lookahead is the end of the whole in any case.
      const bool ahead = items[i].kind == RegexNode::Kind::kLookahead;
      if (ahead ? HasKind(items[i], RegexNode::Kind::kBegin) : HasAnchor(items[i])) {
        misplaced_ = true;
      }
      out += RenderRegex(items[i]);
    }
    if (end && !push_end && !IsAny(items[last - 1])) out += any_;
    return out;
  }

  std::string any_;
  bool misplaced_ = false;
};

}  // namespace

bool HasAnchor(const RegexNode& node) {
  return HasKind(node, RegexNode::Kind::kBegin) || HasKind(node, RegexNode::Kind::kEnd);
}

std::string RenderRegex(const RegexNode& node) {
  switch (node.kind) {
    case RegexNode::Kind::kSequence:
      return RenderChildren(node);
    case RegexNode::Kind::kAlternatives:
    case RegexNode::Kind::kLookahead:
      return node.text + RenderChildren(node) + (node.text.empty() ? "" : ")") + node.quantifier;
    default:
      return node.text + node.quantifier;
  }
}

RegexProblem RenderWhole(const RegexNode& root, std::string_view any, std::string& out) {
  WholeRenderer renderer(any);
  const std::string body = renderer.Alternatives(root, true, true);
  if (renderer.misplaced()) {
    return {"^ and $ can only stand where the text begins or ends",
            "Put ^ first and $ last in the regex or in one of its alternatives"};
  }
  const bool bare = root.text.empty() && root.children.size() == 1;
  out = bare ? body : (root.text.empty() ? "(?:" : root.text) + body + ")";
  return {};
}

}  // namespace swarmgate::labels
