// What the rest of the suite takes for granted: a real Swarm whose tasks answer.
#include <gtest/gtest.h>

#include "integration/world.h"
#include "support/http_client.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

TEST_F(SwarmTest, TasksAnswerOnTheOverlayNetwork) {
  docker().CreateService({.name = "plain", .networks = {kWeb}, .replicas = 2});
  const std::vector<Task> tasks = docker().WaitRunning("plain", 2);
  for (const Task& task : tasks) {
    ASSERT_EQ(task.addresses.size(), 1U);
    const Endpoint endpoint{.ip = task.addresses[0], .port = 8080, .network = anchor().network()};
    EXPECT_TRUE(WaitUntil([&] { return Get(endpoint, "/x").status == 200; }));
    EXPECT_NE(Get(endpoint, "/x").body.find(task.container.substr(0, 12)), std::string::npos);
  }
}

TEST_F(SwarmTest, DaemonThatWasKilledComesBack) {
  docker().KillDaemon();
  docker().StartDaemon();
  EXPECT_TRUE(WaitUntil([] {
    int status = 0;
    docker().Call("GET", "/services", {}, &status);
    return status == 200;
  }));
}

}  // namespace
}  // namespace swarmgate::testing
