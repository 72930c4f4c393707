// Which service gets a request: a table for every rule of precedence, and what losers are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "routing_fixture.h"

namespace swarmgate::routing {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The service that gets the request by precedence; "none". Fails when the table says otherwise.
std::string Winner(const std::vector<ServiceInput>& services, const std::string& url) {
  const BuiltRoutes built = BuildRoutes(services);
  const Explanation explanation = Explain(built.routes, Ask(url));
  const auto found = Lookup(built.matches, Ask(url));
  EXPECT_EQ(explanation.winner, found ? std::optional(found->route) : std::nullopt) << url;
  return explanation.winner ? std::string(explanation.service.str()) : "none";
}

struct Case {
  std::string name;
  std::vector<ServiceInput> services;
  std::vector<std::pair<std::string, std::string>> answers;  ///< url → service
};

class PrecedenceTest : public testing::TestWithParam<Case> {};

TEST_P(PrecedenceTest, DecidesWhoGetsTheRequest) {
  std::vector<ServiceInput> services = GetParam().services;
  for (const auto& [url, expected] : GetParam().answers) {
    EXPECT_EQ(Winner(services, url), expected) << url;
  }
  std::reverse(services.begin(), services.end());
  for (const auto& [url, expected] : GetParam().answers) {
    EXPECT_EQ(Winner(services, url), expected) << url << " (services in reverse order)";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Paths, PrecedenceTest,
    testing::Values(
        Case{"PrefixMatchesAlsoInsideAWord",
             {Service("web").Dest("/demo")},
             {{"a.com/demo", "web"},
              {"a.com/demo/", "web"},
              {"a.com/demo/x", "web"},
              {"a.com/demolition", "web"},
              {"a.com/dem", "none"},
              {"a.com/Demo", "none"},
              {"a.com/x/demo", "none"},
              {"a.com/", "none"}}},
        Case{"SegmentMatchesWholeSegmentsOnly",
             {Service("web").Dest("/demo/~")},
             {{"a.com/demo", "web"},
              {"a.com/demo/", "web"},
              {"a.com/demo/x", "web"},
              {"a.com/demolition", "none"}}},
        Case{"PrefixWithSlashNeedsTheSlash",
             {Service("web").Dest("/demo/"), Service("root").Dest("/")},
             {{"a.com/demo", "root"}, {"a.com/demo/", "web"}, {"a.com/demo/x", "web"}}},
        Case{"ExactMatchesNothingElse",
             {Service("web").Dest("=/demo")},
             {{"a.com/demo", "web"}, {"a.com/demo/", "none"}, {"a.com/demo2", "none"}}},
        Case{"ExactBeforeLongestPrefixBeforeRegexBeforeCatchAll",
             {Service("exact").Dest("=/a/b.js"), Service("long").Dest("/a/b"),
              Service("short").Dest("/a"), Service("regex").Dest("^.*\\.js$"),
              Service("all").Dest("/")},
             {{"x/a/b.js", "exact"},
              {"x/a/b.jsx", "long"},
              {"x/a/c.js", "short"},
              {"x/c.js", "regex"},
              {"x/c", "all"},
              {"x", "all"}}},
        Case{"SegmentBeforeThePrefixOfTheSameText",
             {Service("prefix").Dest("/a").Created(1), Service("segment").Dest("/a/~").Created(2)},
             {{"x/a", "segment"}, {"x/a/b", "segment"}, {"x/ab", "prefix"}}},
        Case{"ExcludedPathsGoToOthers",
             {Service("web").Dest("/demo").Exclude("/demo/private"), Service("root").Dest("/")},
             {{"x/demo", "web"},
              {"x/demo/private", "root"},
              {"x/demo/private/x", "root"},
              {"x/demo/public", "web"}}},
        Case{"ExcludedPathsOfAHostGoToLessSpecificHosts",
             {Service("web").Dest("/", "b.a.com").Exclude("/api").Exclude("^.*\\.js$"),
              Service("api").Dest("/api", "*.a.com"), Service("js").Dest("^.*\\.js$")},
             {{"b.a.com/", "web"},
              {"b.a.com/api/x", "api"},
              {"b.a.com/x.js", "js"},
              {"b.a.com/api/x.js", "api"}}},
        Case{"ExcludesAreExact",
             {Service("web").Dest("/").Exclude("=/a").Exclude("/b/~")},
             {{"x/a", "none"},
              {"x/a/", "web"},
              {"x/b", "none"},
              {"x/b/c", "none"},
              {"x/bc", "web"}}}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Hosts, PrecedenceTest,
    testing::Values(
        Case{"ExactBeforeLongestWildcardBeforeRegexBeforeAny",
             {Service("exact").Dest("/", "x.b.a.com"), Service("deep").Dest("/", "*.b.a.com"),
              Service("wide").Dest("/", "*.a.com"), Service("regex").Dest("/", "^[^/|]*\\.com$"),
              Service("any").Dest("/")},
             {{"x.b.a.com/", "exact"},
              {"X.B.A.com.:80/", "exact"},
              {"y.b.a.com/", "deep"},
              {"y.y.b.a.com/", "deep"},
              {"b.a.com/", "wide"},
              {"a.com/", "regex"},
              {"a.org/", "any"},
              {"/", "any"}}},
        Case{"HostCountsBeforePath",
             {Service("host").Dest("/", "a.com"), Service("path").Dest("/long/path")},
             {{"a.com/long/path", "host"}, {"b.com/long/path", "path"}}},
        Case{"AHostWithoutTheRightPathLeavesItToOthers",
             {Service("host").Dest("/x", "a.com"), Service("wild").Dest("/y", "*.com"),
              Service("any").Dest("/")},
             {{"a.com/x", "host"}, {"a.com/y", "wild"}, {"a.com/z", "any"}}},
        Case{"WildcardIsNotTheDomainItself",
             {Service("web").Dest("/", "*.a.com")},
             {{"a.com/", "none"},
              {"ba.com/", "none"},
              {"x.a.com/", "web"},
              {"a.com.evil.net/", "none"}}},
        Case{"WildcardsReachFourLabelsDeep",
             {Service("web").Dest("/", "*.a.com")},
             {{"4.3.2.1.a.com/", "web"}, {"5.4.3.2.1.a.com/", "none"}}},
        Case{"HostRegexSeesOnlyTheHost",
             {Service("web").Dest("/", "^[^/|]*a\\.com$")},
             {{"x.org/a.com", "none"}, {"x.org/|80|/a.com", "none"}, {"ba.com/", "web"}}}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Ranks, PrecedenceTest,
    testing::Values(
        Case{"WellKnownBeforeEverything",
             {Service("acme").Dest("/.well-known/acme-challenge"),
              Service("ranked").Dest("/.w").Acl("00-first"), Service("host").Dest("/", "a.com"),
              Service("regex").Dest("^/.*$", "^[^/|]*\\.com$")},
             {{"a.com/.well-known/acme-challenge/token", "acme"},
              {"b.com/.well-known/acme-challenge/token", "acme"},
              {"a.com/.well-known/other", "ranked"},
              {"a.com/x", "host"},
              {"b.com/x", "regex"}}},
        Case{"AclNamesInByteOrderBeforeSpecificity",
             {Service("a").Dest("/api").Acl("05-a"), Service("b").Dest("/api/v2").Acl("10-b"),
              Service("c").Dest("/api/v2/x", "a.com")},
             {{"a.com/api/v2/x", "a"}, {"b.com/api/v2", "a"}}},
        Case{"ByteOrderIsNotNumeric",
             {Service("two").Dest("/api").Acl("2"), Service("ten").Dest("/api/v2").Acl("10")},
             {{"x/api/v2", "ten"}, {"x/api", "two"}}},
        Case{"CatchAllIsNotRanked",
             {Service("all").Dest("/").Acl("00-all"), Service("web").Dest("/demo"),
              Service("late").Dest("/late").Acl("99-late")},
             {{"x/demo", "web"}, {"x/late", "late"}, {"x/other", "all"}}},
        Case{
            "RankedRouteBeforeLongerPathOfTheSameHost",
            {Service("rank").Dest("/a", "a.com").Acl("1"), Service("long").Dest("/a/b/c", "a.com")},
            {{"a.com/a/b/c", "rank"}}},
        Case{"RankedAnyHostBeforeAnExactHost",
             {Service("rank").Dest("/a").Acl("1"), Service("host").Dest("/", "a.com"),
              Service("wild").Dest("/a", "*.com")},
             {{"a.com/a/x", "rank"}, {"b.com/a", "rank"}, {"a.com/b", "host"}}},
        Case{"RankedWildcardBeforeALongerOne",
             {Service("rank").Dest("/a", "*.com").Acl("1"), Service("deep").Dest("/", "*.a.com")},
             {{"x.a.com/a", "rank"}, {"x.a.com/b", "deep"}, {"5.4.3.2.a.com/a", "deep"}}},
        Case{"RankedHostRegexBeforeWildcardAndExactHost",
             {Service("rank").Dest("/a", "^[^/|]*a\\.com$").Acl("1"),
              Service("wild").Dest("/", "*.a.com"), Service("host").Dest("/a", "a.com")},
             {{"x.a.com/a", "rank"}, {"x.a.com/b", "wild"}, {"a.com/a", "rank"}}},
        Case{"RankedRouteWithAPortOnlyForItsPort",
             {Service("rank").Dest("/a").SrcPort(81).Acl("1"), Service("host").Dest("/", "a.com")},
             {{"a.com:81/a", "rank"}, {"a.com:80/a", "host"}, {"a.com:81/b", "host"}}}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Conditions, PrecedenceTest,
    testing::Values(
        Case{"PortConditionBeforeNone",
             {Service("any").Dest("/a").Created(1),
              Service("port").Dest("/a").SrcPort(81).Created(2)},
             {{"x:81/a", "port"}, {"x:80/a", "any"}}},
        Case{"LongerPathBeforeAPortCondition",
             {Service("long").Dest("/a/b"), Service("port").Dest("/a").SrcPort(81)},
             {{"x:81/a/b", "long"}, {"x:81/a", "port"}, {"x:80/a", "none"}}},
        Case{"OtherPortFallsToTheShorterPathOfTheSameHost",
             {Service("port").Dest("/a/b", "a.com").SrcPort(81),
              Service("short").Dest("/a", "a.com"), Service("any").Dest("/a/b")},
             {{"a.com:81/a/b", "port"}, {"a.com:80/a/b", "short"}}},
        Case{"OtherPortFallsToALessSpecificHost",
             {Service("port").Dest("/", "a.com").SrcPort(81), Service("any").Dest("/")},
             {{"a.com:81/", "port"}, {"a.com:80/", "any"}}},
        Case{"TheOlderServiceBeforeTheYounger",
             {Service("young").Dest("/a").Created(2), Service("old").Dest("/a").Created(1)},
             {{"x/a", "old"}}},
        Case{"ThenTheName",
             {Service("b").Dest("/a").Created(1), Service("a").Dest("/a").Created(1)},
             {{"x/a", "a"}}},
        Case{"DefaultBackendAfterEverything",
             {Service("def").Dest("/x", "a.com").Default(), Service("web").Dest("/web")},
             {{"b.org/web", "web"}, {"b.org/other", "def"}, {"b.org", "def"}}},
        Case{"DefaultBackendAfterTheCatchAll",
             {Service("def").Dest("/x").Default().Created(1), Service("all").Dest("/", "a.com")},
             {{"a.com/y", "all"}, {"b.com/y", "def"}}}),
    [](const auto& param) { return param.param.name; });

TEST(ConflictTest, OlderServiceWinsAndTheLoserIsTold) {
  const ServiceInput old = Service("old").Dest("/demo", "a.com").Created(1);
  const ServiceInput young = Service("young").Dest("/demo", "a.com").Dest("/own").Created(2);
  const BuiltRoutes built = BuildRoutes({young, old});
  ASSERT_EQ(built.diagnostics.size(), 1U);
  const model::Diagnostic& diagnostic = built.diagnostics[0];
  EXPECT_EQ(diagnostic.code, "conflict");
  EXPECT_EQ(diagnostic.severity, model::Severity::kError);
  EXPECT_EQ(diagnostic.service.str(), "young");
  EXPECT_EQ(diagnostic.label, "servicePath");
  EXPECT_EQ(diagnostic.value, "/demo");
  EXPECT_EQ(diagnostic.message,
            "host a.com, path prefix /demo belongs to service old (its service is older); this "
            "route is left out");
  EXPECT_EQ(built.routes.size(), 2U) << "young keeps /own";
}

TEST(ConflictTest, WhatTheWinnerExcludesIsLeftToTheLoser) {
  const ServiceInput old = Service("old").Dest("/").Exclude("/api").Created(1);
  const ServiceInput young = Service("young").Dest("/").Created(2);
  EXPECT_EQ(Winner({old, young}, "x/api/v1"), "young");
  EXPECT_EQ(Winner({old, young}, "x/web"), "old");
  const BuiltRoutes built = BuildRoutes({old, young});
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("conflict young servicePath"));
  EXPECT_EQ(built.diagnostics[0].severity, model::Severity::kWarning);
}

TEST(ConflictTest, DifferentPortsAreNoConflict) {
  EXPECT_THAT(BuildRoutes({Service("a").Dest("/x").SrcPort(80), Service("b").Dest("/x").SrcPort(81),
                           Service("c").Dest("/x")})
                  .diagnostics,
              IsEmpty());
}

TEST(ConflictTest, RankDecidesBeforeAge) {
  const std::vector<ServiceInput> services = {Service("old").Dest("/x").Created(1),
                                              Service("young").Dest("/x").Acl("1").Created(2)};
  EXPECT_EQ(Winner(services, "a/x"), "young");
  const BuiltRoutes built = BuildRoutes(services);
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("conflict old servicePath"));
  EXPECT_THAT(built.diagnostics[0].message, HasSubstr("an aclName comes before none"));
}

TEST(ConflictTest, SecondDefaultBackendIsTold) {
  const BuiltRoutes built = BuildRoutes(
      {Service("a").Dest("/a").Default().Created(1), Service("b").Dest("/b").Default().Created(2)});
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("conflict b isDefaultBackend"));
  EXPECT_THAT(built.diagnostics[0].message, HasSubstr("service a is the default backend already"));
}

TEST(ShadowTest, WhollyCoveredRouteIsToldByWhom) {
  const BuiltRoutes built =
      BuildRoutes({Service("rank").Dest("/a").Acl("1"), Service("long").Dest("/a/b")});
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("shadowed long servicePath"));
  EXPECT_EQ(built.diagnostics[0].severity, model::Severity::kWarning);
  EXPECT_THAT(built.diagnostics[0].message, AllOf(HasSubstr("rank/0/0 of service rank"),
                                                  HasSubstr("an aclName comes before none")));
  EXPECT_EQ(built.routes.size(), 1U);
  EXPECT_EQ(built.matches.entries.size(), 1U);
}

TEST(ShadowTest, OneServiceSayingAThingTwice) {
  const BuiltRoutes built = BuildRoutes({Service("web").Dest("/a").Dest("/a")});
  EXPECT_THAT(Codes(built.diagnostics), ElementsAre("shadowed web servicePath.1"));
  EXPECT_EQ(built.routes.size(), 1U);
}

TEST(ShadowTest, ExcludingAllOfOnesOwnPath) {
  const BuiltRoutes built = BuildRoutes({Service("web").Dest("/a/b").Exclude("/a")});
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("shadowed web servicePath"));
  EXPECT_THAT(built.diagnostics[0].message, HasSubstr("servicePathExclude"));
  EXPECT_THAT(built.matches.entries, IsEmpty());
}

