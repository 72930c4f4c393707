// Conditions of rules, of a closed list.
#include <algorithm>
#include <array>
#include <optional>

#include "labels/log_format.h"
#include "labels/report.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

enum class Compared { kNothing, kText, kNumber, kAddress, kMethod };

struct Test {
  std::string_view name;
  bool named = false;  ///< with the name of a header, cookie or parameter in ( )
  Compared compared = Compared::kText;
  bool request = true;
  bool response = true;
};

constexpr auto kTests = std::to_array<Test>({
    {"cook", true, Compared::kText, true, false},
    {"dst", false, Compared::kAddress},
    {"dst_port", false, Compared::kNumber},
    {"hdr", true, Compared::kText, true, false},
    {"hdr_beg", true, Compared::kText, true, false},
    {"hdr_dom", true, Compared::kText, true, false},
    {"hdr_end", true, Compared::kText, true, false},
    {"hdr_sub", true, Compared::kText, true, false},
    {"method", false, Compared::kMethod},
    {"path", false, Compared::kText, true, false},
    {"path_beg", false, Compared::kText, true, false},
    {"path_dir", false, Compared::kText, true, false},
    {"path_end", false, Compared::kText, true, false},
    {"path_sub", false, Compared::kText, true, false},
    {"query", false, Compared::kText, true, false},
    {"req.cook", true, Compared::kText, true, false},
    {"req.hdr", true, Compared::kText, true, false},
    {"res.hdr", true, Compared::kText, false, true},
    {"src", false, Compared::kAddress},
    {"src_port", false, Compared::kNumber},
    {"ssl_c_used", false, Compared::kNothing},
    {"ssl_c_verify", false, Compared::kNumber},
    {"ssl_fc", false, Compared::kNothing},
    {"ssl_fc_has_crt", false, Compared::kNothing},
    {"ssl_fc_has_sni", false, Compared::kNothing},
    {"ssl_fc_sni", false, Compared::kText},
    {"status", false, Compared::kNumber, false, true},
    {"url_beg", false, Compared::kText, true, false},
    {"urlp", true, Compared::kText, true, false},
});

constexpr std::array<std::string_view, 9> kNamed = {"TRUE",      "FALSE",        "METH_GET",
                                                    "METH_HEAD", "METH_OPTIONS", "METH_POST",
                                                    "METH_PUT",  "METH_DELETE",  "LOCALHOST"};

bool IsNamed(std::string_view word) {
  return std::find(kNamed.begin(), kNamed.end(), word) != kNamed.end();
}

constexpr const char* kHint =
    "Write for example if { ssl_fc }, unless { method GET }, if { path_beg /x }, "
    "if { hdr(Name) -m found }";

FormatOutcome Problem(std::string problem, std::string hint = kHint) {
  return {"", std::move(problem), std::move(hint)};
}

// Nothing that means something to HAProxy's reader of words.
bool IsPlain(std::string_view word) {
  return !word.empty() && word.front() != '-' && IsPrintableAscii(word) &&
         word.find_first_of(" \"'\\#{}$") == std::string_view::npos;
}

bool Fits(Compared compared, std::string_view word) {
  switch (compared) {
    case Compared::kNothing:
      return false;
    case Compared::kText:
      return IsPlain(word);
    case Compared::kNumber:
      return ParseUint(word, 65535).has_value();
    case Compared::kMethod:
      return IsToken(word) && IsPlain(word);
    case Compared::kAddress: {
      const std::size_t slash = word.find('/');
      const auto bits =
          slash == word.npos ? ParseUint("0", 128) : ParseUint(word.substr(slash + 1), 128);
      return bits && ParseAddress(std::string(word.substr(0, slash))).has_value();
    }
  }
  return false;
}

// "hdr(Name)" of the table.
const Test* FindTest(std::string_view word) {
  const std::size_t open = word.find('(');
  const bool named = open != std::string_view::npos && word.back() == ')';
  for (const Test& test : kTests) {
    if (test.name != word.substr(0, open) || test.named != named) continue;
    if (named && (!IsToken(word.substr(open + 1, word.size() - open - 2)) || !IsPlain(word))) break;
    return &test;
  }
  return nullptr;
}

