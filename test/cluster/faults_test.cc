// Faults, each under steady load: what the clients of replicas that are well notice of it, and how
// long it takes until all replicas are right again.
#include "cluster/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/json.h"
#include "support/paths.h"
#include "support/rounds.h"
#include "support/test_root.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

const std::vector<size_t> kAll{0, 1, 2};
/// The one that faults of a single replica hit.
constexpr size_t kVictim = 2;
const std::vector<size_t> kOthers{0, 1};

/// SWARMGATE_SOAK=10 is the long form, which the documentation shows.
bool IsLongForm() { return Rounds(1) >= 10; }

std::vector<size_t> Without(size_t machine) {
  std::vector<size_t> rest = kAll;
  rest.erase(std::remove(rest.begin(), rest.end(), machine), rest.end());
  return rest;
}

class FaultsTest : public ClusterTest {
 protected:
  struct World {
    Changes changes{&Cluster::Get()};
    std::vector<FaultResult> results;
  };

  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    Cluster& swarm = Cluster::Get();
    swarm.CreateProxy(
        {"--mount", "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock"});
    ASSERT_TRUE(swarm.WaitReady(kAll));
    CreateUpstream("go-demo", {});
    CreateUpstream("shop", {"com.df.notify=true", "com.df.servicePath=/shop", "com.df.port=8080"});
    ASSERT_EQ(Call(0,
                   "/v1/docker-flow-proxy/reconfigure?serviceName=go-demo&servicePath=/demo"
                   "&port=8080&distribute=true")
                  .status,
              200);
  }

  static void TearDownTestSuite() {
    const bool shown = std::getenv("UPDATE_GOLDEN") != nullptr && IsLongForm();
    const std::string page = ReliabilityPage(world_->results);
    std::printf("%s", page.substr(page.find("| Fault")).c_str());
    if (shown) WriteFile(SourcePath("docs/reliability.md"), page);
    world_.reset();
    Cluster::Get().RemoveServices();
  }

  void SetUp() override { ASSERT_TRUE(WaitServedByAll()); }
  void TearDown() override { TellOfFailure(); }

  static Changes& changes() { return world_->changes; }

  /// One task on each machine.
  static void CreateUpstream(const std::string& name, const std::vector<std::string>& labels) {
    std::vector<std::string> words{"service",     "create",          "--detach", "--name",
                                   name,          "--mode",          "global",   "--network",
                                   kProxyNetwork, "--restart-delay", "1s"};
    for (const std::string& label : labels) {
      words.emplace_back("--label");
      words.push_back(label);
    }
    words.emplace_back(kEchoImage);
    Cluster::Get().Docker(0, words);
  }

  static bool WaitServedByAll() {
    return cluster().WaitReady(kAll) &&
           WaitUntil(
               [] {
                 return std::all_of(kAll.begin(), kAll.end(), [](size_t machine) {
                   return Get(cluster().Web(machine), "/demo").status == 200 &&
                          Get(cluster().Web(machine), "/shop").status == 200;
                 });
               },
               seconds(60), milliseconds(50));
  }

  static LoadOptions LoadOf(const Endpoint& endpoint) {
    LoadOptions options;
    options.endpoint = endpoint;
    options.targets = {GetTarget("/demo"), GetTarget("/shop")};
    options.threads = 2;
    options.think_time = milliseconds(4);
    options.max_duration = seconds(600);
    return options;
  }

  /// All replicas are ready, and serve the last accepted changes and nothing else.
  static bool WaitRight(milliseconds limit) {
    const bool right = WaitUntil(
        [] {
          if (!cluster().WaitReady(kAll, milliseconds(0))) return false;
          const std::string routes = RoutesOf(cluster(), 0);
          return std::all_of(kAll.begin(), kAll.end(), [&](size_t machine) {
            return changes().Missing(machine).empty() && RoutesOf(cluster(), machine) == routes;
          });
        },
        limit, milliseconds(10));
    if (!right) {
      for (const size_t machine : kAll) {
        ADD_FAILURE() << "machine " << machine << " lacks " << changes().Missing(machine)
                      << "\nand serves " << RoutesOf(cluster(), machine);
      }
    }
    return right;
  }

  /// Load on the replicas of `well`, and changes to them, from before `fault` until all is right
  /// after it. `fault` returns when what it did is undone.
  static void Measure(const std::string& name, const std::vector<size_t>& well,
                      const std::function<void()>& fault, milliseconds limit = seconds(30)) {
    const unsigned before = changes().accepted();
    std::vector<std::unique_ptr<LoadGenerator>> loads;
    for (const size_t machine : well) {
      loads.push_back(std::make_unique<LoadGenerator>(LoadOf(cluster().Web(machine))));
    }
    changes().Start(well);
    for (const auto& load : loads) ASSERT_TRUE(load->WaitForAnswers(20));
    fault();
    const unsigned enough = before + Rounds(10);
    EXPECT_TRUE(WaitUntil([&] { return changes().accepted() >= enough; }, seconds(60)));
    changes().Stop();
    const auto begun = steady_clock::now();
    EXPECT_TRUE(WaitRight(limit)) << name;
    const auto converged = duration_cast<milliseconds>(steady_clock::now() - begun);
    for (const auto& load : loads) EXPECT_TRUE(load->WaitForAnswers(20));
    FaultResult result{
        .fault = name, .changes = changes().accepted() - before, .converged = converged};
    for (size_t i = 0; i < loads.size(); ++i) {
      const LoadReport report = loads[i]->Stop();
      result.requests += report.ok + report.lost;
      result.failed += report.lost;
      EXPECT_EQ(report.lost, 0U) << name << ", machine " << well[i] << ": " << report.Summary();
    }
    for (const auto& [reason, count] : changes().refused()) {
      ADD_FAILURE() << name << ": " << count << " changes were refused: " << reason;
    }
    world_->results.push_back(result);
  }

  /// While a fault lasts.
  static void Hold(milliseconds time) {
    const auto end = steady_clock::now() + time;
    const unsigned before = changes().accepted();
    EXPECT_TRUE(WaitUntil([&] { return steady_clock::now() >= end; }, time * 2));
    EXPECT_GT(changes().accepted(), before) << "no change was accepted during the fault";
  }

  static std::unique_ptr<World> world_;
};

