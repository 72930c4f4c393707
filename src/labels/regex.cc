#include "labels/regex.h"

#include <algorithm>
#include <utility>

#include "labels/regex_cost.h"

namespace swarmgate::labels {
namespace {

// A map line ends its key at white space, and a regex gets longer by what we add.
constexpr std::size_t kLongest = 512;

RegexProblem CheckBytes(std::string_view written) {
  if (written.empty()) return {"the regex is empty", "Write at least one character"};
  if (written.size() > kLongest)
    return {"the regex is longer than 512 bytes", "Use a shorter one, or several"};
  for (const char c : written) {
    if (c == ' ') return {"the regex contains a space", "Write \\x20 or \\s"};
    if (c < '!' || c > '~') {
      return {"the regex contains a byte that is not printable ASCII", "Write it as \\xHH"};
    }
  }
  return {};
}

bool HasUpper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

RegexOutcome Whole(std::string_view written, const RegexDialect& dialect, std::string_view any,
                   bool fold) {
  RegexOutcome outcome;
  outcome.problem = CheckBytes(written);
  RegexNode root;
  if (outcome.problem.empty()) outcome.problem = ParseRegex(written, dialect, root);
  if (outcome.problem.empty()) outcome.problem = CheckStructure(root, any);
  std::string body;
  if (outcome.problem.empty()) outcome.problem = RenderWhole(root, any, body);
  if (!outcome.problem.empty()) return outcome;
  if (fold) body = "(?i:" + body + ")";
  std::string regex = "^" + body + "$";
  outcome.problem = CompileAndProbe(regex, root, false);
  if (outcome.problem.empty()) outcome.regex = std::move(regex);
  return outcome;
}

std::size_t Groups(const RegexNode& node) {
  std::size_t groups = node.kind == RegexNode::Kind::kAlternatives && node.text == "(" ? 1 : 0;
  for (const RegexNode& child : node.children) groups += Groups(child);
  return groups;
}

}  // namespace

RegexOutcome PathRegex(std::string_view written, bool ignore_case) {
  return Whole(written, {.excluded = {}, .lookahead = true, .ignore_case = ignore_case}, ".*",
               ignore_case);
}

RegexOutcome HostRegex(std::string_view written) {
  return Whole(written, {.excluded = "/|", .lookahead = false, .ignore_case = true}, kAnyHostText,
               HasUpper(written));
}

RegexOutcome CheckedSearch(std::string_view written) {
  RegexOutcome outcome;
  outcome.problem = CheckBytes(written);
  RegexNode root;
  if (outcome.problem.empty()) outcome.problem = ParseRegex(written, {}, root);
  if (outcome.problem.empty()) outcome.problem = CheckStructure(root, {});
  if (outcome.problem.empty()) {
    outcome.problem = CompileAndProbe(std::string(written), root, true);
  }
  if (outcome.problem.empty()) {
    outcome.regex = RenderRegex(root);
    outcome.groups = Groups(root);
  }
  return outcome;
}

std::string EscapeRegex(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    if (std::string_view("\\^$.[]|()*+?{}-/#").find(c) != std::string_view::npos && c != '/' &&
        c != '-') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

}  // namespace swarmgate::labels