TEST(ShadowTest, OwnCatchAllAndDefaultBackendNeedNoWord) {
  EXPECT_THAT(BuildRoutes({Service("web").Dest("/").Default()}).diagnostics, IsEmpty());
}

TEST(BadRegexTest, IsLeftOutAndTheRestStays) {
  for (const char* regex : {"^/a($", "^/a)|(/b$", "^[$", "^a\\$"}) {
    const BuiltRoutes built =
        BuildRoutes({Service("web").Dest(regex), Service("good").Dest("/good")});
    EXPECT_THAT(Codes(built.diagnostics), ElementsAre("bad-regex web servicePath")) << regex;
    EXPECT_EQ(built.routes.size(), 1U) << regex;
  }
}

TEST(BadTextTest, NoKeyHoldsWhatNoRequestCanSay) {
  for (const char* path : {"demo", "/a b", "/a\nb", "/a?b", "/a#b", "", "=a"}) {
    const BuiltRoutes built = BuildRoutes({Service("web").Dest(path)});
    EXPECT_THAT(Codes(built.diagnostics), ElementsAre("bad-path web servicePath")) << path;
    EXPECT_THAT(built.matches.entries, IsEmpty()) << path;
  }
  for (const char* host : {"a.com/x", "a b", "a|b", "*.", "*a.com", ".a.com", "a.com."}) {
    const BuiltRoutes built = BuildRoutes({Service("web").Dest("/", host)});
    EXPECT_THAT(Codes(built.diagnostics), ElementsAre("bad-host web serviceDomain")) << host;
    EXPECT_THAT(built.matches.entries, IsEmpty()) << host;
  }
}

