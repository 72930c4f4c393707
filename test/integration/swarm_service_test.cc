// The life of a Swarm service, seen by the clients of the proxy.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "integration/world.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(SwarmTest, LabelledServiceIsLiveOnEachOfItsTasks) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  EXPECT_TRUE(gate().WaitServers(2, "/demo/x"));
  EXPECT_NE(gate().Web("/demo/x?q=1").body.find("path=/demo/x?q=1"), std::string::npos);
  EXPECT_EQ(gate().Web("/demolition").status, 200) << "path_beg is a plain prefix";
  EXPECT_EQ(gate().Web("/other").status, 503);
}

TEST_F(SwarmTest, ServiceThatWasThereBeforeTheStartIsLiveWhenReady) {
  RunService("demo", Route("/demo"));
  gate().Start();
  EXPECT_EQ(gate().Web("/demo").status, 200);
}

TEST_F(SwarmTest, ServiceWithoutTheLabelIsLeftAlone) {
  gate().Start();
  Labels labels = Route("/quiet");
  labels.erase("com.df.notify");
  RunService("quiet", labels);
  RunService("loud", Route("/loud"));
  EXPECT_TRUE(gate().WaitStatus(200, "/loud"));
  EXPECT_EQ(gate().Web("/quiet").status, 503);
}

TEST_F(SwarmTest, OrdinaryServiceCostsNoReload) {
  gate().Start();
  const pid_t worker = gate().haproxy_worker();
  ASSERT_GT(worker, 0);
  ServiceOptions service = RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  service.labels = Route("/moved");
  docker().UpdateService(service);
  ASSERT_TRUE(gate().WaitStatus(200, "/moved"));
  docker().RemoveService("demo");
  ASSERT_TRUE(gate().WaitStatus(503, "/moved"));
  EXPECT_EQ(gate().haproxy_worker(), worker);
  EXPECT_EQ(gate().Reloads(), 0);
}

TEST_F(SwarmTest, ChangedLabelsMoveTheRoute) {
  gate().Start();
  ServiceOptions service = RunService("demo", Route("/old"));
  ASSERT_TRUE(gate().WaitStatus(200, "/old"));
  service.labels = Route("/new", {{"com.df.serviceDomain", "shop.example.com"}});
  docker().UpdateService(service);
  EXPECT_TRUE(gate().WaitStatus(200, "/new", "shop.example.com"));
  EXPECT_TRUE(gate().WaitStatus(503, "/old", "shop.example.com"));
  EXPECT_EQ(gate().Web("/new", "elsewhere.example.com").status, 503);
}

TEST_F(SwarmTest, RemovedLabelTakesTheRouteAwayAndNothingElse) {
  gate().Start();
  RunService("stays", Route("/stays"));
  ServiceOptions service = RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/stays"));
  LoadGenerator load(Load("/stays", true));
  service.labels.erase("com.df.notify");
  docker().UpdateService(service);
  EXPECT_TRUE(gate().WaitStatus(503, "/demo"));
  const LoadReport report = load.Stop();
  EXPECT_GT(report.ok, 0U);
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST_F(SwarmTest, RemovedServiceIsUnknownToThePublicAndToTheApi) {
  gate().Start();
  RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  docker().RemoveService("demo");
  EXPECT_TRUE(gate().WaitStatus(503, "/demo"));
  EXPECT_TRUE(WaitUntil([&] { return gate().Admin("/v1/services/demo").status == 404; }));
}

TEST_F(SwarmTest, ScalingUnderLoadLosesNothing) {
  gate().Start();
  ServiceOptions service = RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  LoadGenerator kept(Load("/demo", true));
  LoadGenerator fresh(Load("/demo", false));
  for (const int replicas : {4, 1, 3}) {
    service.replicas = replicas;
    docker().UpdateService(service);
    docker().WaitRunning("demo", static_cast<size_t>(replicas));
    EXPECT_TRUE(gate().WaitServers(static_cast<size_t>(replicas), "/demo")) << replicas;
  }
  for (LoadGenerator* load : {&kept, &fresh}) {
    const LoadReport report = load->Stop();
    EXPECT_GT(report.ok, 100U);
    EXPECT_EQ(report.lost, 0U) << report.Summary();
  }
}

class RollingUpdateTest : public SwarmTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RollingUpdateTest, LosesNothingUnderLoad) {
  gate().Start();
  ServiceOptions service{.name = "demo",
                         .labels = Route("/demo"),
                         .networks = {kWeb},
                         .replicas = 2,
                         .update_order = GetParam()};
  docker().CreateService(service);
  std::set<std::string> former;
  for (const Task& task : docker().WaitRunning("demo", 2)) former.insert(task.id);
  ASSERT_TRUE(gate().WaitServers(2, "/demo"));

