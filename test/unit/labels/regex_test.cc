#include "labels/regex.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "labels/regex_cost.h"
#include "support/rounds.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace swarmgate::labels {
namespace {

// As HAProxy does it: compiled without auto capture, searched from the start.
int Match(const std::string& regex, const std::string& text, std::uint32_t steps) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.c_str()), PCRE2_ZERO_TERMINATED,
                    PCRE2_NO_AUTO_CAPTURE, &error, &offset, nullptr);
  if (code == nullptr) {
    ADD_FAILURE() << regex << " does not compile";
    return PCRE2_ERROR_NOMATCH;
  }
  pcre2_match_data* match = pcre2_match_data_create_from_pattern(code, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(context, steps);
  const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                 match, context);
  pcre2_match_context_free(context);
  pcre2_match_data_free(match);
  pcre2_code_free(code);
  return result;
}

bool Matches(const std::string& regex, const std::string& text) {
  return Match(regex, text, 10'000'000) >= 0;
}

bool MatchesWithin(const std::string& regex, const std::string& text, std::uint32_t steps) {
  const int result = Match(regex, text, steps);
  return result >= 0 || result == PCRE2_ERROR_NOMATCH;
}

const std::vector<std::string>& Regexes() {
  static const std::vector<std::string> kRegexes = {
      "demo",
      "^/demo",
      "^/demo$",
      "demo$",
      "^/(a|b)/",
      "^/(a|b)(/|$)",
      "(^/a$|^/b$)",
      "^/a|/b$",
      "(^|/)a(/|$)",
      "^",
      "$",
      "^$",
      ".*",
      "a|b|^/c",
      "\\.(js|css)$",
      "^(/[a-z0-9-]+)+$",
      "^/api/v\\d+/",
      "^/(?!api)",
      "^(?!.*\\.js$)/",
      "[^/]+/b",
      "^/[]a]",
      "^/[^]a]",
      "^/[a\\-z]+$",
      "^/[[:digit:]]+$",
      "^/x{2,3}$",
      "^/\\x61",
      "\\bdemo\\b",
      "^/(?:a|bc)*$",
      "^/a++b",
      "^/(?>a|ab)c",
      "(?i)DEMO",
      "^/(?i:A)b$",
      "^/a?b??c*?$",
      "^/()$",
      "^/(a|)$",
  };
  return kRegexes;
}

const std::vector<std::string>& Texts() {
  static const std::vector<std::string> kTexts = {
      "/",        "/demo",   "/demo/",  "/demo/x", "/demolition", "/x/demo", "/a",      "/b",
      "/a/",      "/b/x",    "/c",      "/a/b",    "/aab",        "/ab",     "/abc",    "/ac",
      "/bc",      "/bcbc",   "/app.js", "/a.css",  "/app.js/x",   "/api",    "/api/v1", "/api/v1/",
      "/api/v2/", "/a-b/c0", "/A-B",    "/xx",     "/xxx",        "/xxxx",   "/123",    "/12a",
      "/DeMo",    "/Ab",     "/AB",     "/a-z",    "/]",          "//b",     "/az",     "/a/b/c",
      "/z$",      "/^",      "/demo.",  "/idemo",  "/_demo_",     "/a_b",    "/abcabc"};
  return kTexts;
}

TEST(RegexTest, AWholeMatchMatchesWhatTheSearchFinds) {
  int found = 0;
  int checks = 0;
  for (const std::string& written : Regexes()) {
    const RegexOutcome outcome = PathRegex(written, false);
    ASSERT_TRUE(outcome.problem.empty()) << written << ": " << outcome.problem.message;
    ASSERT_EQ(outcome.regex.front(), '^');
    ASSERT_EQ(outcome.regex.back(), '$');
    const std::string middle = outcome.regex.substr(1, outcome.regex.size() - 2);
    for (const std::string& text : Texts()) {
      const bool expected = Matches(written, text);
      found += expected ? 1 : 0;
      ++checks;
      EXPECT_EQ(Matches(outcome.regex, text), expected)
          << written << " as " << outcome.regex << " on " << text;
      // Behind another prefix, as the lookup table puts it.
      EXPECT_EQ(Matches("^~id:[0-9]+:" + middle + "$", "~id:80:" + text), expected)
          << written << " as " << outcome.regex << " on " << text;
    }
  }
  EXPECT_GT(found, checks / 10);
  EXPECT_LT(found, checks * 9 / 10);
}

