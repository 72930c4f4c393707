// Routes with conditions on headers, with priorities and with weights; redirects between domains
// and the second backend of httpsPort.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "routing/condition.h"
#include "routing/regex.h"
#include "routing/shares.h"
#include "routing_fixture.h"

namespace swarmgate::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Asked {
  std::string url;
  std::vector<std::string> headers;
  std::string service;
};

void Expect(const std::vector<ServiceInput>& services, const std::vector<Asked>& questions) {
  const BuiltRoutes built = BuildRoutes(services);
  for (const Asked& asked : questions) {
    const Question question = Ask(asked.url, asked.headers);
    const Explanation explanation = Explain(built.routes, question);
    const auto found = Lookup(built.matches, question);
    EXPECT_EQ(explanation.winner, found ? std::optional(found->route) : std::nullopt) << asked.url;
    EXPECT_EQ(explanation.winner ? std::string(explanation.service.str()) : "none", asked.service)
        << asked.url << " " << testing::PrintToString(asked.headers);
  }
}

TEST(ConditionsTest, HeadersComeBeforeNone) {
  Expect({Service("web").Dest("/demo"), Service("v3").Dest("/demo").Header("x-version", "3"),
          Service("both").Dest("/demo").Header("x-version", "3").Header("x-name", "Jacka")},
         {{"a.com/demo", {}, "web"},
          {"a.com/demo", {"X-Version: 3"}, "v3"},
          {"a.com/demo", {"x-version: 2, 3"}, "v3"},
          {"a.com/demo", {"x-version: 2", "X-VERSION:  3 "}, "v3"},
          {"a.com/demo", {"X-Version: 31"}, "web"},
          {"a.com/demo", {"X-Version: 1.3"}, "web"},
          {"a.com/demo", {"XX-Version: 3"}, "web"},
          {"a.com/demo", {"X-Version: 3", "X-Name: Jacka"}, "both"},
          {"a.com/demo", {"X-Version: 3", "X-Name: jacka"}, "v3"},
          {"a.com/demo", {"X-Name: Jacka"}, "web"}});
}

TEST(ConditionsTest, AnyOneUserAgentIsEnoughWhateverTheLetterCase) {
  Expect({Service("web").Dest("/"), Service("old").Dest("/").UserAgent("amiga").UserAgent("ams.(")},
         {{"a.com/", {}, "web"},
          {"a.com/", {"User-Agent: Mozilla (AMIGA)"}, "old"},
          {"a.com/", {"User-Agent: xAms.(1"}, "old"},
          {"a.com/", {"User-Agent: amsx("}, "web"},
          {"a.com/", {"X-Agent: amiga"}, "web"}});
}

TEST(ConditionsTest, ALongerPathComesBeforeAHeader) {
  Expect({Service("web").Dest("/demo/x"), Service("v3").Dest("/demo").Header("x-version", "3")},
         {{"a.com/demo/x", {"X-Version: 3"}, "web"},
          {"a.com/demo", {"X-Version: 3"}, "v3"},
          {"a.com/demo", {}, "none"}});
}

TEST(ConditionsTest, HostRegexesLookAtHeadersToo) {
  Expect({Service("web").Dest("/", "^[^/|]*a\\.com$"),
          Service("v3").Dest("/", "^[^/|]*a\\.com$").Header("x-version", "3"),
          Service("rest").Dest("/")},
         {{"xa.com/", {}, "web"},
          {"xa.com/", {"X-Version: 3"}, "v3"},
          // Nothing in a header is taken for a host.
          {"b.org/", {"X-Version: 3", "X-Evil: xa.com|80|/"}, "rest"},
          {"b.org/", {"X-Evil: \\r\\n\\r\\nxa.com|80|/"}, "rest"}});
}

TEST(ConditionsTest, DifferentHeadersAreNoConflict) {
  const BuiltRoutes built =
      BuildRoutes({Service("a").Dest("/demo").Header("x-v", "1"),
                   Service("b").Dest("/demo").Header("x-v", "2").Created(200)});
  EXPECT_THAT(Codes(built.diagnostics), IsEmpty());
  EXPECT_THAT(Codes(BuildRoutes({Service("a").Dest("/demo").Header("x-v", "1"),
                                 Service("b").Dest("/demo").Header("x-v", "1").Created(200)})
                        .diagnostics),
              ElementsAre("conflict b servicePath"));
}

TEST(ConditionsTest, WhySaysWhichHeadersAreMissing) {
  const BuiltRoutes built =
      BuildRoutes({Service("web").Dest("/demo"),
                   Service("v3").Dest("/demo").Header("x-version", "3").UserAgent("curl")});
  const Explanation plain = Explain(built.routes, Ask("a.com/demo"));
  ASSERT_EQ(plain.candidates.size(), 2U);
  EXPECT_EQ(plain.candidates[0].reason,
            "headers differ: it asks for header x-version: 3, user agent curl");
  const Explanation asked =
      Explain(built.routes, Ask("a.com/demo", {"X-Version: 3", "User-Agent: curl/8"}));
  EXPECT_EQ(asked.reason,
            "any host, path prefix /demo, header x-version: 3, user agent curl; before web/0/0 "
            "because it asks for more headers");
}

