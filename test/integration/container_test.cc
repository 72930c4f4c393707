// Plain containers and compose services: the same labels, the same routes.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>
#include <string>

#include "integration/world.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

Labels Compose(Labels labels, const std::string& number, const std::string& oneoff = "False") {
  labels["com.docker.compose.project"] = "shop";
  labels["com.docker.compose.service"] = "cart";
  labels["com.docker.compose.container-number"] = number;
  labels["com.docker.compose.oneoff"] = oneoff;
  return labels;
}

TEST_F(SwarmTest, LabelledContainerOnACommonNetworkIsLiveUntilItEnds) {
  gate().Start();
  docker().RunContainer({.name = "solo", .labels = Route("/solo"), .network = kWeb});
  EXPECT_TRUE(gate().WaitStatus(200, "/solo"));
  docker().RemoveContainer("solo");
  EXPECT_TRUE(gate().WaitStatus(503, "/solo"));
}

TEST_F(HostTest, LabelledContainerOnALocalBridgeIsLive) {
  gate().Start();
  docker().RunContainer({.name = "solo", .labels = Route("/solo"), .network = kBridge});
  docker().RunContainer({.name = "plain", .labels = Route("/default")});
  EXPECT_TRUE(gate().WaitStatus(200, "/solo"));
  EXPECT_TRUE(gate().WaitStatus(200, "/default"));
}

TEST_F(HostTest, SwarmTasksOfThisNodeAreReachedFromTheHost) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  EXPECT_TRUE(gate().WaitServers(2, "/demo"));
}

TEST_F(HostTest, ContainersOfOneComposeServiceShareItsRoute) {
  gate().Start();
  const Labels labels = Route("/cart");
  docker().RunContainer(
      {.name = "shop-cart-1", .labels = Compose(labels, "1"), .network = kBridge});
  docker().RunContainer(
      {.name = "shop-cart-2", .labels = Compose(labels, "2"), .network = kBridge});
  docker().RunContainer(
      {.name = "shop-cart-run", .labels = Compose(labels, "1", "True"), .network = kBridge});
  EXPECT_TRUE(gate().WaitServers(2, "/cart"));
  LoadGenerator load(Load("/cart", true));
  ASSERT_TRUE(load.WaitForAnswers(20));
  docker().StopContainer("shop-cart-1");
  EXPECT_TRUE(gate().WaitServers(1, "/cart"));
  const LoadReport report = load.Stop();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

// On a bridge: dockerd refuses to rename what is on an overlay network.
TEST_F(HostTest, RenamedContainerServesOnUnderItsNewName) {
  gate().Start();
  docker().RunContainer({.name = "before", .labels = Route("/solo"), .network = kBridge});
  ASSERT_TRUE(gate().WaitStatus(200, "/solo"));
  ASSERT_EQ(gate().Admin("/v1/services/before").status, 200);
  LoadGenerator load(Load("/solo", true));
  ASSERT_TRUE(load.WaitForAnswers(20));
  docker().Call("POST", "/containers/before/rename?name=after");
  EXPECT_TRUE(gate().WaitServiceSays("after", "live"));
  EXPECT_TRUE(WaitUntil([&] { return gate().Admin("/v1/services/before").status == 404; }));
  ASSERT_TRUE(load.WaitForAnswers(200));
  const LoadReport report = load.Stop();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST_F(HostTest, ContainerThatRestartsComesBackWithItsNewAddress) {
  gate().Start();
  docker().RunContainer({.name = "solo", .labels = Route("/solo"), .network = kBridge});
  ASSERT_TRUE(gate().WaitStatus(200, "/solo"));
  docker().StopContainer("solo");
  EXPECT_TRUE(gate().WaitStatus(503, "/solo"));
  // Takes the address that the stopped one had.
  docker().RunContainer({.name = "other", .network = kBridge});
  docker().Call("POST", "/containers/solo/start");
  EXPECT_TRUE(WaitUntil([&] {
    return gate().Web("/solo").Header("X-Echo-Host") ==
           docker().Call("GET", "/containers/solo/json").substr(7, 12);
  }));
}

// Docker lists it as running until it has ended.
TEST_F(HostTest, ContainerThatIsEndingGetsNoRequestsFromAControllerThatCameLater) {
  gate().Start();
  const Labels labels = Route("/cart");
  docker().RunContainer({.name = "shop-cart-1",
                         .labels = Compose(labels, "1"),
                         .network = kBridge,
                         .env = {"ECHO_STOP=linger:60000"}});
  docker().RunContainer(
      {.name = "shop-cart-2", .labels = Compose(labels, "2"), .network = kBridge});
  ASSERT_TRUE(gate().WaitServers(2, "/cart"));
  docker().Call("POST", "/containers/shop-cart-1/kill?signal=SIGTERM");
  ASSERT_TRUE(gate().WaitServers(1, "/cart"));
  const pid_t before = gate().controller();
  ASSERT_EQ(kill(before, SIGKILL), 0);
  ASSERT_TRUE(WaitUntil([&] {
    return gate().controller() != before && gate().Admin("/readyz").status == 200 &&
           gate().ServiceText("shop_cart").find("\"live\"") != std::string::npos;
  }));
  // One full list after it, whatever it says.
  ASSERT_EQ(gate().Admin("/v1/docker-flow-swarm-listener/notify-services").status, 200);
  std::set<std::string> answered;
  for (int i = 0; i < 20; ++i) answered.insert(gate().Web("/cart").Header("X-Echo-Host"));
  EXPECT_EQ(answered.size(), 1U);
}

}  // namespace
}  // namespace swarmgate::testing
