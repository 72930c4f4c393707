// Proxies without a Docker socket, and the listeners that tell them what Docker says.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "integration/world.h"
#include "support/json.h"
#include "support/network.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::seconds;

class RolesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = Dockerd::WhyNot(); !reason.empty()) {
      GTEST_SKIP() << "no Docker daemon can be started here: " << reason;
    }
    std::string peers;
    for (const char* role : {"listener", "listener", "proxy"}) {
      GateOptions options;
      options.network = anchor().network();
      if (std::string(role) == "listener") {
        options.docker_socket = docker().socket();
        options.own_container = anchor().id();
      }
      options.environment["ROLE"] = role;
      options.environment["ADMIN_TOKEN"] = "what-they-have-in-common";
      gates_.push_back(std::make_unique<Gate>(options));
      peers += (peers.empty() ? "127.0.0.1:" : ",127.0.0.1:") +
               std::to_string(gates_.back()->admin().port);
    }
    for (const auto& gate : gates_) gate->options().environment["PEERS"] = peers;
  }
  void TearDown() override {
    for (const auto& gate : gates_) {
      const std::string log = gate->Log();
      if (HasFailure()) {
        GTEST_LOG_(INFO) << "log: " << (log.size() > 5000 ? log.substr(log.size() - 5000) : log);
      }
    }
    if (!gates_.empty()) {
      gates_.clear();
      docker().RemoveEverything("anchor");
    }
  }
  static void RunService(const std::string& name, const std::string& path, int replicas = 1) {
    ServiceOptions options;
    options.name = name;
    options.labels = {
        {"com.df.notify", "true"}, {"com.df.servicePath", path}, {"com.df.port", "8080"}};
    options.networks = {kWeb};
    options.replicas = replicas;
    docker().CreateService(options);
    docker().WaitRunning(name, static_cast<size_t>(replicas));
  }
  Gate& listener(std::size_t i) { return *gates_[i]; }
  Gate& proxy() { return *gates_[2]; }

  std::vector<std::unique_ptr<Gate>> gates_;
};

TEST_F(RolesTest, AProxyWithoutASocketServesWhatAListenerHearsAndOutlivesIt) {
  for (const auto& gate : gates_) gate->Start();
  EXPECT_EQ(listener(0).haproxy_master(), 0) << "a listener runs no HAProxy";
  EXPECT_EQ(listener(0).Admin("/healthz").status, 200);
  RunService("one", "/one", 2);
  ASSERT_TRUE(proxy().WaitServers(2, "/one"));
  // Whichever it follows, one after the other goes.
  listener(0).KillEverything();
  RunService("two", "/two");
  EXPECT_TRUE(proxy().WaitStatus(200, "/two"));
  listener(0).Start();
  listener(1).KillEverything();
  RunService("three", "/three");
  EXPECT_TRUE(proxy().WaitStatus(200, "/three"));
  // Nobody is left: what is known is served, also by one that starts anew.
  listener(0).KillEverything();
  proxy().KillEverything();
  proxy().Start();
  EXPECT_EQ(proxy().Web("/one").status, 200);
  EXPECT_EQ(proxy().Web("/three").status, 200);
}

TEST_F(RolesTest, NoRequestIsLostWhenTheListenerIs) {
  for (const auto& gate : gates_) gate->Start();
  RunService("one", "/one", 2);
  ASSERT_TRUE(proxy().WaitServers(2, "/one"));
  LoadOptions options;
  options.endpoint = proxy().web();
  options.targets = {GetTarget("/one")};
  options.threads = 2;
  options.max_duration = seconds(120);
  LoadGenerator load(options);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i : {0U, 1U}) {
      listener(i).KillEverything();
      const std::string name = "s" + std::to_string(round) + std::to_string(i);
      RunService(name, "/" + name);
      EXPECT_TRUE(proxy().WaitStatus(200, "/" + name));
      listener(i).Start();
    }
  }
  const LoadReport result = load.Stop();
  EXPECT_GT(result.ok, 100U);
  EXPECT_EQ(result.lost, 0U) << result.Summary();
  EXPECT_EQ(proxy().Reloads(), 0);
}

}  // namespace
}  // namespace swarmgate::testing
