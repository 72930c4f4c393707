// Users' regexes inside our frames, held against PCRE: a frame neither breaks nor changes what it
// holds.
#include <gtest/gtest.h>

#include <random>

#include "haproxy/regex.h"
#include "routing/regex.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::haproxy {
namespace {

using routing::Regex;

/// Any mixture of what regexes are made of; most are broken, many are not.
std::string RandomRegex(std::mt19937_64& random) {
  static const char* const kPieces[] = {
      "a",     "b",   "/",    "x",      "^",      "$",     "|",    "(",    ")",    "(?:",
      "(?=",   "(?!", "(?<=", "(?>",    "[ab",    "]",     "[^/",  "[]",   "[^]",  "[[:alpha:]]",
      "\\d",   "\\",  "\\(",  "\\]",    "\\1",    "\\2",   "*",    "+",    "?",    "{2}",
      "{1,3}", ".",   " ",    "<<",     "\\Q",    "\\E",   "(?i)", "(?x)", "(?s)", "#",
      "(?#",   "\\z", "\\A",  "(?P<n>", "(*UCP)", "\\x2f", "\\ ",  "(?|",  "\\K",  "-"};
  std::string regex;
  for (std::size_t i = 0, n = 1 + random() % 7; i < n; ++i) {
    regex += kPieces[random() % std::size(kPieces)];
  }
  return regex;
}

const char* const kSubjects[] = {"/",    "/a",   "/b/x", "/ab/ba", "/aab", "/x/a/b",
                                 "/A/B", "/a b", "/<<x", "/[a]",   "/0/1", "/xx",
                                 "/a/a", "/b-a", "/\\",  "/(a)"};

TEST(FrameTest, AnAcceptedPathRegexMatchesAmongOthersAsItDoesAlone) {
  std::mt19937_64 random(11);
  std::size_t accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    const std::string regex = RandomRegex(random);
    const auto alone = Regex::Compile(regex);
    if (!alone || !WhyNotMappable(regex).empty()) continue;
    ++accepted;
    model::MatchCandidate candidate;
    candidate.port = 80;
    candidate.path_regex = regex;
    const auto framed = Regex::Compile(GroupKey("~0123456789abcdef", candidate));
    ASSERT_TRUE(framed) << regex;
    for (const std::string subject : kSubjects) {
      ASSERT_EQ(framed->Search("~0123456789abcdef:80:\n" + subject), alone->Search(subject))
          << regex << " on " << subject;
    }
    EXPECT_FALSE(framed->Search("~0123456789abcdef:81:\n/a"));
    EXPECT_FALSE(framed->Search("~1123456789abcdef:80:\n/a"));
  }
  EXPECT_GT(accepted, 5000U);
}

TEST(FrameTest, AnAcceptedSearchMatchesInItsFrameAsItDoesAlone) {
  std::mt19937_64 random(12);
  std::size_t accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    const std::string regex = RandomRegex(random);
    const auto alone = Regex::Compile(regex);
    if (!alone) continue;
    const auto line = RewriteLine("0123456789abcdef", 1, {regex, "x"});
    if (!line) continue;
    ++accepted;
    const auto framed = Regex::Compile(line->first);
    ASSERT_TRUE(framed) << regex << " became " << line->first;
    for (const std::string subject : kSubjects) {
      ASSERT_EQ(framed->Search(subject + "\n0123456789abcdef.1"), alone->Search(subject))
          << regex << " on " << subject << " became " << line->first;
    }
    EXPECT_FALSE(framed->Search("/a\n0123456789abcdef.2"));
    EXPECT_FALSE(framed->Search("/a\n0123456789abcdef.11"));
  }
  EXPECT_GT(accepted, 5000U);
}

/// Nothing that was accepted from a user is left out later, where nobody would be told.
TEST(FrameTest, WhatLabelsAcceptIsNeverLeftOut) {
  std::mt19937_64 random(13);
  std::size_t rewrites = 0;
  std::size_t paths = 0;
  std::size_t hosts = 0;
  labels::ParseOptions options;
  options.source = labels::Source::kQuery;
  for (int round = 0; round < 20'000; ++round) {
    std::map<std::string, std::string> parameters = {{"port", "80"}, {"servicePath", "/x"}};
    switch (round % 3) {
      case 0: {
        const std::string regex = RandomRegex(random);
        parameters["reqPathSearchReplace"] = regex + "," + (random() % 2 == 0 ? "\\1x" : "/y");
        break;
      }
      case 1:
        parameters["servicePath"] = RandomRegex(random);
        parameters["pathType"] = "path_reg";
        break;
      default:
        parameters["serviceDomain"] = RandomRegex(random);
        parameters["serviceDomainAlgo"] = "hdr_reg(host)";
    }
    auto parsed = labels::ParseParameters(model::ServiceName("s"), parameters, options);
    if (!parsed.spec) continue;
    for (const auto& rewrite : parsed.spec->dests.at(0).policy->path_rewrites) {
      ++rewrites;
      EXPECT_EQ(WhyNotRewritable(rewrite), "") << rewrite.search << " → " << rewrite.replace;
      EXPECT_TRUE(RewriteLine("0123456789abcdef", 1, rewrite)) << rewrite.search;
    }
    routing::ServiceInput input;
    input.spec = std::move(*parsed.spec);
    for (const auto& entry :
         routing::Build(routing::MakeInputs({input}), {}).desired.matches.entries) {
      for (const auto& candidate : entry.candidates) {
        if (candidate.path_regex.empty()) continue;
        ++paths;
        EXPECT_EQ(WhyNotMappable(candidate.path_regex), "") << candidate.path_regex.str();
      }
    }
    for (const auto& entry :
         routing::Build(routing::MakeInputs({input}), {}).desired.matches.host_regexes) {
      ++hosts;
      EXPECT_TRUE(HostKey(entry.regex)) << entry.regex;
    }
  }
  EXPECT_GT(rewrites, 100U);
  EXPECT_GT(paths, 100U);
  EXPECT_GT(hosts, 100U);
}

}  // namespace
}  // namespace swarmgate::haproxy