TEST(ConditionsTest, NoHeaderMakesTheSearchSlow) {
  const auto regex = Regex::Compile(
      "^" + HeaderRegex({{{"x-version", "3"}, {"x-zone", "a.*b"}}, {"curl", "wget"}}));
  ASSERT_TRUE(regex);
  // Lines that nearly match, again and again, as many bytes as HAProxy takes. A search that takes a
  // million steps would be given up and count as none.
  std::string text;
  for (int i = 0; i < 90; ++i)
    text += "x-version:" + std::string(150, i % 2 == 0 ? ',' : ' ') + "\r\n";
  EXPECT_FALSE(regex->Search(text));
  EXPECT_TRUE(regex->Search(text + "x-version: 3\r\nx-zone: a.*b\r\nuser-agent: x wget\r\n\r\n"));
}

TEST(PriorityTest, GreaterComesFirstWhateverIsMoreSpecific) {
  Expect({Service("web").Dest("/demo/x", "a.com"), Service("one").Dest("/demo").Priority(1),
          Service("acl").Dest("/demo").Acl("00-first"), Service("two").Dest("/demo").Priority(2)},
         {{"a.com/demo/x", {}, "two"}, {"b.org/demo", {}, "two"}});
  Expect({Service("web").Dest("/demo/x", "a.com"), Service("one").Dest("/demo").Priority(1),
          Service("acl").Dest("/demo").Acl("00-first")},
         {{"a.com/demo/x", {}, "one"}});
}

TEST(PriorityTest, TheRootIsRankedOnlyWithADomain) {
  Expect({Service("web").Dest("/demo", "a.com"), Service("all").Dest("/").Priority(9)},
         {{"a.com/demo", {}, "web"}, {"b.org/", {}, "all"}});
  Expect({Service("web").Dest("/demo", "a.com"), Service("wild").Dest("/", "*.com").Priority(9)},
         {{"a.com/demo", {}, "wild"}});
}

TEST(PriorityTest, WellKnownPathsStayFirst) {
  Expect({Service("acme").Dest("/.well-known/acme"), Service("two").Dest("/", "a.com").Priority(2)},
         {{"a.com/.well-known/acme/x", {}, "acme"}});
}

std::vector<std::uint32_t> Parts(const std::vector<std::optional<model::Weight>>& weights) {
  return Thousandths(weights);
}

TEST(WeightTest, DividesByWeightsAndPercentages) {
  using W = model::Weight;
  EXPECT_THAT(Parts({std::nullopt, W{true, 100}}), ElementsAre(900, 100));
  EXPECT_THAT(Parts({std::nullopt, W{false, 100}}), ElementsAre(500, 500));
  EXPECT_THAT(Parts({W{false, 90}, W{false, 10}}), ElementsAre(900, 100));
  EXPECT_THAT(Parts({W{false, 1}, W{false, 1}, W{false, 1}}), ElementsAre(334, 333, 333));
  EXPECT_THAT(Parts({W{false, 256}, W{false, 0}}), ElementsAre(1000, 0));
  EXPECT_THAT(Parts({W{false, 0}, W{false, 0}}), ElementsAre(1000, 0));
  EXPECT_THAT(Parts({W{true, 1000}, std::nullopt}), ElementsAre(1000, 0));
  EXPECT_THAT(Parts({W{true, 1000}, W{true, 1000}}), ElementsAre(500, 500));
  EXPECT_THAT(Parts({W{true, 300}, W{true, 300}}), ElementsAre(500, 500));
  EXPECT_THAT(Parts({W{true, 5}, W{false, 3}, W{false, 1}}), ElementsAre(5, 746, 249));
  EXPECT_THAT(Parts({W{true, 999}, W{false, 1}, W{false, 1}, W{false, 1}}),
              ElementsAre(999, 0, 0, 1));
}

TEST(WeightTest, EqualClaimsAreSharedWhereOneHasAWeight) {
  const BuiltRoutes built =
      BuildRoutes({Service("web").Dest("/demo", "a.com"),
                   Service("canary").Dest("/demo", "a.com").Percent(5).Created(200),
                   Service("other").Dest("/demo").Created(300)});
  EXPECT_THAT(Codes(built.diagnostics), IsEmpty());
  const Explanation explanation = Explain(built.routes, Ask("a.com/demo"));
  EXPECT_EQ(explanation.service.str(), "web");
  EXPECT_THAT(explanation.reason, HasSubstr("shared by weight: web/0/0 95 %, canary/0/0 5 %"));
  EXPECT_EQ(explanation.shares.size(), 2U);
  EXPECT_TRUE(Explain(built.routes, Ask("b.com/demo")).shares.empty());
}

TEST(WeightTest, AnAclNameDoesNotForbidToShare) {
  const BuiltRoutes built =
      BuildRoutes({Service("blue").Dest("/demo").Acl("05-blue").Weight(1),
                   Service("green").Dest("/demo").Acl("06-green").Weight(3).Created(1)});
  EXPECT_THAT(Codes(built.diagnostics), IsEmpty());
  EXPECT_THAT(Explain(built.routes, Ask("a.com/demo")).reason,
              HasSubstr("blue/0/0 25 %, green/0/0 75 %"));
}

