// What labels can ask for beyond a route: its faults cost its own service alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;

model::ServiceFacts Labelled(const std::map<std::string, std::string>& labels) {
  model::ServiceFacts web = MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")});
  for (const auto& [name, value] : labels) web.labels.Set("com.df." + name, value);
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

// A drain that is watched is looked at every second; one that is given up every ten. Seen from
// three moments, at least one of which lies more than two seconds before the next look of the
// second kind.
TEST(ContentTest, ADestinationSaysHowLongItsTasksAreWatched) {
  for (const bool own : {false, true}) {
    int longest = 0;
    for (const int moment : {60000, 63000, 66000}) {
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
      rig.Advance(Duration(moment));
      EXPECT_TRUE(rig.proxy.held().draining.contains(slot));
      rig.proxy.SetSessions(slot, servers.front().name, 0);
      int seconds = 0;
      while (!rig.proxy.held().draining.empty() && seconds < 20) {
        rig.Advance(Duration(1000));
        ++seconds;
      }
      longest = std::max(longest, seconds);
    }
    EXPECT_LT(longest, 20) << own;
    EXPECT_EQ(longest <= 2, own) << longest;
  }
}

}  // namespace
}  // namespace swarmgate::engine
