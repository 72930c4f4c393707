// The heart of routing: the lookup table that HAProxy gets (Lookup) and the order of precedence
// that people are told (Explain) give the same answer to every question, for random routes of every
// kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "random_services.h"
#include "routing/collect.h"
#include "routing_fixture.h"
#include "support/rounds.h"

namespace swarmgate::routing {
namespace {

std::string Show(const Chunked<Cow<model::Route>>& routes) {
  std::string text;
  for (const model::Route& route : routes) {
    text += "  " + route.id.str() + ": host '" +
            (route.host.kind == model::HostMatch::Kind::kWildcard ? "*" : "") + route.host.text +
            "' path kind " + std::to_string(static_cast<int>(route.path.kind)) + " '" +
            route.path.text + "'";
    if (route.port) text += " port " + std::to_string(*route.port);
    if (!route.conditions.empty()) text += " if " + DescribeConditions(route.conditions);
    if (route.ranked) text += " rank " + route.rank;
    if (route.priority != 0) text += " priority " + std::to_string(route.priority);
    for (const model::PathMatch& exclude : route.excludes) {
      text += " exclude kind " + std::to_string(static_cast<int>(exclude.kind)) + " '" +
              exclude.text + "'";
    }
    text += " created " + std::to_string(route.created_unix_ns) + "\n";
  }
  return text;
}

std::string Show(const model::MatchTable& table) {
  std::string text;
  const auto candidate = [](const model::MatchCandidate& c) {
    return " [" + c.route.str() + (c.port ? " :" + std::to_string(*c.port) : "") +
           (c.path_regex.empty() ? "" : " " + c.path_regex) +
           (c.header_regex.empty() ? "" : " " + c.header_regex) + "]";
  };
  for (const model::MatchEntry& entry : table.entries) {
    text += "  " + entry.key + " →";
    for (const model::MatchCandidate& c : entry.candidates) text += candidate(c);
    text += "\n";
  }
  for (const model::HostRegexEntry& entry : table.host_regexes) {
    text += "  " + entry.regex + " →" + candidate(entry.candidate) + "\n";
  }
  return text;
}

std::string Winner(const Chunked<Cow<model::Route>>& routes, const Question& question) {
  const Explanation explanation = Explain(routes, question);
  return explanation.winner ? std::string(explanation.winner->str()) : "none";
}

std::string Found(const model::MatchTable& table, const Question& question) {
  const auto candidate = Lookup(table, question);
  return candidate ? std::string(candidate->route.str()) : "none";
}

bool Disagree(const std::vector<ServiceInput>& services, const Question& question) {
  const BuiltRoutes built = BuildRoutes(services);
  return Winner(built.routes, question) != Found(built.matches, question);
}

/// Takes away whatever the disagreement does not need.
std::vector<ServiceInput> Shrink(std::vector<ServiceInput> services, const Question& question) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    const auto attempt = [&](std::vector<ServiceInput> fewer) {
      if (!Disagree(fewer, question)) return false;
      services = std::move(fewer);
      return smaller = true;
    };
    for (std::size_t i = 0; i < services.size() && !smaller; ++i) {
      auto fewer = services;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (attempt(std::move(fewer))) break;
      for (std::size_t d = 0; d < services[i].spec.Edit().dests.size() && !smaller; ++d) {
        const auto drop = [&](auto member) {
          for (std::size_t k = 0; k < (services[i].spec.Edit().dests[d].*member).size() && !smaller;
               ++k) {
            auto copy = services;
            auto& few = copy[i].spec.Edit().dests[d].*member;
            std::vector list(few.begin(), few.end());
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(k));
            few = std::move(list);
            attempt(std::move(copy));
          }
        };
        drop(&model::DestSpec::path_excludes);
        drop(&model::DestSpec::headers);
        drop(&model::DestSpec::user_agents);
        if (services[i].spec.Edit().dests[d].paths.size() > 1) drop(&model::DestSpec::paths);
        if (services[i].spec.Edit().dests[d].hosts.size() > 1) drop(&model::DestSpec::hosts);
        if (services[i].spec.Edit().dests.size() < 2) continue;
        auto copy = services;
        copy[i].spec.Edit().dests.erase(copy[i].spec.Edit().dests.begin() +
                                        static_cast<std::ptrdiff_t>(d));
        if (!smaller) attempt(std::move(copy));
      }
    }
  }
  return services;
}

