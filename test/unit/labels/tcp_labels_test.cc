// Labels of services that do not speak HTTP.
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
  EXPECT_EQ(dest.tcp.timeout_client, std::chrono::milliseconds(6000));
  EXPECT_TRUE(dest.tcp.client_keepalive);
  EXPECT_EQ(dest.tcp.group, "db");
  EXPECT_EQ(dest.tcp.group_balance, model::Balance::Algorithm::kLeastConn);
  EXPECT_EQ(dest.server.check_interval, std::chrono::milliseconds(2000));
  EXPECT_THAT(dest.paths, IsEmpty());
}

TEST(TcpLabelsTest, SniNamesAreEqualOrWildcardsOrBeginnings) {
  const auto names = [](Parameters parameters) {
    parameters.insert({{"reqMode", "sni"}, {"srcPort", "443"}, {"port", "8443"}});
    const ParsedService parsed = Parse(parameters);
    EXPECT_THAT(Texts(parsed), IsEmpty());
    std::string shown;
    if (!parsed.spec) return shown;
    for (const auto& name : parsed.spec->dests.at(0).tcp.names) {
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
      {{{"reqMode", "tcp"}, {"srcPort", "1"}, {"serviceDomain", "a.com"}}, "missing-src-port", "port"},
      {{{"reqMode", "sni"}, {"srcPort", "1"}, {"port", "1"}}, "missing-path", "serviceDomain"},
      {{{"reqMode", "sni"}, {"srcPort", "1"}, {"port", "1"}, {"serviceDomain", "a b"}},
       "bad-sni",
       "is not a name"},
      {{{"reqMode", "sni"}, {"srcPort", "1"}, {"port", "1"}, {"servicePath", "b.com"},
        {"pathType", "req_ssl_sni -m end"}},
       "bad-sni",
       "is not a name"},
      {{{"reqMode", "sni"}, {"srcPort", "1"}, {"port", "1"}, {"servicePath", "b.com"},
        {"pathType", "path_beg"}},
       "bad-path-type",
       "Write req_ssl_sni"},
      {{{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"serviceHeader", "X-A:1"}},
       "not-for-tcp",
       "Leave them out"},
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

TEST(TcpLabelsTest, ADomainMeansNothingToPlainConnections) {
  const ParsedService parsed =
      Parse({{"reqMode", "tcp"}, {"srcPort", "1"}, {"port", "1"}, {"serviceDomain", "a.com"}});
  EXPECT_TRUE(parsed.spec);
  EXPECT_THAT(Texts(parsed), ElementsAre(HasSubstr("warning no-effect")));
}

}  // namespace
}  // namespace swarmgate::labels