// What stands in { }, in words.
FormatOutcome Braces(const std::vector<std::string_view>& words, bool response) {
  const Test* test = words.empty() ? nullptr : FindTest(words[0]);
  if (test == nullptr) {
    return Problem(Quoted(words.empty() ? std::string_view("{ }") : words[0]) +
                   " is not in the list of conditions");
  }
  if (response ? !test->response : !test->request) {
    return Problem(Quoted(words[0]) + " is not known " +
                       (response ? "any more when the answer comes" : "before the answer comes"),
                   response ? "Use res.hdr(Name), status, ssl_fc, method, src or dst_port" : kHint);
  }
  constexpr std::array<std::string_view, 7> kMatches = {"found", "str", "beg", "end",
                                                        "sub",   "dom", "dir"};
  std::string out = "{ " + std::string(words[0]);
  std::size_t at = 1;
  bool found = false;
  for (; at < words.size() && words[at].starts_with('-'); ++at) {
    if (words[at] == "-m" && at + 1 < words.size() && test->compared == Compared::kText) {
      ++at;
      if (std::find(kMatches.begin(), kMatches.end(), words[at]) == kMatches.end()) break;
      found = words[at] == "found";
      out += " -m " + std::string(words[at]);
    } else if (words[at] == "-i" && test->compared == Compared::kText) {
      out += " -i";
    } else {
      return Problem(Quoted(words[at]) + " cannot stand in this condition");
    }
  }
  const bool wants = !found && test->compared != Compared::kNothing;
  if (wants == (at == words.size())) {
    return Problem(Quoted(words[0]) +
                   (wants ? " is compared with nothing" : " is not compared with anything"));
  }
  for (; at < words.size(); ++at) {
    if (!Fits(test->compared, words[at])) {
      return Problem(Quoted(words[at]) + " cannot be compared with " + Quoted(words[0]));
    }
    out += " " + std::string(words[at]);
  }
  return {out + " }", "", ""};
}

std::vector<std::string_view> WordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : Split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// One term at the front of `rest`, which is cut by it.
FormatOutcome TakeTerm(std::string_view& rest, bool response) {
  std::string negation;
  while (!rest.empty() && rest.front() == '!') {
    negation = negation.empty() ? "!" : "";
    rest = Trim(rest.substr(1));
  }
  if (rest.starts_with('{')) {
    const std::size_t close = rest.find('}');
    if (close == std::string_view::npos) return Problem("a { has no }");
    FormatOutcome inner = Braces(WordsOf(rest.substr(1, close - 1)), response);
    rest = Trim(rest.substr(close + 1));
    if (inner.problem.empty()) inner.text.insert(0, negation);
    return inner;
  }
  const std::string_view word = rest.substr(0, std::min(rest.find(' '), rest.size()));
  if (!IsNamed(word)) return Problem(Quoted(word) + " is not in the list of conditions");
  rest = Trim(rest.substr(word.size()));
  return {negation + std::string(word), "", ""};
}

}  // namespace

bool BeginsCondition(std::string_view word) {
  return word.starts_with('{') || word.starts_with('!') ||
         IsNamed(word.substr(0, std::min(word.find(' '), word.size())));
}

FormatOutcome CheckedCondition(std::string_view condition, bool response) {
  const std::size_t space = std::min(condition.find(' '), condition.size());
  FormatOutcome outcome;
  outcome.text = condition.substr(0, space);
  std::string_view rest = Trim(condition.substr(space));
  bool term_expected = true;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, std::min(rest.find(' '), rest.size()));
    if (word == "or" || word == "||") {
      if (term_expected) break;
      outcome.text += " or";
      rest = Trim(rest.substr(word.size()));
      term_expected = true;
      continue;
    }
    FormatOutcome term = TakeTerm(rest, response);
    if (!term.problem.empty()) return term;
    outcome.text += " " + term.text;
    term_expected = false;
  }
  if (term_expected) return Problem("the condition is not complete");
  return outcome;
}

}  // namespace swarmgate::labels