using Headers = std::vector<std::pair<std::string, std::string>>;

const std::vector<Headers>& HeaderSets() {
  static const std::vector<Headers> sets = {
      {},
      {{"X-V", "1"}, {"User-Agent", "CURL/8"}},
      {{"x-v", "2, 1 ,3"}, {"X-W", "a.b, c"}},
      {{"User-Agent", "Mozilla/5.0 (X11) curl"}, {"X-V", "2"}},
      {{"X-V", "12"}, {"X-W", "axb, c"}, {"X-U", "x-v: 1"}},
      {{"X-W", "0,a.b, c\t,d"}, {"X-V", ""}, {"x-V", " 2"}},
      {{"XX-V", "1"}, {"X-V", "1x"}, {"Agent", "curl"}},
  };
  return sets;
}

/// Asks everything of one table. Returns how many questions were answered by a route.
std::size_t CheckAll(const std::vector<ServiceInput>& services, std::uint32_t seed,
                     std::size_t& asked) {
  const BuiltRoutes built = BuildRoutes(services);
  std::size_t answered = 0;
  for (const std::string& host : Words().question_hosts) {
    for (const std::string& path : Words().question_paths) {
      Question question{host, path, static_cast<std::uint16_t>(80 + (asked / 7) % 2), {}};
      question.headers = HeaderSets()[asked % HeaderSets().size()];
      ++asked;
      const std::string winner = Winner(built.routes, question);
      const std::string found = Found(built.matches, question);
      if (winner != "none") ++answered;
      if (winner == found) continue;
      const auto small = Shrink(services, question);
      const BuiltRoutes least = BuildRoutes(small);
      ADD_FAILURE() << "seed " << seed << ": " << question.host << " :" << question.port << " "
                    << question.path << "\n precedence says " << Winner(least.routes, question)
                    << ", the table says " << Found(least.matches, question) << "\nroutes:\n"
                    << Show(least.routes) << "table:\n"
                    << Show(least.matches);
      return answered;
    }
  }
  return answered;
}

struct Round {
  const char* name;
  Mood mood;
  std::uint32_t tables;
};

class AgreementTest : public ::testing::TestWithParam<Round> {};

TEST_P(AgreementTest, TableAnswersAsPrecedenceSays) {
  std::size_t asked = 0;
  std::size_t answered = 0;
  for (std::uint32_t seed = 1;
       seed <= swarmgate::testing::Rounds(GetParam().tables) && !HasFailure(); ++seed) {
    Dice dice(seed);
    std::vector<ServiceInput> services;
    const std::size_t count = 1 + dice.Below(GetParam().mood.services);
    for (std::size_t i = 0; i < count; ++i) {
      services.push_back(RandomService(dice, GetParam().mood, i));
    }
    answered += CheckAll(services, seed, asked);
  }
  EXPECT_GT(asked, swarmgate::testing::Rounds(GetParam().tables) * 300U);
  // Neither always nor never: the rounds would show nothing.
  EXPECT_GT(answered, asked / 10);
  if (asked >= 10'000) {
    EXPECT_LT(answered, asked);
  }
}

INSTANTIATE_TEST_SUITE_P(Moods, AgreementTest,
                         ::testing::Values(Round{"Plain", {0, 0, 0, 0, 6}, 100},
                                           Round{"Ranked", {60, 0, 0, 0, 6}, 150},
                                           Round{"Ports", {0, 60, 0, 10, 8}, 100},
                                           Round{"Excludes", {0, 0, 60, 10, 6}, 150},
                                           Round{"Everything", {40, 30, 30, 20, 12}, 200},
                                           Round{"Crowded", {30, 20, 10, 10, 40}, 30},
                                           Round{"Conditions", {0, 0, 0, 10, 8, 60, 20}, 150},
                                           Round{"Shared", {20, 10, 10, 10, 12, 15, 60}, 100},
                                           Round{"Wild", {40, 30, 20, 20, 12, 50, 30}, 200}),
                         [](const ::testing::TestParamInfo<Round>& param) {
                           return param.param.name;
                         });

}  // namespace
}  // namespace swarmgate::routing
