#include "swarmgate/consul/legacy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarmgate::consul {
namespace {

using ::testing::ElementsAre;
using Parameters = std::map<std::string, std::string>;

TEST(LegacyTest, KeysOfTheFirstReleasesBecomeCalls) {
  const std::vector<codec::ConsulEntry> entries = {
      {"docker-flow/go-demo/path", "/demo,/more", 1},
      {"docker-flow/go-demo/port", "8080", 1},
      {"docker-flow/go-demo/domain", "", 1},
      {"docker-flow/go-demo/pathtype", "path_beg", 1},
      {"docker-flow/go-demo/skipcheck", "true", 1},
      {"docker-flow/go-demo/color", "blue", 1},
      {"docker-flow/go-demo-db/path", "/db", 1},
      {"docker-flow/go-demo-db/hostname", "db.internal", 1},
      {"docker-flow/go-demo-db/domain", "a.com,b.com", 1},
      {"docker-flow/templates/consultemplatefepath", "/x", 1},
      {"docker-flow/service/go-demo", "swarm", 1},
      {"docker-flow/service/long-gone", "swarm", 1},
      {"docker-flow/services/new", "{}", 1},
      {"docker-flow/journal", "{}", 1},
      {"docker-flow-2/other/path", "/other", 1},
  };
  const LegacyServices imported = ParseLegacy("docker-flow", entries);
  EXPECT_THAT(imported.services, ElementsAre(Parameters{{"serviceName", "go-demo"},
                                                        {"servicePath", "/demo,/more"},
                                                        {"pathType", "path_beg"},
                                                        {"port", "8080"}},
                                             Parameters{{"serviceName", "go-demo-db"},
                                                        {"servicePath", "/db"},
                                                        {"serviceDomain", "a.com,b.com"},
                                                        {"outboundHostname", "db.internal"}}));
  EXPECT_THAT(imported.notes,
              ElementsAre("templates: left out, it has no path (it was made of templates of its "
                          "own)"));
}

}  // namespace
}  // namespace swarmgate::consul
