// What labels can ask for beyond a route: its faults cost its own service alone.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;

model::ServiceFacts Labelled(const std::map<std::string, std::string>& labels) {
  model::ServiceFacts web = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
  for (const auto& [name, value] : labels) web.labels["com.df." + name] = value;
  return web;
}

TEST(ContentTest, RawLinesThatHaproxyRefusesQuarantineTheirServiceOnly) {
  Rig rig;
  rig.options.parse.allow_raw = true;
  rig.docker.SetService(MakeService("api", "/api", {MakeTask("bbb", "10.0.0.2")}));
  rig.docker.SetService(Labelled({{"backendExtra", "option no-such-thing"}}));
  rig.proxy.RefuseConfigWith("option no-such-thing");
  rig.Start();
  rig.Advance(Duration(1000));
  EXPECT_EQ(rig.State("web"), "rejected");
  EXPECT_TRUE(rig.HasDiagnostic("web", "quarantined"));
  EXPECT_EQ(rig.State("api"), "live");
  rig.ExpectFilesAreTheTruth();
}

TEST(ContentTest, WithoutTheOperatorsLeaveRawLinesKeepTheServiceOut) {
  Rig rig;
  rig.docker.SetService(Labelled({{"backendExtra", "option httplog"}}));
  rig.Start();
  rig.Advance(Duration(1000));
  EXPECT_TRUE(rig.HasDiagnostic("web", "raw-not-allowed"));
  EXPECT_TRUE(rig.Served().empty());
}

// A drain that is watched is looked at every second; one that is given up every ten.
TEST(ContentTest, ADestinationSaysHowLongItsTasksAreWatched) {
  for (const bool own : {false, true}) {
    Rig rig;
    rig.options.drain_timeout = Duration(30000);
    const std::map<std::string, std::string> labels =
        own ? std::map<std::string, std::string>{{"drainTimeout", "5m"}}
            : std::map<std::string, std::string>{};
    rig.docker.SetService(Labelled(labels));
    rig.Start();
    rig.Advance(Duration(1000));
    const haproxy::Held before = rig.proxy.held();
    const auto& [slot, servers] = *before.image.servers.begin();
    rig.proxy.SetSessions(slot, servers.front().name, 1);
    rig.docker.RemoveService("id-web");
    rig.Hint("service", "remove", "id-web");
    rig.Settle();
    rig.Advance(Duration(60000));
    EXPECT_TRUE(rig.proxy.held().draining.contains(slot));
    rig.proxy.SetSessions(slot, servers.front().name, 0);
    rig.Advance(own ? Duration(1500) : Duration(11000));
    EXPECT_TRUE(rig.proxy.held().draining.empty()) << own;
  }
}

}  // namespace
}  // namespace swarmgate::engine
