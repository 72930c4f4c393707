// Labels of services that do not speak HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/labels/helpers.h"

namespace swarmgate::labels {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Parameters;
using testing::Parse;
using testing::Texts;

TEST(TcpLabelsTest, APortOfTheProxyAndOneOfTheServiceAreEnough) {
  const ParsedService parsed = Parse({{"reqMode", "tcp"},
                                      {"srcPort", "6379"},
                                      {"port", "6380"},
                                      {"timeoutClient", "6"},
                                      {"timeoutServer", "5"},
                                      {"timeoutTunnel", "7"},
                                      {"checkTcp", "true"},
                                      {"clitcpka", "true"},
                                      {"serviceGroup", "db"},
                                      {"balanceGroup", "leastconn"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  ASSERT_TRUE(parsed.spec);
  const model::DestSpec& dest = parsed.spec->dests.at(0);
  EXPECT_EQ(dest.mode, model::ReqMode::kTcp);
  EXPECT_EQ(dest.tcp->timeout_client, std::chrono::milliseconds(6000));
  EXPECT_TRUE(dest.tcp->client_keepalive);
  EXPECT_EQ(dest.tcp->group, "db");
  EXPECT_EQ(dest.tcp->group_balance, model::Balance::Algorithm::kLeastConn);
  EXPECT_EQ(dest.server->check_interval, std::chrono::milliseconds(2000));
  EXPECT_THAT(dest.paths, IsEmpty());
}

TEST(TcpLabelsTest, SniNamesAreEqualOrWildcardsOrBeginnings) {
  const auto names = [](Parameters parameters) {
    parameters.insert({{"reqMode", "sni"}, {"srcPort", "443"}, {"port", "8443"}});
    const ParsedService parsed = Parse(parameters);
    EXPECT_THAT(Texts(parsed), IsEmpty());
    std::string shown;
    if (!parsed.spec) return shown;
    for (const auto& name : parsed.spec->dests.at(0).tcp->names) {
      shown += (name.kind == model::HostMatch::Kind::kRegex ? "[beg " : "[") + name.text + "]";
    }
    return shown;
  };
  EXPECT_EQ(names({{"serviceDomain", "A.com,*.b.com"}}), "[a.com][.b.com]");
  EXPECT_EQ(names({{"servicePath", "a.com"}}), "[a.com]");
  EXPECT_EQ(names({{"servicePath", "test.,x"}, {"pathType", "req_ssl_sni -i -m beg"}}),
            "[beg test.][beg x]");
  EXPECT_EQ(names({{"servicePath", ".b.com"}, {"pathType", "req.ssl_sni -m end"}}), "[.b.com]");
}

TEST(TcpLabelsTest, MistakesKeepTheServiceOutAndSayWhatToWrite) {
  struct Case {
    Parameters parameters;
    std::string code, message;
  };
  const std::vector<Case> cases = {
      {{{"reqMode", "tcp"}, {"port", "1"}},
       "missing-src-port",
       "When NOT using reqMode http (e.g. tcp), srcPort and port parameters are mandatory."},
      {{{"reqMode", "tcp"}, {"srcPort", "1"}, {"serviceDomain", "a.com"}},
       "missing-src-port",
       "port"},
      {{{"reqMode", "sni"}, {"srcPort", "1"}, {"port", "1"}}, "missing-path", "serviceDomain"},
      {{{"reqMode", "sni"}, {"srcPort", "1"}, {"port", "1"}, {"serviceDomain", "a b"}},
       "bad-sni",
       "is not a name"},
      {{{"reqMode", "sni"},
        {"srcPort", "1"},
        {"port", "1"},
        {"servicePath", "b.com"},
        {"pathType", "req_ssl_sni -m end"}},
       "bad-sni",
       "is not a name"},
      {{{"reqMode", "sni"},
        {"srcPort", "1"},
        {"port", "1"},
        {"servicePath", "b.com"},
        {"pathType", "path_beg"}},
       "bad-path-type",
       "Write req_ssl_sni"},
      {{{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"serviceHeader", "X-A:1"}},
       "not-for-tcp",
       "open to more than its owner wants"},
      {{{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"users", "a:b"}},
       "not-for-tcp",
       "com.df.ignoreAuthorization=true, if everybody may connect"},
      {{{"reqMode", "sni"},
        {"srcPort", "1"},
        {"port", "1"},
        {"serviceDomain", "a.com"},
        {"srcTls", "true"}},
       "not-for-sni",
       "the service itself ends TLS"},
      {{{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"balanceGroup", "best"}},
       "bad-balance",
       "Write one of roundrobin"},
  };
  for (const Case& c : cases) {
    const ParsedService parsed = Parse(c.parameters);
    SCOPED_TRACE(c.code);
    EXPECT_FALSE(parsed.spec);
    EXPECT_THAT(Texts(parsed), ::testing::Contains(::testing::AllOf(HasSubstr("error " + c.code),
                                                                    HasSubstr(c.message))));
  }
}

TEST(TcpLabelsTest, WhatOnlyRequestsCanHaveIsToldAndTakenOff) {
  const ParsedService parsed = Parse({{"reqMode", "tcp"},
                                      {"srcPort", "1"},
                                      {"port", "1"},
                                      {"httpsPort", "8443"},
                                      {"priority", "3"},
                                      {"denyHttp", "false"},
                                      {"balance", "uri"},
                                      {"retries", "2"},
                                      {"allowFrom", "10.0.0.0/8"},
                                      {"setReqHeader", "X-A b"}});
  EXPECT_THAT(
      Texts(parsed),
      ElementsAre(HasSubstr("warning not-for-tcp: service web: com.df.balance: there are no"),
                  HasSubstr("warning not-for-tcp: service web: com.df.httpsPort=8443"),
                  HasSubstr("warning not-for-tcp: service web: com.df.priority=3"),
                  HasSubstr("warning not-for-tcp: service web: com.df.setReqHeader")));
  ASSERT_TRUE(parsed.spec);
  const model::DestSpec& dest = parsed.spec->dests.at(0);
  EXPECT_FALSE(dest.https_port);
  EXPECT_THAT(dest.profile->headers, IsEmpty());
  EXPECT_EQ(dest.profile->balance, model::Balance());
  EXPECT_EQ(dest.profile->retries, 2);
  EXPECT_THAT(dest.profile->allow_from, ElementsAre("10.0.0.0/8"));
}

TEST(TcpLabelsTest, WhatIsSaidOfRequestsConcernsTheDestinationsThatHaveThem) {
  const Parameters mixed = {
      {"servicePath.1", "/"}, {"port.1", "1"},      {"reqMode.2", "tcp"},
      {"srcPort.2", "6379"},  {"port.2", "2"},      {"httpsOnly", "true"},
      {"users", "a:b"},       {"denyHttp", "true"}, {"allowedMethods", "GET"}};
  const ParsedService parsed = Parse(mixed);
  ASSERT_TRUE(parsed.spec);
  ASSERT_EQ(parsed.spec->dests.size(), 2U);
  EXPECT_TRUE(parsed.spec->dests[0].policy->https_only);
  EXPECT_EQ(parsed.spec->dests[0].policy->users.size(), 1U);
  EXPECT_EQ(parsed.spec->dests[1].policy, model::Policy());
  EXPECT_THAT(Texts(parsed),
              ElementsAre(HasSubstr("warning not-for-tcp: service web: com.df.allowedMethods"),
                          HasSubstr("warning not-for-tcp: service web: com.df.denyHttp"),
                          HasSubstr("warning not-for-tcp: service web: com.df.httpsOnly"),
                          HasSubstr("com.df.reqMode.2: users are only asked for by")));
  // What was said for that very destination is not passed over, nor what can only mean it.
  for (const auto& [name, value] :
       Parameters{{"denyHttp.2", "true"}, {"rateLimit", "1/1s"}, {"verifyClientSsl", "true"}}) {
    Parameters more = mixed;
    more[name] = value;
    const ParsedService refused = Parse(more);
    ASSERT_TRUE(refused.spec) << name;
    EXPECT_EQ(refused.spec->dests.size(), 1U) << name;
  }
  EXPECT_FALSE(
      Parse({{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"denyHttp", "true"}}).spec);
  EXPECT_FALSE(Parse({{"reqMode", "tcp"},
                      {"srcPort.1", "1"},
                      {"port.1", "1"},
                      {"srcPort.2", "2"},
                      {"port.2", "2"},
                      {"denyHttp", "true"}})
                   .spec);
}

TEST(TcpLabelsTest, WhatRequestsHaveNoUseForIsTold) {
  const Parameters only_tcp = {{"checkTcp", "true"},   {"clitcpka", "true"},
                               {"timeoutClient", "6"}, {"srcTls", "true"},
                               {"serviceGroup", "g"},  {"balanceGroup", "first"}};
  for (const auto& [name, value] : only_tcp) {
    EXPECT_THAT(Texts(Parse({{"servicePath", "/"}, {name, value}})),
                ElementsAre(HasSubstr("warning not-for-http: service web: com.df." + name)));
    EXPECT_THAT(Texts(Parse({{"servicePath.1", "/"},
                             {"reqMode.2", "tcp"},
                             {"srcPort.2", "1"},
                             {"port.2", "1"},
                             {"timeoutTunnel.2", "1h"},
                             {name, value}})),
                IsEmpty())
        << name;
  }
  EXPECT_THAT(Texts(Parse({{"servicePath", "/"}, {"checkTcp", "false"}})), IsEmpty());
}

TEST(TcpLabelsTest, ATimeoutThatCannotEndAConnectionIsTold) {
  Parameters parameters = {{"reqMode", "tcp"},
                           {"srcPort", "1"},
                           {"port", "1"},
                           {"timeoutClient", "1"},
                           {"timeoutServer", "1"}};
  EXPECT_THAT(Texts(Parse(parameters)),
              ElementsAre(HasSubstr("warning no-effect: service web: com.df.timeoutClient=1"),
                          HasSubstr("warning no-effect: service web: com.df.timeoutServer=1")));
  parameters["timeoutTunnel"] = "1";
  EXPECT_THAT(Texts(Parse(parameters)), IsEmpty());
}

TEST(TcpLabelsTest, WhatTheOperatorSaysForAllServicesKeepsNoneOut) {
  ParseOptions options;
  options.https_only = true;
  options.users.global = {{"root", "toor", false}};
  const ParsedService parsed =
      Parse({{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}}, options);
  ASSERT_TRUE(parsed.spec);
  EXPECT_EQ(parsed.spec->dests.at(0).policy, model::Policy());
  EXPECT_THAT(Texts(parsed), ElementsAre(HasSubstr("USERS are not asked for")));
}

TEST(TcpLabelsTest, TheOperatorSaysWhichModeIsMeantWithoutALabel) {
  const Parameters ports = {{"srcPort", "1"}, {"port", "1"}};
  ParseOptions options;
  options.static_req_mode = model::ReqMode::kTcp;
  EXPECT_FALSE(Parse(ports, options).spec);
  options.source = Source::kEnvironment;
  ASSERT_TRUE(Parse(ports, options).spec);
  EXPECT_EQ(Parse(ports, options).spec->dests.at(0).mode, model::ReqMode::kTcp);
  options = {};
  options.req_mode = model::ReqMode::kTcp;
  ASSERT_TRUE(Parse(ports, options).spec);
  EXPECT_EQ(Parse(ports, options).spec->dests.at(0).mode, model::ReqMode::kTcp);
  const ParsedService http = Parse({{"reqMode", "http"}, {"servicePath", "/"}}, options);
  ASSERT_TRUE(http.spec);
  EXPECT_EQ(http.spec->dests.at(0).mode, model::ReqMode::kHttp);
}

TEST(TcpLabelsTest, AConditionOfHaproxysIsHonouredWhereItIsAllowed) {
  const std::string value = "{ src 10.0.0.0/8 }";
  ParseOptions options;
  Parameters http = {{"servicePath", "/"}, {"aclCondition", value}};
  EXPECT_FALSE(Parse(http, options).spec);
  EXPECT_THAT(Texts(Parse(http, options)), ElementsAre(HasSubstr("error raw-not-allowed")));
  options.allow_raw = true;
  http["backendExtra"] = "http-request allow";
  ASSERT_TRUE(Parse(http, options).spec);
  EXPECT_EQ(Parse(http, options).spec->dests.at(0).profile->condition, value);
  const Parameters tcp = {
      {"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"aclCondition", value}};
  ASSERT_TRUE(Parse(tcp, options).spec);
  EXPECT_EQ(Parse(tcp, options).spec->dests.at(0).profile->condition, value);
  Parameters ignored = tcp;
  ignored["backendExtra"] = "http-request deny unless " + value;
  EXPECT_FALSE(Parse(ignored, options).spec) << "HAProxy would only warn, and serve everybody";
  http["aclCondition"] = "if " + value;
  EXPECT_FALSE(Parse(http, options).spec);
}

TEST(TcpLabelsTest, ADomainMeansNothingToPlainConnections) {
  const ParsedService parsed =
      Parse({{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"serviceDomain", "a.com"}});
  EXPECT_TRUE(parsed.spec);
  EXPECT_THAT(Texts(parsed), ElementsAre(HasSubstr("warning no-effect")));
}

}  // namespace
}  // namespace swarmgate::labels
