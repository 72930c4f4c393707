// The lookup table as text, for examples that a reader can check by hand; and what it must not
// depend on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "routing_fixture.h"

namespace swarmgate::routing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Table(const model::MatchTable& table) {
  std::vector<std::string> lines;
  const auto show = [](const model::MatchCandidate& c) {
    return " " + c.route.str() + (c.port ? ":" + std::to_string(*c.port) : "") +
           (c.path_regex.empty() ? "" : "{" + c.path_regex + "}");
  };
  for (const model::MatchEntry& entry : table.entries) {
    std::string line = entry.key + " =";
    for (const model::MatchCandidate& candidate : entry.candidates) line += show(candidate);
    lines.push_back(line);
  }
  for (const model::HostRegexEntry& entry : table.host_regexes) {
    lines.push_back(entry.regex + " =" + show(entry.candidate));
  }
  return lines;
}

std::vector<std::string> TableOf(const std::vector<ServiceInput>& services) {
  return Table(BuildRoutes(services).matches);
}

TEST(TableTest, OrdinaryRoutesAreOneEntryEach) {
  EXPECT_THAT(
      TableOf({Service("a").Dest("/demo"), Service("b").Dest("/demo/~", "a.com"),
               Service("c").Dest("=/x", "*.a.com"), Service("d").Dest("/")}),
      ElementsAre(".a.com/x/? = c/0/0", "/ = d/0/0", "/demo = a/0/0", "a.com/demo/ = b/0/0"));
}

TEST(TableTest, ExcludesAreEntriesWithoutTheRoute) {
  EXPECT_THAT(TableOf({Service("a").Dest("/demo", "a.com").Exclude("/demo/x")}),
              ElementsAre("a.com/demo = a/0/0", "a.com/demo/x ="));
  EXPECT_THAT(TableOf({Service("a").Dest("/demo").Exclude("/demo/x"), Service("r").Dest("/")}),
              ElementsAre("/ = r/0/0", "/demo = a/0/0", "/demo/x = r/0/0"));
}

TEST(TableTest, ExcludesElsewhereLeaveNoEntry) {
  EXPECT_THAT(TableOf({Service("a").Dest("/demo").Exclude("/other").Exclude("/other/x")}),
              ElementsAre("/demo = a/0/0"));
}

TEST(TableTest, PortsAndRegexesAreCandidatesInOrder) {
  EXPECT_THAT(TableOf({Service("p").Dest("/a").SrcPort(81), Service("r").Dest("^.*\\.js$"),
                       Service("all").Dest("/"), Service("x").Dest("/a/b")}),
              ElementsAre("/ = r/0/0{^(?:.*\\.js)$} all/0/0",
                          "/a = p/0/0:81 r/0/0{^(?:.*\\.js)$} all/0/0", "/a/b = x/0/0"));
}

// A hole sends the search on to less specific hosts, where the ranked route is.
TEST(TableTest, RankedRouteLeavesAHoleInMoreSpecificHostsOnlyWhereItMeetsThem) {
  EXPECT_THAT(TableOf({Service("rank").Dest("/api").Acl("1"), Service("a").Dest("/", "a.com"),
                       Service("b").Dest("/web", "b.com")}),
              ElementsAre("/api = rank/0/0", "a.com/ = a/0/0", "a.com/api =", "b.com/web = b/0/0"));
}

TEST(TableTest, RankedRouteWithAConditionStandsBeforeTheHostsOwn) {
  EXPECT_THAT(
      TableOf({Service("rank").Dest("/api").Acl("1").SrcPort(81), Service("a").Dest("/", "a.com")}),
      ElementsAre("/api = rank/0/0:81", "a.com/ = a/0/0", "a.com/api = rank/0/0:81 a/0/0"));
}

TEST(TableTest, HostRegexHoldsHostPortAndPath) {
  EXPECT_THAT(TableOf({Service("a").Dest("/x/~", "^[^/|]*a\\.com$").SrcPort(81).Exclude("=/x/y")}),
              ElementsAre("^(?:[^/|]*a\\.com)\\|81\\|(?!/x/y$)/x(?:/|$) = a/0/0:81"));
}

TEST(TableTest, NamesOfRoutesAndBackendsFollowTheDestination) {
  Service service("web");
  service.Dest("/a").Dest("/b", "a.com").Acl("05-web");
  service.last().paths.push_back(Path("/c"));
  service.last().hosts.push_back(Host("b.com"));
  service.last().port = 9000;
  const BuiltRoutes built = BuildRoutes({service});
  std::vector<std::string> names;
  for (const model::Route& route : built.routes) {
    names.push_back(route.id.str() + " " + route.backend.str());
  }
  std::sort(names.begin(), names.end());
  EXPECT_THAT(names, ElementsAre("web/0/0 05-web-be8080_0", "web/1/0 05-web-be9000_1",
                                 "web/1/1 05-web-be9000_1", "web/1/2 05-web-be9000_1",
                                 "web/1/3 05-web-be9000_1"));
}

