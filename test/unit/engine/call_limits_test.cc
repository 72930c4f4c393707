// Calls that are refused, that nobody waits for any more, or that are overtaken: what is left of
// them.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using Served = std::map<std::string, std::vector<std::string>>;
using Parameters = Rig::Parameters;

Parameters Call(const std::string& name, const std::string& path) {
  return {{"serviceName", name},
          {"servicePath", path},
          {"port", "9000"},
          {"outboundHostname", "192.0.2.7"}};
}

class CallLimitsTest : public ::testing::Test {
 protected:
  Rig rig;
};

TEST_F(CallLimitsTest, CallsForInventedNamesLeaveNothingInMemory) {
  rig.Start();
  const std::size_t before = rig.reconciler->remembered();
  for (int i = 0; i < 100; ++i) {
    const std::string name = "invented" + std::to_string(i);
    EXPECT_EQ(rig.Call(Command::Kind::kValidate, {{"serviceName", name}}).status, 409);
    EXPECT_EQ(rig.Reconfigure({{"serviceName", name}, {"servicePath", "/x"}}).status, 400);
    EXPECT_EQ(rig.Call(Command::Kind::kValidate, Call(name, "/" + name)).status, 200);
  }
  // One that is judged together with the others stays until the next look at them.
  EXPECT_LE(rig.reconciler->remembered(), before + 1);
}

}  // namespace
}  // namespace swarmgate::engine
