// Faults, each under steady load: what the clients of replicas that are well notice of it, and how
// long it takes until all replicas are right again.
#include "cluster/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
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
/// Two seconds are the promise; a machine that builds something meanwhile is given more.
constexpr seconds kSoon{10};
const std::vector<size_t> kOthers{0, 1};

/// SWARMGATE_SOAK=10 is the long form, which the documentation shows.
bool IsLongForm() { return Rounds(1) >= 10; }

std::vector<size_t> Without(size_t machine) {
  std::vector<size_t> rest = kAll;
  rest.erase(std::remove(rest.begin(), rest.end(), machine), rest.end());
  return rest;
}

/// Another one in every run, unless --gtest_random_seed names it.
unsigned Seed() {
  const int named = GTEST_FLAG_GET(random_seed);
  constexpr unsigned kGreatest = 99999;
  return named != 0 ? static_cast<unsigned>(named) : 1 + std::random_device()() % kGreatest;
}

LoadOptions LoadOf(const Endpoint& endpoint) {
  LoadOptions options;
  options.endpoint = endpoint;
  options.targets = {GetTarget("/demo"), GetTarget("/shop")};
  options.threads = 2;
  options.think_time = milliseconds(4);
  options.max_duration = seconds(600);
  return options;
}

class FaultsTest : public ClusterTest {
 protected:
  struct World {
    unsigned seed = Seed();
    Changes changes{&Cluster::Get(), seed};
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
  void TearDown() override {
    // They go on where a fault could not be made.
    changes().Stop();
    TellOfFailure();
    if (!HasFailure()) return;
    GTEST_LOG_(INFO) << "the order in which replicas were sent changes: --gtest_random_seed="
                     << world_->seed;
  }

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

  /// No task of the services on this machine, so that only the replica there is lost with it.
  static void KeepOff(size_t machine) { Place("--constraint-add", machine, kMachines - 1); }
  static void ReturnTo(size_t machine) { Place("--constraint-rm", machine, kMachines); }
  static void Place(const std::string& how, size_t machine, size_t tasks) {
    for (const char* service : {"go-demo", "shop"}) {
      const size_t asked = (machine + 1) % kMachines;
      cluster().Docker(asked, {"service", "update", "--detach", how,
                               "node.hostname!=m" + std::to_string(machine), service});
      cluster().machine(asked).WaitRunning(service, tasks);
    }
    ASSERT_TRUE(WaitServedByAll());
  }

  static bool WaitServedByAll() {
    return cluster().WaitReady(kAll) && cluster().WaitReached({"go-demo", "shop"}) &&
           WaitUntil(
               [] {
                 return std::all_of(kAll.begin(), kAll.end(), [](size_t machine) {
                   return Get(cluster().Web(machine), "/demo").status == 200 &&
                          Get(cluster().Web(machine), "/shop").status == 200;
                 });
               },
               seconds(60), milliseconds(50));
  }