std::unique_ptr<FaultsTest::World> FaultsTest::world_;

TEST_F(FaultsTest, ConsulServersThatAreDownCostNothing) {
  ConsulCluster& consul = cluster().consul();
  for (size_t count = 1; count <= consul.size(); ++count) {
    Measure(std::to_string(count) + " of 3 Consul servers down and back", kAll, [&] {
      for (size_t i = 0; i < count; ++i) consul.Kill(i);
      Hold(seconds(3));
      for (size_t i = 0; i < count; ++i) consul.Start(i);
      consul.WaitLeader();
    });
  }
}

TEST_F(FaultsTest, AnotherLeaderOfConsulCostsNothing) {
  ConsulCluster& consul = cluster().consul();
  Measure("Consul's leader hangs, another one is elected", kAll, [&] {
    const size_t leader = consul.WaitLeader();
    consul.Pause(leader);
    EXPECT_NE(consul.WaitLeader(), leader);
    Hold(seconds(2));
    consul.Resume(leader);
  });
}

TEST_F(FaultsTest, AReplicaThatIsKilledCostsTheOthersNothing) {
  Measure("a replica is killed (SIGKILL) and started anew by Swarm", kOthers, [&] {
    const std::string container = cluster().ContainerOf(kVictim, "proxy");
    cluster().Docker(kVictim, {"kill", container});
    EXPECT_TRUE(WaitUntil(
        [&] {
          const std::string next = cluster().ContainerOf(kVictim, "proxy");
          return !next.empty() && next != container;
        },
        seconds(30), milliseconds(50)));
  });
}

TEST_F(FaultsTest, AReplicaThatSleepsIsRightWhenItWakes) {
  const seconds time(IsLongForm() ? 30 : 5);
  Measure("a replica is paused for " + std::to_string(time.count()) + " s", kOthers, [&] {
    const std::string container = cluster().ContainerOf(kVictim, "proxy");
    cluster().Docker(kVictim, {"pause", container});
    Hold(time);
    cluster().Docker(kVictim, {"unpause", container});
  });
}

TEST_F(FaultsTest, AReplicaThatWasCutOffIsRightWhenItIsBack) {
  const seconds time(IsLongForm() ? 30 : 5);
  Measure(
      "a machine is cut off from the network for " + std::to_string(time.count()) + " s", kOthers,
      [&] {
        cluster().hub().SetLink("m" + std::to_string(kVictim), false);
        Hold(time);
        cluster().hub().SetLink("m" + std::to_string(kVictim), true);
      },
      seconds(90));
}

TEST_F(FaultsTest, ADaemonThatIsRestartedCostsTheOthersNothing) {
  for (const size_t machine : kAll) {
    Measure(
        "dockerd is restarted on machine " + std::to_string(machine + 1), Without(machine),
        [&] {
          cluster().machine(machine).StopDaemon();
          Hold(seconds(1));
          cluster().machine(machine).StartDaemon();
        },
        seconds(90));
    ASSERT_TRUE(WaitServedByAll());
  }
}

TEST_F(FaultsTest, AManagerThatIsLostCostsTheOthersNothing) {
  const size_t leader = cluster().Leader(0);
  Measure(
      "the machine of Swarm's leader is lost, and comes back", Without(leader),
      [&] {
        cluster().PowerOff(leader);
        Hold(seconds(IsLongForm() ? 30 : 5));
        cluster().PowerOn(leader);
      },
      seconds(90));
}

}  // namespace
}  // namespace swarmgate::testing