  LoadGenerator kept(Load("/demo", true));
  LoadGenerator fresh(Load("/demo", false));
  service.force_update = 1;
  docker().UpdateService(service);
  ASSERT_TRUE(WaitUntil(
      [&] {
        size_t replaced = 0;
        for (const Task& task : docker().Tasks("demo")) {
          const bool running = task.state == "running" && task.desired == "running";
          if (running && former.count(task.id) == 0) ++replaced;
        }
        return replaced == 2;
      },
      seconds(60), milliseconds(50)));
  docker().WaitRunning("demo", 2);
  EXPECT_TRUE(gate().WaitServers(2, "/demo"));
  for (LoadGenerator* load : {&kept, &fresh}) {
    const LoadReport report = load->Stop();
    EXPECT_GT(report.ok, 100U);
    EXPECT_EQ(report.lost, 0U) << report.Summary();
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, RollingUpdateTest, ::testing::Values("start-first", "stop-first"),
                         [](const auto& order) {
                           return std::string(order.param) == "start-first" ? "StartFirst"
                                                                            : "StopFirst";
                         });

TEST_F(SwarmTest, ServiceWithoutTasksAnswers503AndSaysWhenToComeBack) {
  gate().Start();
  ServiceOptions service = RunService("demo", Route("/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  service.replicas = 0;
  docker().UpdateService(service);
  ASSERT_TRUE(gate().WaitStatus(503, "/demo"));
  EXPECT_TRUE(WaitUntil([&] { return !gate().Web("/demo").Header("Retry-After").empty(); }));
  EXPECT_EQ(gate().Admin("/v1/services/demo").status, 200) << "the route stays";
  service.replicas = 1;
  docker().UpdateService(service);
  EXPECT_TRUE(gate().WaitStatus(200, "/demo", {}, seconds(30)));
}

TEST_F(SwarmTest, UnhealthyTaskGetsNoRequest) {
  gate().Start();
  ServiceOptions service{.name = "demo",
                         .labels = Route("/demo"),
                         .networks = {kWeb},
                         .env = {"ECHO_UNHEALTHY=1"},
                         .health_check = true};
  docker().CreateService(service);
  ASSERT_TRUE(gate().WaitServiceSays("demo", "demo"));
  // It starts and answers, and is not healthy: no request may reach it.
  ASSERT_TRUE(WaitUntil(
      [&] {
        const std::vector<Task> tasks = docker().Tasks("demo");
        return !tasks.empty() && tasks[0].state == "starting";
      },
      seconds(30)));
  EXPECT_EQ(gate().Web("/demo").status, 503);
  service.env = {};
  docker().UpdateService(service);
  EXPECT_TRUE(gate().WaitStatus(200, "/demo", {}, seconds(40)));
}

TEST_F(SwarmTest, NameThatIsTakenAgainWithinASecondServesTheNewService) {
  gate().Start();
  RunService("stays", Route("/stays"));
  ASSERT_TRUE(gate().WaitStatus(200, "/stays"));
  LoadGenerator load(Load("/stays", true));
  ServiceOptions service{.name = "demo", .networks = {kWeb}};
  for (int round = 0; round < 4; ++round) {
    service.labels = Route("/round" + std::to_string(round));
    docker().CreateService(service);
    docker().RemoveService("demo");
  }
  service.labels = Route("/final");
  docker().CreateService(service);
  EXPECT_TRUE(gate().WaitStatus(200, "/final", {}, seconds(40)));
  for (int round = 0; round < 4; ++round) {
    EXPECT_EQ(gate().Web("/round" + std::to_string(round)).status, 503) << round;
  }
  const LoadReport report = load.Stop();
  EXPECT_EQ(report.lost, 0U) << report.Summary();
}

TEST_F(SwarmTest, OlderOfTwoServicesWithOneClaimWinsAndTheYoungerIsTold) {
  gate().Start();
  RunService("first", Route("/same"));
  ASSERT_TRUE(gate().WaitStatus(200, "/same"));
  RunService("second", Route("/same", {{"com.df.servicePath", "/same"}}));
  EXPECT_TRUE(gate().WaitServiceSays("second", "conflict"));
  EXPECT_NE(gate().ServiceText("second").find("first"), std::string::npos) << "names the winner";
  const std::string winner = gate().Web("/same").Header("X-Echo-Host");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(gate().Web("/same").Header("X-Echo-Host"), winner);
  docker().RemoveService("first");
  EXPECT_TRUE(WaitUntil([&] {
    const HttpResponse response = gate().Web("/same");
    return response.status == 200 && response.Header("X-Echo-Host") != winner;
  }));
}

TEST_F(SwarmTest, ServiceOnNoCommonNetworkIsToldWhichNetworksThereAre) {
  gate().Start();
  RunService("near", Route("/near"));
  docker().CreateService({.name = "far", .labels = Route("/far"), .networks = {kLonely}});
  docker().WaitRunning("far", 1);
  EXPECT_TRUE(gate().WaitServiceSays("far", "no-common-network"));
  const std::string text = gate().ServiceText("far");
  EXPECT_NE(text.find(kLonely), std::string::npos) << text;
  EXPECT_NE(text.find(kWeb), std::string::npos) << text;
  EXPECT_EQ(gate().Web("/far").status, 503);
  EXPECT_TRUE(gate().WaitStatus(200, "/near"));
}

TEST_F(SwarmTest, ServiceOnTwoNetworksIsReachedOnTheOneInCommon) {
  gate().Start();
  docker().CreateService(
      {.name = "both", .labels = Route("/both"), .networks = {kLonely, kWeb}, .replicas = 2});
  docker().WaitRunning("both", 2);
  EXPECT_TRUE(gate().WaitServers(2, "/both"));
}

TEST_F(SwarmTest, PortMayBeLeftOutWhereTheImageExposesOne) {
  gate().Start();
  Labels labels = Route("/one");
  labels.erase("com.df.port");
  RunService("one", labels);
  EXPECT_TRUE(gate().WaitStatus(200, "/one"));

  labels["com.df.servicePath"] = "/two";
  docker().CreateService(
      {.name = "two", .labels = labels, .networks = {kWeb}, .image = kTwoPortImage});
  docker().WaitRunning("two", 1);
  EXPECT_TRUE(gate().WaitServiceSays("two", "port"));
  EXPECT_EQ(gate().Web("/two").status, 503);
}

TEST_F(SwarmTest, IndexedLabelsAreRoutesOfTheirOwn) {
  gate().Start();
  docker().CreateService({.name = "demo",
                          .labels = {{"com.df.notify", "true"},
                                     {"com.df.servicePath.1", "/a"},
                                     {"com.df.port.1", "8080"},
                                     {"com.df.servicePath.3", "/b"},
                                     {"com.df.port.3", "8081"}},
                          .networks = {kWeb},
                          .args = {"8080,8081"}});
  docker().WaitRunning("demo", 1);
  ASSERT_TRUE(gate().WaitStatus(200, "/a"));
  ASSERT_TRUE(gate().WaitStatus(200, "/b"));
  EXPECT_NE(gate().Web("/a").body.find("port=8080"), std::string::npos);
  EXPECT_NE(gate().Web("/b").body.find("port=8081"), std::string::npos);
}

TEST_F(SwarmTest, ServiceThatMovesToAnotherInstanceOfTheProxyLosesItsRouteHere) {
  gate().options().environment["FILTER_PROXY_INSTANCE_NAME"] = "true";
  gate().options().environment["PROXY_INSTANCE_NAME"] = "edge";
  gate().Start();
  RunService("stays", Route("/stays", {{"com.df.proxyInstanceName", "edge"}}));
  ServiceOptions service =
      RunService("demo", Route("/demo", {{"com.df.proxyInstanceName", "Edge"}}));
  RunService("nobodys", Route("/nobodys"));
  ASSERT_TRUE(gate().WaitStatus(200, "/demo"));
  ASSERT_TRUE(gate().WaitStatus(200, "/stays"));
  EXPECT_EQ(gate().Web("/nobodys").status, 503);
  service.labels["com.df.proxyInstanceName"] = "inner";
  docker().UpdateService(service);
  EXPECT_TRUE(gate().WaitStatus(503, "/demo"));
  EXPECT_EQ(gate().Web("/stays").status, 200);
}

TEST_F(SwarmTest, TaskThatCrashesIsReplaced) {
  gate().Start();
  RunService("demo", Route("/demo"), 2);
  ASSERT_TRUE(gate().WaitServers(2, "/demo"));
  const std::vector<Task> tasks = docker().Tasks("demo");
  docker().Call("POST", "/containers/" + tasks[0].container + "/kill?signal=KILL");
  // The other task answers throughout: a request that finds the dead one goes to it.
  for (int i = 0; i < 50; ++i) EXPECT_EQ(gate().Web("/demo").status, 200) << i;
  docker().WaitRunning("demo", 2);
  EXPECT_TRUE(gate().WaitServers(2, "/demo"));
}

TEST_F(SwarmTest, TasksLearnTheClientsAddress) {
  gate().Start();
  RunService("demo", Route("/headers"));
  ASSERT_TRUE(gate().WaitStatus(200, "/headers"));
  HttpRequest request;
  request.target = "/headers";
  request.headers = {{"X-Forwarded-For", "9.9.9.9"}};
  const std::string body = Fetch(gate().web(), request).body;
  EXPECT_NE(body.find("x-forwarded-for: 127.0.0.1"), std::string::npos) << body;
}

}  // namespace
}  // namespace swarmgate::testing