TEST(IndependenceTest, ABadServiceChangesNothingForOthers) {
  const std::vector<ServiceInput> good = {
      Service("web").Dest("/demo").Dest("/", "*.a.com").Exclude("/x").Created(1),
      Service("api").Dest("^/api/.*$").Acl("api").Default().Created(2)};
  Service no_port("noport");
  no_port.Dest("/noport").last().port.reset();
  const std::vector<ServiceInput> bad = {
      no_port,
      Service("conflict").Dest("/demo"),
      Service("conflict2").Dest("/", "*.a.com").Exclude("/x").Default(),
      Service("regex").Dest("^($"),
      Service("path").Dest("no-slash"),
      Service("nothing").Dest("/a/b").Exclude("/a"),
  };
  const BuiltAll expected = BuildAll(good, {});
  for (const ServiceInput& one : bad) {
    std::vector<ServiceInput> all = good;
    all.insert(all.begin(), one);
    const BuiltAll built = BuildAll(all, {});
    EXPECT_EQ(built.desired, expected.desired) << one.spec->name.str();
    EXPECT_FALSE(built.diagnostics.empty()) << one.spec->name.str();
    for (const model::Diagnostic& diagnostic : built.diagnostics) {
      EXPECT_EQ(diagnostic.service, one.spec->name) << diagnostic.ToString();
    }
  }
}

TEST(IndependenceTest, OrderOfTheServicesDoesNotMatter) {
  std::vector<ServiceInput> services;
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    Service service("s" + std::to_string(i));
    const int n = static_cast<int>(random() % 20);
    service.Dest("/" + std::to_string(n), n % 3 == 0 ? "a.com" : (n % 3 == 1 ? "*.com" : ""));
    if (n % 4 == 0) service.Acl("acl" + std::to_string(n % 5));
    if (n % 5 == 0) service.SrcPort(81).Default();
    if (n % 6 == 0) service.Exclude("/1");
    service.Created(static_cast<std::int64_t>(random() % 3));
    services.push_back(service);
  }
  const BuiltAll expected = BuildAll(services, {});
  EXPECT_FALSE(expected.diagnostics.empty());
  for (int round = 0; round < 20; ++round) {
    std::shuffle(services.begin(), services.end(), random);
    const BuiltAll built = BuildAll(services, {});
    ASSERT_EQ(built.desired, expected.desired);
    ASSERT_EQ(built.diagnostics, expected.diagnostics);
  }
}

