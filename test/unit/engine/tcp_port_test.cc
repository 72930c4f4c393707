// Ports of services that do not speak HTTP: one that cannot be had costs its service, and nobody
// else.
#include <gtest/gtest.h>

#include <set>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;

Parameters Redis(const std::string& name, const std::string& port) {
  return {{"serviceName", name}, {"reqMode", "tcp"}, {"srcPort", port}, {"port", "6379"}};
}

class TcpPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rig.options.reserved_ports = {8080};
    rig.options.port_is_free = [this](std::uint16_t port) { return !taken.contains(port); };
    rig.docker.SetService(MakeService("web", "/web", {MakeTask("aaa", "10.0.0.1")}));
    rig.Start();
    rig.Advance(Duration(1000));
  }
  bool Listens(const std::string& port) {
    return rig.proxy.held().image.base.find("frontend tcp_" + port + " ") != std::string::npos;
  }
  std::set<std::uint16_t> taken;
  Rig rig;
};

TEST_F(TcpPortTest, ANewPortIsOneReload) {
  EXPECT_EQ(rig.Reconfigure(Redis("redis", "6379")).status, 200);
  EXPECT_TRUE(Listens("6379"));
  EXPECT_EQ(rig.proxy.reloads(), 1U);
  EXPECT_EQ(rig.snapshot()->counters.reloads.at("tcp"), 1U);
  EXPECT_EQ(rig.State("redis"), "no-server");
  rig.ExpectFilesAreTheTruth();
}

TEST_F(TcpPortTest, MissingPortsAreAnsweredAsThePredecessorDid) {
  const Outcome outcome = rig.Reconfigure({{"serviceName", "redis"}, {"reqMode", "tcp"}});
  EXPECT_EQ(outcome.status, 400);
  EXPECT_EQ(outcome.message,
            "When NOT using reqMode http (e.g. tcp), srcPort and port parameters are mandatory.");
}

TEST_F(TcpPortTest, APortThatSomebodyElseHoldsIsNotTriedUntilItIsFree) {
  taken = {6379};
  EXPECT_NE(rig.Reconfigure(Redis("redis", "6379")).status, 200);
  EXPECT_EQ(rig.Reconfigure(Redis("other", "6380")).status, 200);
  EXPECT_FALSE(Listens("6379"));
  EXPECT_TRUE(Listens("6380"));
  EXPECT_EQ(rig.Reconfigure(Redis("admin", "8080")).status, 400);
  // What is its own is not in its way, also not for the controller after it.
  taken = {6380};
  rig.Restart();
  rig.Advance(Duration(1000));
  EXPECT_TRUE(Listens("6380"));
  EXPECT_EQ(rig.State("web"), "live");
}

TEST_F(TcpPortTest, APortThatHaproxyCannotHaveCostsOnlyItsService) {
  rig.proxy.RejectReloads(1, "Starting frontend tcp_22: cannot bind socket (Permission denied)");
  const Outcome outcome = rig.Reconfigure(Redis("redis", "22"));
  EXPECT_EQ(outcome.status, 500);
  EXPECT_NE(outcome.message.find("cannot listen on port 22"), std::string::npos) << outcome.message;
  rig.Advance(Duration(60000));
  EXPECT_EQ(rig.State("web"), "live");
  EXPECT_FALSE(Listens("22"));
  EXPECT_EQ(rig.Reconfigure(Redis("other", "6380")).status, 200);
  rig.Advance(Duration(60000));
  EXPECT_TRUE(Listens("6380"));
  rig.ExpectFilesAreTheTruth();
}

TEST_F(TcpPortTest, AReloadThatFailsForAnotherReasonIsTriedAgain) {
  rig.proxy.RejectReloads(2, "out of memory");
  (void)rig.Reconfigure(Redis("redis", "6379"));
  EXPECT_FALSE(Listens("6379"));
  EXPECT_EQ(rig.State("web"), "live");
  rig.Advance(Duration(120000));
  EXPECT_TRUE(Listens("6379")) << "it was nobody's fault";
  rig.ExpectFilesAreTheTruth();
}

TEST_F(TcpPortTest, APortThatIsTakenWhileHaproxyIsAwayDoesNotKeepItFromStarting) {
  EXPECT_EQ(rig.Reconfigure(Redis("redis", "6379")).status, 200);
  taken = {6379};  // by HAProxy itself
  rig.proxy.Kill();
  rig.Advance(Duration(5000));
  EXPECT_NE(rig.proxy.disk().at("conf/00-base.cfg").find("frontend tcp_6379 "), std::string::npos)
      << "one that is about to start again keeps its ports";
  rig.Advance(Duration(20000));
  EXPECT_EQ(rig.proxy.disk().at("conf/00-base.cfg").find("frontend tcp_6379 "), std::string::npos);
  ASSERT_TRUE(rig.proxy.Start());
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.State("web"), "live");
  taken.clear();
  rig.Advance(Duration(30000));
  EXPECT_TRUE(Listens("6379")) << "it is free again";
  rig.ExpectFilesAreTheTruth();
}

}  // namespace
}  // namespace swarmgate::engine