TEST(RegexTest, AHostsRegexIgnoresCaseAndEndsWhereTheHostEnds) {
  const std::vector<std::string> kRegexes = {
      "^www\\.", "(^|\\.)A\\.com$", "^.*$", "^[^.]+\\.a", "a\\Dc",
      "\\W",     "^\\S+$",          "x?",   "com|org"};
  const std::vector<std::string> kHosts = {"www.a.com", "a.com", "b.a.com",  "xa.com",
                                           "a.org",     "abc",   "localhost"};
  for (const std::string& written : kRegexes) {
    const RegexOutcome outcome = HostRegex(written);
    ASSERT_TRUE(outcome.problem.empty()) << written << ": " << outcome.problem.message;
    const std::string middle = outcome.regex.substr(1, outcome.regex.size() - 2);
    for (const std::string& host : kHosts) {
      const bool expected = Matches("(?i)" + written, host);
      EXPECT_EQ(Matches(outcome.regex, host), expected) << outcome.regex << " on " << host;
      const std::string rest = "^" + middle + "\\|80\\|/secret$";
      EXPECT_EQ(Matches(rest, host + "|80|/secret"), expected) << rest << " on " << host;
      // A path must not pass for the end of the host.
      EXPECT_FALSE(Matches(rest, host + "|80|/z|80|/secret")) << rest;
    }
  }
}

TEST(RegexTest, WhatIsNoneOrCannotBeEmbeddedIsRefused) {
  const std::vector<std::string> kRegexes = {
      "(",
      ")",
      "a)",
      "[",
      "[a",
      "[z-a]",
      "*a",
      "a**",
      "{2}",
      "a{2",
      "a{,3}",
      "a{3,2}",
      "a{1001}",
      "a\\",
      "\\1",
      "(a)\\1",
      "\\g1",
      "\\k<n>",
      "(?<n>a)",
      "(?P<n>a)",
      "(?<=a)b",
      "(?<!a)b",
      "(?#x)",
      "(*UTF)a",
      "(?R)",
      "(?1)",
      "(?(1)a)",
      "(?s)a",
      "a(?i)b",
      "\\Aa",
      "a\\z",
      "a\\Z",
      "\\Ga",
      "a\\Kb",
      "\\Qa\\E",
      "\\p{L}",
      "\\xg0",
      "\\x{41}",
      "[[:foo:]]",
      "[[.a.]]",
      "a^b",
      "a$b",
      "(a$)b",
      "a(^b)",
      "(^a)?",
      "(?=a",
      "^*",
      "(?!^a)b",
      "a b",
      "a\tb",
      "é",
      "",
      "\\c",
      "(?>a$)",
      "\\R",
      "(?=a)+",
      "a{2}{3}",
      std::string("a\0b", 3),
      std::string(513, 'a'),
      std::string(30, '(') + "a" + std::string(30, ')'),
  };
  for (const std::string& written : kRegexes) {
    const RegexOutcome outcome = PathRegex(written, false);
    EXPECT_FALSE(outcome.problem.empty()) << written << " became " << outcome.regex;
    EXPECT_FALSE(outcome.problem.hint.empty()) << written << ": " << outcome.problem.message;
    EXPECT_EQ(outcome.regex, "");
  }
}

TEST(RegexTest, WhatCouldTakeLongIsRefused) {
  const std::vector<std::string> kRegexes = {
      "(a+)+",
      "(a*)*b",
      "(a|a)*",
      "(a|ab)*c",
      "(a?b?)*c",
      "([a-z]+)*$",
      "(.*)*",
      "(.*,)*x",
      "^(([a-z])+.)+$",
      "(a+){10}",
      "(ab?|b)*c",
      "((ab)*)*",
      "(/[a-z]*[a-z]*)+$",
      ".*a.*b.*c",
      "a.*b.*c",
      "^.*.*.*x",
      "a*a*a*b",
      "(\\w+\\s?)*$",
      "(?:a|b|ab)+$",
      "^(/.+)+$",
      "(x{1,9}){9}",
      "(((a{50}){50}){50})",
      "(.|/)*x",
  };
  for (const std::string& written : kRegexes) {
    const RegexOutcome outcome = PathRegex(written, false);
    EXPECT_FALSE(outcome.problem.empty()) << written << " became " << outcome.regex;
    EXPECT_FALSE(outcome.problem.hint.empty()) << written << ": " << outcome.problem.message;
  }
}

TEST(RegexTest, CommonRegexesAreNotTakenForDangerousOnes) {
  for (const std::string written :
       {"^/[^/]+/[^/]+/[^/]+/[^/]+/edit$", "^(/[a-z0-9-]+)+$", "^/([^/]+/)*index\\.html$",
        "^/.*/foo/.*\\.(png|jpe?g|gif)$", "^/(%[0-9A-F]{2}|[a-z])*$", "^/(ab|cd|ef)+$",
        "^/api/v[0-9]+/users/[0-9]+(/.*)?$", "^/([a-z]{2}-[A-Z]{2}/)?docs/.*$",
        "\\.(js|css|png|jpg|jpeg|gif|ico|svg|woff2?)$", "^/(\\w+\\.)*\\w+$"}) {
    const RegexOutcome outcome = PathRegex(written, false);
    EXPECT_TRUE(outcome.problem.empty()) << written << ": " << outcome.problem.message;
  }
}