TEST(SizeTest, OrdinaryServicesGiveOneEntryEach) {
  std::vector<ServiceInput> services;
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i);
    services.push_back(i % 2 == 0 ? Service("s" + number).Dest("/" + number)
                                  : Service("s" + number).Dest("/", "h" + number + ".com"));
  }
  const BuiltAll built = BuildAll(services, {});
  EXPECT_EQ(built.desired.routes.size(), 10'000U);
  EXPECT_EQ(built.desired.matches.entries.size(), 10'000U);
  EXPECT_EQ(built.desired.backends.size(), 10'000U);
  EXPECT_THAT(built.diagnostics, IsEmpty());
}

TEST(SizeTest, WhereRanksWouldExplodeTheYoungestLoseTheirs) {
  std::vector<ServiceInput> services;
  for (int i = 0; i < 10; ++i) {
    const std::string n = std::to_string(i);
    services.push_back(Service("rank" + n).Dest("/" + n).Acl("acl" + n).Created(i));
    services.push_back(Service("host" + n).Dest("/", "h" + n + ".com").Created(i));
  }
  EXPECT_THAT(BuildRoutes(services, 100).diagnostics, IsEmpty());
  const BuiltRoutes built = BuildRoutes(services, 85);
  EXPECT_THAT(Codes(built.diagnostics),
              ElementsAre("rank-ignored rank8 aclName", "rank-ignored rank9 aclName"));
  EXPECT_EQ(Explain(built.routes, Ask("h1.com/7")).service.str(), "rank7");
  EXPECT_EQ(Explain(built.routes, Ask("h1.com/8")).service.str(), "host1");
  EXPECT_EQ(Lookup(built.matches, Ask("h1.com/8"))->service.str(), "host1");
  EXPECT_EQ(Lookup(built.matches, Ask("other.com/8"))->service.str(), "rank8");
}

TEST(LookupTest, FindsTheLongestKeyAmongMany) {
  model::MatchTable table;
  for (const char* key : {"/", "/a", "/a/", "/a/b/?", "/ab", "/abc/d"}) {
    model::MatchCandidate candidate;
    candidate.route = model::RouteId(key);
    table.entries.push_back({key, {candidate}});
  }
  const auto found = [&](const char* path) -> std::string {
    return Lookup(table, Question{"x", path, 80, {}})->route.str();
  };
  EXPECT_EQ(found("/abc"), "/ab");
  EXPECT_EQ(found("/abc/d/e"), "/abc/d");
  EXPECT_EQ(found("/a"), "/a/");
  EXPECT_EQ(found("/a/b"), "/a/b/?");
  EXPECT_EQ(found("/a/b/"), "/a/");
  EXPECT_EQ(found("/zzz"), "/");
}

TEST(ExplainTest, SaysWhyTheWinnerWinsAndTheOthersDoNot) {
  const BuiltRoutes built = BuildRoutes(
      {Service("web").Dest("/demo", "a.com"), Service("short").Dest("/"),
       Service("port").Dest("/demo", "a.com").SrcPort(81), Service("other").Dest("/demo", "b.com"),
       Service("out").Dest("/demo").Exclude("/demo/x")});
  const Explanation explanation = Explain(built.routes, Ask("a.com/demo/x"));
  EXPECT_EQ(explanation.service.str(), "web");
  EXPECT_EQ(explanation.backend.str(), "web-be8080_0");
  EXPECT_EQ(explanation.reason,
            "host a.com, path prefix /demo; before short/0/0 because its host is more specific");
  std::vector<std::string> told;
  for (const Candidate& candidate : explanation.candidates) {
    told.push_back(std::string(candidate.wins ? "wins " : (candidate.matches ? "loses " : "no ")) +
                   candidate.route.str() + ": " + candidate.reason);
  }
  EXPECT_THAT(told, ElementsAre("no port/0/0: port differs: it asks for 81",
                                "no other/0/0: host differs: it asks for host b.com",
                                "wins web/0/0: host a.com, path prefix /demo",
                                "no out/0/0: excluded by /demo/x",
                                "loses short/0/0: any host, every path; web/0/0 comes first (its "
                                "host is more specific)"));
}

TEST(ExplainTest, TellsOfRoutesThatCameToNothing) {
  const BuiltRoutes built = BuildRoutes({Service("web").Dest("/demo", "a.com").Created(1),
                                         Service("young").Dest("/demo", "a.com").Created(2),
                                         Service("other").Dest("/x", "a.com").Created(1),
                                         Service("thief").Dest("/x", "a.com").Created(2)});
  ASSERT_EQ(built.lost.size(), 2U);
  const Explanation explanation = Explain(built.routes, Ask("a.com/demo/x"), built.lost);
  EXPECT_EQ(explanation.service.str(), "web");
  for (const Candidate& candidate : explanation.candidates) {
    EXPECT_NE(candidate.service.str(), "thief") << "who lost another path is not of concern";
  }
  const Candidate& loser = explanation.candidates.back();
  EXPECT_EQ(loser.route.str(), "young/0/0");
  EXPECT_TRUE(loser.matches);
  EXPECT_FALSE(loser.wins);
  EXPECT_EQ(loser.reason.rfind("left out: host a.com, path prefix /demo belongs to service web", 0),
            0U)
      << loser.reason;
}

TEST(ExplainTest, SaysThatNothingMatches) {
  const Explanation explanation = Explain(Chunked<Cow<model::Route>>(), Ask("A.com:81/x"));
  EXPECT_FALSE(explanation.winner);
  EXPECT_EQ(explanation.reason, "no route matches host a.com, path /x, port 81");
}

TEST(ExplainTest, TellsAtMostTwentyNearMisses) {
  std::vector<ServiceInput> services;
  for (int i = 0; i < 100; ++i) {
    services.push_back(Service("s" + std::to_string(i)).Dest("/demo", "h" + std::to_string(i)));
  }
  EXPECT_EQ(Explain(BuildRoutes(services).routes, Ask("x/demo")).candidates.size(), 20U);
}

TEST(SharesTest, WhoeverSharesARouteThatNothingReachesIsToldAsWell) {
  const BuiltRoutes built = BuildRoutes({Service("first").Dest("/a", "*.com").Priority(5),
                                         Service("web").Dest("/a", "a.com").Percent(90),
                                         Service("canary").Dest("/a", "a.com").Percent(10)});
  EXPECT_THAT(Codes(built.diagnostics),
              ElementsAre("shadowed canary servicePath", "shadowed web servicePath"));
  EXPECT_EQ(built.lost.size(), 2U);
}

}  // namespace
}  // namespace swarmgate::routing
