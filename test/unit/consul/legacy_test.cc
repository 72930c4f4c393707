#include "consul/legacy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarmgate::consul {
namespace {

using ::testing::ElementsAre;

TEST(LegacyTest, KeysOfTheFirstReleasesBecomeRecords) {
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
  const LegacyImport imported = ImportLegacy("docker-flow", entries, 7);
  ASSERT_EQ(imported.records.size(), 2U);
  EXPECT_EQ(imported.records[0].service.str(), "go-demo");
  EXPECT_EQ(imported.records[0].parameters,
            (std::map<std::string, std::string>{{"serviceName", "go-demo"},
                                                {"servicePath", "/demo,/more"},
                                                {"pathType", "path_beg"},
                                                {"port", "8080"}}));
  EXPECT_EQ(imported.records[0].created_unix_ms, 7);
  EXPECT_EQ(imported.records[1].parameters,
            (std::map<std::string, std::string>{{"serviceName", "go-demo-db"},
                                                {"servicePath", "/db"},
                                                {"serviceDomain", "a.com,b.com"},
                                                {"outboundHostname", "db.internal"}}));
  EXPECT_THAT(imported.notes,
              ElementsAre("templates: left out, it has no path (it was made of templates of its "
                          "own)"));
}

}  // namespace
}  // namespace swarmgate::consul