TEST(WeightTest, OtherClaimsAndOtherExclusionsAreNotShared) {
  const BuiltRoutes built = BuildRoutes({Service("web").Dest("/demo").Exclude("/demo/x"),
                                         Service("canary").Dest("/demo").Weight(5).Created(200),
                                         Service("long").Dest("/demo/y").Weight(5).Created(300)});
  EXPECT_THAT(Codes(built.diagnostics), ElementsAre("conflict canary servicePath"));
  for (const model::Route& route : built.routes) EXPECT_TRUE(route.shares.empty());
}

ServiceInput Named(Service service, std::vector<std::string> names = {"up"}) {
  service.input().spec.Edit().discovery = model::Discovery::kDns;
  for (model::DestSpec& dest : service.input().spec.Edit().dests)
    dest.outbound_hostname = names.front();
  return service;
}

BuiltAll BuildAll(const std::vector<ServiceInput>& services) {
  BuildContext context;
  context.names["up"] = {"10.0.0.1"};
  context.bound_ports = {80, 8081};
  return BuildAll(services, context);
}

TEST(WeightTest, WhoHasNoServerLeavesItsPartToTheOthers) {
  const BuiltAll built = BuildAll({Named(Service("web").Dest("/demo").Weight(50)),
                                   Named(Service("canary").Dest("/demo").Weight(50), {"down"})});
  ASSERT_EQ(built.desired.routes.size(), 1U);
  EXPECT_EQ(DescribeShares(built.desired.routes[0]->shares), "canary/0/0 0 %, web/0/0 100 %");
  EXPECT_EQ(built.desired.matches.entries[0].candidates.at(0).shares,
            built.desired.routes[0]->shares);
  EXPECT_EQ(built.desired.backends.size(), 2U);
}

TEST(HttpsPortTest, DividesRequestsByThePortThatTheyCameInBy) {
  Service both("web");
  both.Dest("/demo");
  both.last().https_port = 8443;
  both.last().src_https_port = 8081;
  const BuiltAll built = BuildAll({Named(both)});
  std::vector<std::string> shown;
  for (const model::Route& route : built.desired.routes) {
    shown.push_back(route.id.str() + " " + std::to_string(route.port.value_or(0)) + " " +
                    route.backend.str());
  }
  EXPECT_THAT(shown, ElementsAre("web/0/0 80 web-be8080_0", "web/0/1 8081 https-web-be8443_0"));
  ASSERT_EQ(built.desired.backends.size(), 2U);
  EXPECT_EQ(built.desired.backends[0].name.str(), "https-web-be8443_0");
  EXPECT_EQ(built.desired.backends[0].servers.at(0).port, 8443);
  EXPECT_EQ(built.desired.backends[1].servers.at(0).port, 8080);
  EXPECT_THAT(Codes(built.diagnostics), IsEmpty());
}

TEST(HttpsPortTest, SaysWhereTheProxyDoesNotListen) {
  Service both("web");
  both.Dest("/demo").SrcPort(81);
  both.last().https_port = 8443;
  EXPECT_THAT(
      Codes(BuildAll({Named(both)}).diagnostics),
      ElementsAre("unbound-port web com.df.srcHttpsPort", "unbound-port web com.df.srcPort"));
}

TEST(HttpsPortTest, ServesOnlyTlsWhereThereIsNoOtherPort) {
  Service only("web");
  only.Dest("/demo");
  only.last().port.reset();
  only.last().https_port = 8443;
  const BuiltAll built = BuildAll({Named(only)});
  ASSERT_EQ(built.desired.routes.size(), 1U);
  EXPECT_EQ(built.desired.routes[0]->port, 443);
  EXPECT_THAT(Codes(built.diagnostics), ElementsAre("unbound-port web com.df.srcHttpsPort"));
}

TEST(RedirectTest, OtherDomainsGetARouteOfTheirOwn) {
  Service web("web");
  web.Dest("/demo", "a.com");
  web.last().redirect_from = {Host("www.a.com"), Host("*.a.org")};
  const BuiltAll built = BuildAll({Named(web)});
  const auto backend = [&built](const std::string& url) -> std::string {
    return Explain(built.desired.routes, Ask(url)).backend.str();
  };
  EXPECT_EQ(backend("a.com/demo"), "web-be8080_0");
  EXPECT_EQ(backend("www.a.com/demo/x"), "web-redirect_0");
  EXPECT_EQ(backend("x.a.org/demo"), "web-redirect_0");
  EXPECT_EQ(backend("www.a.com/other"), "");
  ASSERT_EQ(built.desired.backends.size(), 2U);
  EXPECT_EQ(built.desired.backends[1].policy->redirect_host, "a.com");
  EXPECT_EQ(built.desired.backends[1].kind, model::BackendKind::kRich);
}

}  // namespace
}  // namespace swarmgate::routing