TEST(AclNameTest, SharedOneTellsTheYoungerAndServesBoth) {
  const BuiltRoutes built = BuildRoutes({Service("young").Dest("/b").Acl("x").Created(2),
                                         Service("old").Dest("/a").Acl("x").Created(1)});
  ASSERT_THAT(Codes(built.diagnostics), ElementsAre("duplicate-acl-name young aclName"));
  ASSERT_EQ(built.routes.size(), 2U);
  EXPECT_EQ(built.routes[0]->backend.str(), "x-be8080_0");
  EXPECT_EQ(built.routes[1]->backend.str(), "x-be8080_0~young");
}

TEST(DiagnosticsTest, ManyOfOneKindAreSummedUp) {
  Service young("young");
  Service old("old");
  young.Created(2).Dest("/0");
  old.Created(1).Dest("/0");
  for (int i = 1; i < 50; ++i) {
    young.last().paths.push_back(Path("/" + std::to_string(i)));
    old.last().paths.push_back(Path("/" + std::to_string(i)));
  }
  const BuiltRoutes built = BuildRoutes({young, old});
  ASSERT_EQ(built.diagnostics.size(), 20U);
  EXPECT_THAT(built.diagnostics.back().message, HasSubstr("(and 30 more like this)"));
}

}  // namespace
}  // namespace swarmgate::routing
