// The adapter against a real Docker daemon: what recorded answers cannot show.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "support/dockerd.h"
#include "support/wait.h"
#include "swarmgate/docker/docker_api.h"

namespace swarmgate::testing {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

SteadyTime In(Duration duration) { return std::chrono::steady_clock::now() + duration; }

/// One daemon for all tests here, which run in the order of this file.
class RealDockerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Dockerd::WhyNot().empty()) docker_ = std::make_unique<Dockerd>();
  }
  static void TearDownTestSuite() { docker_.reset(); }
  void SetUp() override {
    if (docker_ == nullptr) GTEST_SKIP() << Dockerd::WhyNot();
  }

  static Dockerd& docker() { return *docker_; }
  static std::unique_ptr<ports::DockerApi> Connect(const std::string& own_container = {}) {
    docker::DockerOptions options;
    options.host = "unix://" + docker().socket();
    options.own_container = own_container;
    auto api = docker::MakeDockerApi(options);
    EXPECT_TRUE(api) << api.error().ToString();
    return *std::move(api);
  }
  static model::DockerFacts List(ports::DockerApi& api) {
    auto facts = api.List(In(20s));
    EXPECT_TRUE(facts) << facts.error().ToString();
    return facts ? *std::move(facts) : model::DockerFacts();
  }
  static const model::ServiceFacts* Find(const model::DockerFacts& facts, const std::string& name) {
    for (const model::ServiceFacts& service : facts.services) {
      if (service.name == name) return &service;
    }
    return nullptr;
  }
  static std::string NetworkId(const model::DockerFacts& facts, const std::string& name) {
    for (const model::NetworkFacts& network : facts.networks) {
      if (network.name == name) return network.id;
    }
    return {};
  }

  static std::unique_ptr<Dockerd> docker_;
};

std::unique_ptr<Dockerd> RealDockerTest::docker_;

TEST_F(RealDockerTest, ContainersAreListedAndASwarmIsNoticedWhenItComes) {
  docker().CreateBridge("apps");
  ContainerOptions box;
  box.name = "box";
  box.labels = {{"com.df.notify", "true"}};
  box.network = "apps";
  const std::string id = docker().RunContainer(box);
  ContainerOptions shop = box;
  shop.name = "p-shop-1";
  shop.labels["com.docker.compose.project"] = "p";
  shop.labels["com.docker.compose.service"] = "shop";
  docker().RunContainer(shop);
  shop.name = "p-shop-run";
  shop.labels["com.docker.compose.oneoff"] = "True";
  docker().RunContainer(shop);

  const auto api = Connect();
  model::DockerFacts facts = List(*api);
  EXPECT_FALSE(facts.swarm_manager);
  EXPECT_TRUE(facts.on_host);
  EXPECT_EQ(facts.services.size(), 2U);
  const model::ServiceFacts* found = Find(facts, "box");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->exposed_tcp_ports, std::vector<std::uint16_t>{8080});
  ASSERT_EQ(found->tasks.size(), 1U);
  EXPECT_EQ(found->tasks[0].addresses.at(NetworkId(facts, "apps")), docker().AddressOf(id, "apps"));
  ASSERT_NE(Find(facts, "p_shop"), nullptr);
  EXPECT_EQ(Find(facts, "p_shop")->tasks.size(), 1U);

  docker().StopContainer(id);
  facts = List(*api);
  found = Find(facts, "box");
  ASSERT_NE(found, nullptr) << "stopped is not removed";
  EXPECT_FALSE(found->tasks[0].running);
  EXPECT_EQ(found->exposed_tcp_ports, std::vector<std::uint16_t>{8080});
  docker().RemoveContainer(id);
  EXPECT_EQ(Find(List(*api), "box"), nullptr);

  docker().SwarmInit();
  facts = List(*api);
  EXPECT_TRUE(facts.swarm_manager);
  EXPECT_FALSE(facts.node_id.empty());
}

TEST_F(RealDockerTest, AServicesTasksAreReachableByTheGatewayBridgeOrByTheOwnContainersNetwork) {
  docker().CreateOverlay("web");
  ServiceOptions demo;
  demo.name = "demo";
  demo.labels = {{"com.df.notify", "true"}, {"com.df.servicePath", "/demo"}};
  demo.networks = {"web"};
  demo.replicas = 2;
  demo.health_check = true;
  const std::string id = docker().CreateService(demo);
  const std::vector<Task> tasks = docker().WaitRunning("demo", 2);

  const auto api = Connect();
  const model::DockerFacts facts = List(*api);
  const model::ServiceFacts* found = Find(facts, "demo");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->id, id);
  EXPECT_EQ(found->exposed_tcp_ports, std::vector<std::uint16_t>{8080}) << "by its image";
  EXPECT_EQ(found->network_ids, std::vector<std::string>{NetworkId(facts, "web")});
  ASSERT_EQ(found->tasks.size(), 2U);
  for (const model::TaskFacts& task : found->tasks) {
    EXPECT_TRUE(task.running && task.desired_running && task.on_this_node);
    EXPECT_FALSE(task.addresses.at(NetworkId(facts, "web")).empty());
    EXPECT_EQ(facts.gateway_addresses.count(task.container_id), 1U);
  }
  const auto quick = api->ListTasks({id}, In(20s));
  ASSERT_TRUE(quick) << quick.error().ToString();
  ASSERT_EQ(quick->size(), 1U);
  EXPECT_EQ(quick->front().tasks, found->tasks);
  const auto some = api->ListServices({id, "nobody"}, In(20s));
  ASSERT_TRUE(some) << some.error().ToString();
  EXPECT_EQ(some->services, std::vector<model::ServiceFacts>{*found});
  EXPECT_EQ(some->gateway_addresses.count(found->tasks[0].container_id), 1U);

  Anchor anchor(&docker(), "anchor", {"web"});
  const auto inside = Connect("anchor");
  const model::DockerFacts seen = List(*inside);
  EXPECT_FALSE(seen.on_host);
  EXPECT_EQ(seen.own_network_ids, std::vector<std::string>{NetworkId(facts, "web")});
  EXPECT_EQ(seen.services, facts.services);
}

