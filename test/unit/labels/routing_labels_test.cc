// Labels that say which requests a destination gets: conditions, ports, redirects, weight,
// priority.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "helpers.h"

namespace swarmgate::labels {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Parameters;
using testing::Parse;
using testing::Texts;

std::string Show(const model::DestSpec& dest) {
  std::string text;
  for (const auto& header : dest.headers) text += "[" + header.name + "=" + header.value + "]";
  for (const auto& agent : dest.user_agents) text += "{" + agent + "}";
  for (const auto& host : dest.redirect_from) {
    text += (host.kind == model::HostMatch::Kind::kWildcard ? "(*" : "(") + host.text + ")";
  }
  if (dest.https_port) text += " https " + std::to_string(*dest.https_port);
  if (dest.src_https_port) text += " src " + std::to_string(*dest.src_https_port);
  if (dest.weight) {
    text += " weight " + std::to_string(dest.weight->value) + (dest.weight->percent ? "/1000" : "");
  }
  if (dest.priority != 0) text += " priority " + std::to_string(dest.priority);
  return text;
}

TEST(RoutingLabelsTest, GoodValuesAreTakenWithoutDiagnostics) {
  struct Case {
    std::string name, value, shown;
  };
  const std::vector<Case> cases = {
      {"serviceHeader", "X-Version:3", "[x-version=3]"},
      {"serviceHeader", "X-B : b, X-A:http://x:1", "[x-a=http://x:1][x-b=b]"},
      {"serviceHeader", "X-A:1\\,2", "[x-a=1,2]"},
      {"userAgent", "Amiga,curl/8 (x)", "{amiga}{curl/8 (x)}"},
      {"httpsPort", "8443", " https 8443"},
      {"srcHttpsPort", "444", " src 444"},
      {"redirectFromDomain", "WWW.a.com,*.a.org", "(www.a.com)(*.a.org)"},
      {"weight", "0", " weight 0"},
      {"weight", "256", " weight 256"},
      {"weight", "10%", " weight 100/1000"},
      {"weight", "0.5 %", " weight 5/1000"},
      {"weight", "100%", " weight 1000/1000"},
      {"priority", "1", " priority 1"},
      {"priority", "1000000", " priority 1000000"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name + "=" + c.value);
    const ParsedService parsed = Parse({{"serviceDomain", "a.com"}, {c.name, c.value}});
    EXPECT_THAT(Texts(parsed), IsEmpty());
    ASSERT_TRUE(parsed.spec);
    EXPECT_EQ(Show(parsed.spec->dests.at(0)), c.shown);
  }
}

TEST(RoutingLabelsTest, BadValuesKeepTheServiceOutAndSayWhatToWrite) {
  struct Case {
    std::string name, value, code, message;
  };
  const std::vector<Case> cases = {
      {"serviceHeader", "X-Version", "bad-header", "is not a header's name and its value. Write"},
      {"serviceHeader", "X-Version:", "bad-header", "is not a header's name and its value. Write"},
      {"serviceHeader", "X Version:3", "bad-header", "is not a header's name and its value. Write"},
      {"serviceHeader", ":3", "bad-header", "is not a header's name and its value. Write"},
      {"serviceHeader", "X-A:\xc3\xa4", "bad-header",
       "is not a header's name and its value. Write"},
      {"serviceHeader", "X-A:" + std::string(1100, 'a'), "value-too-long", "more than 1024 bytes"},
      {"userAgent", "\xc3\xa4", "bad-user-agent", "is not printable ASCII. Write parts of"},
      {"userAgent", std::string(1100, 'a'), "value-too-long", "more than 1024 bytes"},
      {"weight", "257", "bad-weight", "neither a number up to 256 nor a percentage. Write"},
      {"weight", "-1", "bad-weight", "neither a number up to 256 nor a percentage. Write"},
      {"weight", "101%", "bad-weight", "neither a number up to 256 nor a percentage. Write"},
      {"weight", "100.1%", "bad-weight", "neither a number up to 256 nor a percentage. Write"},
      {"weight", "0.55%", "bad-weight", "neither a number up to 256 nor a percentage. Write"},
      {"weight", "%", "bad-weight", "neither a number up to 256 nor a percentage. Write"},
      {"priority", "0", "bad-priority", "not a number from 1 to 1000000. Write"},
      {"priority", "high", "bad-priority", "not a number from 1 to 1000000. Write"},
      {"srcHttpsPort", "0", "bad-port", "not a port number. Write"},
      {"redirectFromDomain", "a b", "bad-host", "Write"},
      {"redirectFromDomain", "*", "bad-host", "Write host names such as"},
      {"aclCondition", "{ src 1.2.3.4 }", "raw-not-allowed", "ALLOW_RAW_CONFIG=true"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name + "=" + c.value.substr(0, 40));
    const ParsedService parsed = Parse({{"serviceDomain", "a.com"}, {c.name, c.value}});
    EXPECT_FALSE(parsed.spec);
    ASSERT_EQ(parsed.diagnostics.size(), 1U);
    EXPECT_EQ(parsed.diagnostics[0].code, c.code);
    EXPECT_THAT(parsed.diagnostics[0].ToString(), HasSubstr(c.message));
  }
}

TEST(RoutingLabelsTest, DestinationsHaveConditionsOfTheirOwn) {
  const ParsedService parsed = Parse({{"servicePath.1", "/x"},
                                      {"servicePath.2", "/x"},
                                      {"serviceHeader.1", "X-Version:1"},
                                      {"serviceHeader.2", "X-Version:2"},
                                      {"userAgent", "curl"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  ASSERT_EQ(parsed.spec->dests.size(), 2U);
  EXPECT_EQ(Show(parsed.spec->dests[0]), "[x-version=1]{curl}");
  EXPECT_EQ(Show(parsed.spec->dests[1]), "[x-version=2]{curl}");
}

TEST(RoutingLabelsTest, ARedirectWithoutATargetIsLeftOutAndTheServiceServed) {
  for (const Parameters& target :
       std::vector<Parameters>{{{"servicePath", "/x"}},
                               {{"serviceDomain", "*.a.com,a.com"}},
                               {{"serviceDomain", "api."}, {"serviceDomainAlgo", "hdr_beg(host)"}},
                               {{"serviceDomain", "acme"}, {"serviceDomainMatchAll", "true"}}}) {
    Parameters parameters = target;
    parameters["redirectFromDomain"] = "www.b.com";
    const ParsedService parsed = Parse(parameters);
    ASSERT_TRUE(parsed.spec);
    EXPECT_THAT(parsed.spec->dests.at(0).redirect_from, IsEmpty());
    EXPECT_THAT(Texts(parsed),
                ElementsAre("error redirect-without-domain: service web: "
                            "com.df.redirectFromDomain=www.b.com: there is no serviceDomain to "
                            "redirect to, so nothing is redirected. Write a host name in front of "
                            "com.df.serviceDomain"));
  }
  const ParsedService itself =
      Parse({{"serviceDomain", "a.com"}, {"redirectFromDomain", "a.com,b.com"}});
  EXPECT_EQ(Show(itself.spec->dests.at(0)), "(b.com)");
  EXPECT_THAT(Texts(itself), ElementsAre(HasSubstr("warning redirect-to-itself")));
  const ParsedService around = Parse({{"serviceDomain", "www.a.com"},
                                      {"serviceDomainMatchAll", "true"},
                                      {"redirectFromDomain", "*.a.com,a.com"}});
  EXPECT_EQ(Show(around.spec->dests.at(0)), "(a.com)");
  EXPECT_THAT(Texts(around), ElementsAre(HasSubstr("warning redirect-to-itself")));
}

TEST(RoutingLabelsTest, AnEmptyConditionDoesNotServeEverybody) {
  for (const std::string name : {"serviceHeader", "userAgent"}) {
    const ParsedService parsed = Parse({{"servicePath", "/x"}, {name, " "}});
    EXPECT_FALSE(parsed.spec) << name;
    EXPECT_THAT(Texts(parsed), ::testing::Contains(::testing::HasSubstr("error empty-value")));
  }
}

TEST(RoutingLabelsTest, MatchAllIsAWayToCompareDomains) {
  const auto hosts = [](const Parameters& parameters) {
    const ParsedService parsed = Parse(parameters);
    EXPECT_THAT(Texts(parsed), IsEmpty());
    return parsed.spec->dests.at(0).hosts;
  };
  EXPECT_EQ(hosts({{"serviceDomain", "a.com"}, {"serviceDomainMatchAll", "true"}}),
            hosts({{"serviceDomain", "a.com"}, {"serviceDomainAlgo", "hdr_dom(host)"}}));
  EXPECT_EQ(hosts({{"serviceDomain", "a.com"}, {"serviceDomainMatchAll", "false"}}),
            hosts({{"serviceDomain", "a.com"}}));
}

}  // namespace
}  // namespace swarmgate::labels