  /// All replicas answer again.
  static bool WaitReachable(milliseconds limit) {
    return WaitUntil(
        [] {
          return std::all_of(kAll.begin(), kAll.end(), [](size_t machine) {
            return Call(machine, "/v1/test").status == 200;
          });
        },
        limit, milliseconds(10));
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
        ADD_FAILURE() << "machine " << machine << " lacks " << changes().Missing(machine);
      }
    }
    return right;
  }

  /// Load on the replicas of `well`, and changes to them, from before `fault` until all is right
  /// after it. `fault` returns when what it did is undone; within `limit` from then on, all
  /// replicas must answer again.
  static void Measure(const std::string& name, const std::vector<size_t>& well,
                      const std::function<void()>& fault, milliseconds limit = seconds(30)) {
    Loads loads = StartLoads(well);
    const unsigned before = changes().accepted();
    changes().Start(well);
    fault();
    const unsigned enough = before + Rounds(10);
    EXPECT_TRUE(WaitUntil([&] { return changes().accepted() >= enough; }, seconds(60)));
    Finish(name, &loads, before, limit, [](const LoadReport& report) { return report.lost; });
  }

  /// The same for a fault that takes the replicas away one after the other: a request fails when a
  /// replica that took its connection does not answer it. That one which has just started, on a
  /// port of the host, answers 503 to what it has not heard of yet is noted and is no failure of
  /// the test.
  static void MeasureReplacing(const std::string& name, const std::vector<size_t>& replaced,
                               const std::function<void()>& fault) {
    Loads loads = StartLoads(replaced);
    const unsigned before = changes().accepted();
    fault();
    // A client that found nobody is just trying again.
    for (const auto& load : loads) EXPECT_TRUE(load->WaitForAnswers(20));
    Finish(name, &loads, before, seconds(60), LostByServing, "status 503");
  }

  using Loads = std::vector<std::unique_ptr<LoadGenerator>>;
  static Loads StartLoads(const std::vector<size_t>& machines) {
    Loads loads;
    for (const size_t machine : machines) {
      loads.push_back(std::make_unique<LoadGenerator>(LoadOf(cluster().Web(machine))));
    }
    for (const auto& load : loads) {
      EXPECT_TRUE(load->WaitForAnswers(20)) << load->answered() << " answers";
    }
    // What is the matter now may be well again at the end of the test.
    TellOfFailure();
    return loads;
  }

  /// Ends changes and load, and notes what they showed. `noted_only`: a reason for losses that
  /// fails no test.
  static void Finish(const std::string& name, Loads* loads, unsigned accepted_before,
                     milliseconds limit, const std::function<uint64_t(const LoadReport&)>& lost_of,
                     const std::string& noted_only = {}) {
    changes().Stop();
    EXPECT_TRUE(WaitReachable(limit)) << name;
    const auto begun = steady_clock::now();
    EXPECT_TRUE(WaitRight(kSoon)) << name;
    FaultResult result{.fault = name,
                       .changes = changes().accepted() - accepted_before,
                       .converged = duration_cast<milliseconds>(steady_clock::now() - begun)};
    for (const auto& load : *loads) {
      EXPECT_TRUE(load->WaitForAnswers(20)) << name;
      const LoadReport report = load->Stop();
      const uint64_t lost = lost_of(report);
      result.requests += report.ok + lost;
      result.failed += lost;
      result.slowest = std::max(result.slowest, report.Slowest());
      const auto noted = report.reasons.find(noted_only);
      EXPECT_EQ(lost, noted == report.reasons.end() ? 0U : noted->second)
          << name << ": " << report.Summary();
    }
    ExpectNoneRefused(name);
    world_->results.push_back(result);
  }
  static void ExpectNoneRefused(const std::string& name) {
    const auto refused = changes().TakeRefused();
    for (const auto& [reason, count] : refused) {
      ADD_FAILURE() << name << ": " << count << " changes were refused: " << reason;
    }
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
    // The kernel may be unable to freeze it at this moment.
    ASSERT_TRUE(WaitUntil(
        [&] {
          return cluster().TryDocker(kVictim, {"pause", container}).exit_code == 0;
        },
        seconds(10), milliseconds(200)));
    Hold(time);
    cluster().Docker(kVictim, {"unpause", container});
  });
}

// One replica after the other: its port has one owner at a time.
TEST_F(FaultsTest, ARollingUpdateOfTheProxyLosesNoRequestThatAReplicaTook) {
  MeasureReplacing("the proxy is rolled to another image", kAll, [] {
    cluster().Docker(0, {"service", "update", "--detach", "--image", kNextImage, "proxy"});
    EXPECT_TRUE(WaitUntil(
        [] {
          // None yet right after the update was accepted.
          const std::string format = "{{with .UpdateStatus}}{{.State}}{{end}}";
          return cluster()
                     .Docker(0, {"service", "inspect", "--format", format, "proxy"})
                     .rfind("completed", 0) == 0;
        },
        seconds(120), milliseconds(100)));
    for (const size_t machine : kAll) {
      const std::string container = cluster().ContainerOf(machine, "proxy");
      EXPECT_EQ(cluster().Docker(machine, {"inspect", "--format", "{{.Config.Image}}", container}),
                std::string(kNextImage) + "\n");
    }
  });
}