TEST(RegexTest, TheProbeFindsByTryingWhatTheStructureDoesNotShow) {
  // The second line of defence, given a tree that tells it what to try and a regex that is worse.
  RegexNode root;
  ASSERT_TRUE(ParseRegex("^aaaa$", {}, root).empty());
  EXPECT_EQ(CompileAndProbe("^(a+)+$", root, false).message,
            "the regex takes too long on some texts");
  EXPECT_TRUE(CompileAndProbe("^aaaa$", root, false).empty());
  EXPECT_EQ(CompileAndProbe("^(", root, false).message,
            "the regex does not compile: missing closing parenthesis");
}

// Regexes out of pieces, most of which belong together.
std::string RandomRegex(std::mt19937& random, int depth) {
  static const std::vector<std::string> kAtoms = {"a",   "b",    "/",      "[ab]", "[^a]", ".",
                                                  "\\w", "[^/]", "(?i:a)", "ab",   "\\.",  "[a-c]"};
  static const std::vector<std::string> kQuantifiers = {"",  "",   "",    "",      "*",  "+",
                                                        "?", "*?", "{2}", "{1,4}", "++", "{2,}"};
  std::string out;
  const auto parts = 1 + random() % 4;
  for (std::size_t i = 0; i < parts; ++i) {
    if (random() % 12 == 0) out += random() % 2 == 0 ? "^" : "$";
    if (depth > 0 && random() % 3 == 0) {
      out += random() % 2 == 0 ? "(" : "(?:";
      out += RandomRegex(random, depth - 1);
      while (random() % 3 == 0) out += "|" + RandomRegex(random, depth - 1);
      out += ")";
    } else {
      out += kAtoms[random() % kAtoms.size()];
    }
    out += kQuantifiers[random() % kQuantifiers.size()];
  }
  return out;
}

std::string RandomText(std::mt19937& random, std::size_t length) {
  static const std::string kBytes = "aabbc/.A";
  std::string text = "/";
  for (std::size_t i = 0; i < length; ++i) text += kBytes[random() % kBytes.size()];
  return text;
}

TEST(RegexTest, WhateverIsAcceptedMatchesWhatTheSearchFinds) {
  std::mt19937 random(7);  // NOLINT: the same input at every run
  int accepted = 0;
  for (unsigned round = 0; round < swarmgate::testing::Rounds(20000) && !HasFailure(); ++round) {
    const std::string written = RandomRegex(random, 2);
    const RegexOutcome outcome = PathRegex(written, false);
    if (!outcome.problem.empty()) continue;
    ++accepted;
    for (int i = 0; i < 20; ++i) {
      const std::string text = RandomText(random, random() % 8);
      EXPECT_EQ(Matches(outcome.regex, text), Matches(written, text))
          << written << " as " << outcome.regex << " on " << text;
    }
  }
  EXPECT_GT(accepted, static_cast<int>(swarmgate::testing::Rounds(3000)));
}

// Steps grow at most with the square of the length.
TEST(RegexTest, WhateverIsAcceptedIsBounded) {
  std::mt19937 random(11);  // NOLINT: the same input at every run
  int accepted = 0;
  for (unsigned round = 0; round < swarmgate::testing::Rounds(20000) && !HasFailure(); ++round) {
    const std::string written = RandomRegex(random, 2);
    const RegexOutcome outcome = PathRegex(written, false);
    if (!outcome.problem.empty()) continue;
    ++accepted;
    std::string piece = RandomText(random, 1 + random() % 3).substr(1);
    std::string text = "/";
    while (text.size() < 1000) text += piece;
    EXPECT_TRUE(MatchesWithin(outcome.regex, text + "!", 4'000'000))
        << written << " as " << outcome.regex << " on many " << piece;
  }
  EXPECT_GT(accepted, static_cast<int>(swarmgate::testing::Rounds(3000)));
}

TEST(RegexTest, ASearchKeepsItsAnchorsAndCountsItsGroups) {
  const RegexOutcome outcome = CheckedSearch("^/(a)/(?:b)(c|(d))$");
  EXPECT_EQ(outcome.regex, "^/(a)/(?:b)(c|(d))$");
  EXPECT_EQ(outcome.groups, 3U);
  EXPECT_FALSE(CheckedSearch("/(?!a)").problem.empty());
  EXPECT_FALSE(CheckedSearch("(a)\\1").problem.empty());
}

TEST(RegexTest, AnEscapedLiteralMatchesOnlyItself) {
  const std::string literal = "/a.b*c+(d)[e]{1}|^$\\#?-";
  EXPECT_TRUE(Matches("^" + EscapeRegex(literal) + "$", literal));
  EXPECT_FALSE(Matches("^" + EscapeRegex("a.c") + "$", "abc"));
}

}  // namespace
}  // namespace swarmgate::labels
