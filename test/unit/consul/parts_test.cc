#include <gtest/gtest.h>

#include "consul/keys.h"
#include "swarmgate/consul/store.h"

namespace swarmgate::consul {
namespace {

TEST(KeysTest, EveryNameHasOneKeyThatMeansNothingInAPath) {
  for (const char* name :
       {"web", "a.b-c_D9", "cert:a.com", "x/y", "..", "a b%?#\n", "\xc3\xa4", "~41"}) {
    const std::string escaped = EscapeName(name);
    EXPECT_EQ(escaped.find_first_of("/%?# \n:"), std::string::npos) << escaped;
    EXPECT_EQ(UnescapeName(escaped), name);
  }
  EXPECT_EQ(EscapeName("cert:a.com"), "cert~3Aa.com");
  for (const char* foreign : {"", "a/b", "~3a", "~4", "~41", "~", "a:b"}) {
    EXPECT_FALSE(UnescapeName(foreign)) << foreign;
  }
}

TEST(KeysTest, InstancesDoNotSeeEachOther) {
  const Keys keys("docker-flow");
  EXPECT_EQ(keys.Service("web"), "docker-flow/services/web");
  EXPECT_EQ(keys.NameOf("docker-flow/services/web"), "web");
  EXPECT_FALSE(keys.NameOf("docker-flow-2/services/web"));
  EXPECT_FALSE(keys.NameOf("docker-flow/services/web/extra"));
  EXPECT_FALSE(keys.NameOf("docker-flow/journal"));
}

TEST(ParseServersTest, TakesWhatUsersOfTheFirstReleasesWrote) {
  using Servers = std::vector<std::string>;
  const auto parsed = [](const char* text) { return ParseServers(text).value_or(Servers{"bad"}); };
  EXPECT_EQ(parsed("a:8500"), Servers{"http://a:8500"});
  EXPECT_EQ(parsed(" http://a:8500 , b ,https://c.d/"),
            (Servers{"http://a:8500", "http://b:8500", "https://c.d:443"}));
  EXPECT_EQ(parsed("HTTP://a:1,a:1"), Servers{"http://a:1"});
  EXPECT_EQ(parsed("[::1]:8500"), Servers{"http://[::1]:8500"});
  EXPECT_EQ(parsed("tasks.consul_1"), Servers{"http://tasks.consul_1:8500"});
  for (const char* bad : {"", "a,", "a:0", "a:x", "a:65536", "ftp://a", "a/b", "a b", "[::1",
                          "[x]:1", "a\nb", "user@a:1", "[::1]8500"}) {
    EXPECT_EQ(ParseServers(bad).error().code, Code::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace swarmgate::consul