/// Another service of the proxy, for scaling. Six replicas want six ports of three machines: these
/// publish none, and are reached by their own addresses.
class Edge {
 public:
  explicit Edge(Cluster* cluster)
      : cluster_(*cluster), client_(&cluster->machine(1), "client", {kProxyNetwork}) {
    cluster_.Docker(
        0, {"service", "create", "--detach", "--name", "edge", "--network", kProxyNetwork,
            "--replicas", "3", "--env", "MODE=swarm", "--env",
            "CONSUL_ADDRESS=" + cluster_.consul().addresses(), "--mount",
            "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock", kProxyImage});
  }
  /// The addresses of its tasks, once exactly so many run.
  std::vector<std::string> Scale(size_t count) {
    cluster_.Docker(0, {"service", "scale", "--detach", "edge=" + std::to_string(count)});
    std::vector<std::string> addresses;
    for (const Task& task : cluster_.machine(0).WaitRunning("edge", count, seconds(120))) {
      addresses.push_back(task.addresses.at(0));
    }
    return addresses;
  }
  /// A task that is healthy serves at once: load on each of them, from then on.
  void LoadAll(const std::vector<std::string>& addresses) {
    for (const std::string& address : addresses) {
      std::unique_ptr<LoadGenerator>& load = loads_[address];
      if (load == nullptr) {
        load = std::make_unique<LoadGenerator>(
            LoadOf({.ip = address, .port = 80, .network = client_.network()}));
      }
      EXPECT_TRUE(load->WaitForAnswers(50)) << address;
    }
  }

  ~Edge() { cluster_.TryDocker(0, {"service", "rm", "edge"}); }
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;
  /// By address, of all tasks that there have been.
  [[nodiscard]] const std::map<std::string, std::unique_ptr<LoadGenerator>>& loads() const {
    return loads_;
  }

 private:
  Cluster& cluster_;
  const Anchor client_;
  std::map<std::string, std::unique_ptr<LoadGenerator>> loads_;
};

TEST_F(FaultsTest, ScalingToSixAndToOneLosesNoRequestThatAReplicaTook) {
  Edge edge(&cluster());
  const unsigned before = changes().accepted();
  changes().Start(kAll);
  edge.LoadAll(edge.Scale(3));
  edge.LoadAll(edge.Scale(6));
  const std::vector<std::string> left = edge.Scale(1);
  edge.LoadAll(left);
  changes().Stop();
  const auto begun = steady_clock::now();
  EXPECT_TRUE(WaitRight(kSoon));
  FaultResult result{.fault = "another proxy service is scaled from 3 to 6 to 1",
                     .changes = changes().accepted() - before,
                     .converged = duration_cast<milliseconds>(steady_clock::now() - begun)};
  ASSERT_EQ(left.size(), 1U);
  for (const auto& [address, load] : edge.loads()) {
    const LoadReport report = load->Stop();
    const uint64_t lost = address == left[0] ? report.lost : LostByServing(report);
    result.requests += report.ok + lost;
    result.failed += lost;
    result.slowest = std::max(result.slowest, report.Slowest());
    EXPECT_EQ(lost, 0U) << address << ": " << report.Summary();
  }
  EXPECT_EQ(edge.loads().size(), 6U);
  ExpectNoneRefused(result.fault);
  world_->results.push_back(result);
}

// --- whole machines, last: Docker's overlay network may keep addresses of before

TEST_F(FaultsTest, AReplicaThatWasCutOffIsRightWhenItIsBack) {
  const seconds time(IsLongForm() ? 30 : 5);
  KeepOff(kVictim);
  Measure(
      "a machine is cut off from the network for " + std::to_string(time.count()) + " s", kOthers,
      [&] {
        cluster().hub().SetLink("m" + std::to_string(kVictim), false);
        Hold(time);
        cluster().hub().SetLink("m" + std::to_string(kVictim), true);
      },
      seconds(90));
  ReturnTo(kVictim);
}

TEST_F(FaultsTest, AManagerThatIsLostCostsTheOthersNothing) {
  const size_t leader = cluster().Leader(0);
  KeepOff(leader);
  Measure(
      "the machine of Swarm's leader loses its power, and comes back", Without(leader),
      [&] {
        cluster().PowerOff(leader);
        Hold(seconds(IsLongForm() ? 30 : 5));
        cluster().PowerOn(leader);
      },
      seconds(90));
  ReturnTo(leader);
}

// Tasks of the services are on that machine, too.
TEST_F(FaultsTest, ADaemonThatIsRestartedCostsTheOthersNothing) {
  for (const size_t machine : kAll) {
    if (machine != kVictim && !IsLongForm()) continue;
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

}  // namespace
}  // namespace swarmgate::testing