TEST_F(RealDockerTest, EventsComeAsTheyHappenAndAgainFromATimeInThePast) {
  const auto api = Connect();
  std::mutex mutex;
  std::vector<ports::DockerEvent> events;
  bool connected = false;
  const auto seen = [&](const std::string& type, const std::string& action,
                        const std::string& name) -> std::optional<ports::DockerEvent> {
    const std::lock_guard<std::mutex> lock(mutex);
    for (const ports::DockerEvent& event : events) {
      if (event.type == type && event.action == action && event.name.rfind(name, 0) == 0) {
        return event;
      }
    }
    return std::nullopt;
  };
  Error end;
  const auto watch = [&](std::int64_t since) {
    end = api->Watch(
        since,
        [&] {
          const std::lock_guard<std::mutex> lock(mutex);
          connected = true;
        },
        [&](const ports::DockerEvent& event) {
          const std::lock_guard<std::mutex> lock(mutex);
          events.push_back(event);
        });
  };
  std::thread watcher([&] { watch(0); });
  ASSERT_TRUE(WaitUntil([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return connected;
  }));
  docker().RemoveService("demo");
  EXPECT_TRUE(WaitUntil([&] { return seen("service", "remove", "demo").has_value(); }, 20s));
  EXPECT_TRUE(WaitUntil([&] { return seen("container", "die", "demo.").has_value(); }, 40s));
  const auto kill = seen("container", "kill", "demo.");
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->signal, "15");
  EXPECT_FALSE(kill->service_id.empty());
  EXPECT_TRUE(WaitUntil([&] { return seen("network", "disconnect", "web").has_value(); }, 20s));
  EXPECT_FALSE(seen("network", "disconnect", "web")->container_id.empty());
  const auto removed = seen("service", "remove", "demo");
  const auto some = api->ListServices({removed->id}, In(20s));
  ASSERT_TRUE(some) << some.error().ToString();
  EXPECT_TRUE(some->services.empty() && some->unlabelled_ids.empty());
  const auto tasks = api->ListTasks({removed->id, "nobody"}, In(20s));
  ASSERT_TRUE(tasks) << "which dockerd refuses: " << tasks.error().ToString();
  EXPECT_TRUE(tasks->empty()) << "nothing is known of those that are not there";
  // The daemon's end is the stream's end.
  docker().StopDaemon();
  watcher.join();
  EXPECT_EQ(end.code, Code::kUnavailable) << end.ToString();
  docker().StartDaemon();

  docker().CreateBridge("later");
  events.clear();
  connected = false;
  std::thread again([&] { watch(removed->time_ns); });
  // A restarted daemon has forgotten older events: those since then must come.
  EXPECT_TRUE(WaitUntil([&] { return seen("network", "create", "later").has_value(); }, 20s));
  api->Cancel();
  again.join();
  EXPECT_EQ(end.code, Code::kCancelled);
}

TEST_F(RealDockerTest, WhileTheDaemonRestartsAListFailsButNeverLosesAService) {
  ServiceOptions kept;
  kept.name = "kept";
  kept.labels = {{"com.df.notify", "true"}, {"com.df.port", "8080"}};
  kept.networks = {"web"};
  docker().CreateService(kept);
  docker().WaitRunning("kept", 1);
  const auto api = Connect();
  ASSERT_NE(Find(List(*api), "kept"), nullptr);

  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::atomic<int> good{0};
  std::string wrong;
  std::thread lister([&] {
    while (!stop) {
      const auto facts = api->List(In(5s));
      if (!facts) {
        ++failed;
        std::this_thread::sleep_for(2ms);
      } else if (Find(*facts, "kept") == nullptr || !facts->swarm_manager) {
        wrong = "a list without the service";
      } else {
        ++good;
      }
    }
  });
  docker().KillDaemon();
  docker().StartDaemon();
  const int before = good;
  EXPECT_TRUE(WaitUntil([&] { return good > before + 20; }, 60s)) << "it answers again";
  stop = true;
  lister.join();
  EXPECT_EQ(wrong, "");
  EXPECT_GT(failed, 0);
}

}  // namespace
}  // namespace swarmgate::testing
