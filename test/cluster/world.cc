#include "cluster/world.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/consul_server.h"
#include "support/json.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kWebPort = 80;
constexpr int kAdminPort = 8080;
constexpr char kHolder[] = "holder";

std::unique_ptr<Cluster> g_cluster;

/// Does `work` for every machine at a time; the first failure is thrown.
template <typename Work>
void ForAll(Work work) {
  std::array<std::exception_ptr, kMachines> failures;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kMachines; ++i) {
    threads.emplace_back([&, i] {
      try {
        work(i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace

std::string Cluster::WhyNot() {
  for (const std::string& why :
       {Dockerd::WhyNot(), Hub::WhyNot(), ConsulServer::WhyNot(), ProxyImage::WhyNot()}) {
    if (!why.empty()) return why;
  }
  return HaveProgram("docker") ? "" : "docker is not installed";
}

Cluster& Cluster::Get() {
  if (g_cluster == nullptr) g_cluster = std::make_unique<Cluster>();
  return *g_cluster;
}

bool Cluster::IsRaised() { return g_cluster != nullptr; }

void Cluster::TearDown() { g_cluster.reset(); }

Cluster::Cluster() : consul_(&hub_) {
  StartMachines();
  machine(0).SwarmInit(address(0));
  for (size_t i = 1; i < kMachines; ++i) machine(i).SwarmJoin(address(i), &machine(0), address(0));
  Docker(0, {"network", "create", "--driver", "overlay", "--attachable", kProxyNetwork});
  HoldNetwork();
  consul_.WaitLeader();
}

/// A network leaves a machine with its last container. One that leaves and comes back at once may
/// never hear of some peers again (moby/moby#35807: no neighbour, no forwarding entry), and
/// whoever then sits there does not reach them. So it stays on every machine.
void Cluster::HoldNetwork() {
  Docker(0, {"service", "create", "--detach", "--name", kHolder, "--mode", "global", "--network",
             kProxyNetwork, "--endpoint-mode", "dnsrr", kEchoImage});
  for (size_t i = 0; i < kMachines; ++i) {
    if (!WaitUntil([&] { return !ContainerOf(i, kHolder).empty(); }, seconds(60),
                   milliseconds(50))) {
      throw std::runtime_error("the network does not come to machine " + std::to_string(i));
    }
  }
}

void Cluster::StartMachines() {
  ForAll([&](size_t i) {
    Machine& machine = machines_[i];
    machine.name = "m" + std::to_string(i);
    machine.docker = std::make_unique<Dockerd>(machine.name);
    machine.address = hub_.Attach(machine.name, machine.docker->init(), static_cast<int>(i) + 1);
    machine.docker->ImportArchive(image_.archive(), kProxyImage, image_.changes());
    std::vector<std::string> changes = image_.changes();
    changes.emplace_back("LABEL next=true");
    machine.docker->ImportArchive(image_.archive(), kNextImage, changes);
  });
}

Endpoint Cluster::Web(size_t index) const {
  return {.ip = address(index), .port = kWebPort, .network = hub_.network()};
}

Endpoint Cluster::Admin(size_t index) const {
  return {.ip = address(index), .port = kAdminPort, .network = hub_.network()};
}

CommandResult Cluster::TryDocker(size_t machine, std::vector<std::string> words) {
  ChildOptions options;
  options.argv = {"docker", "-H", "unix://" + machines_[machine].docker->socket()};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  return RunCommand(options, seconds(60));
}

std::string Cluster::Docker(size_t machine, const std::vector<std::string>& words) {
  std::string line = "docker";
  for (const std::string& word : words) line += " " + word;
  CommandResult result;
  // Swarm may write to a service between the client's look at it and its own write.
  (void)WaitUntil([&] {
    result = TryDocker(machine, words);
    return result.exit_code == 0 ||
           result.output.find("update out of sequence") == std::string::npos;
  });
  if (result.exit_code != 0) throw std::runtime_error(line + ": " + result.output);
  return result.output;
}

void Cluster::CreateProxy(const std::vector<std::string>& more, Sharing sharing) {
  std::vector<std::string> words{"service", "create", "--detach", "--name", "proxy"};
  for (const char* port : {"80", "443", "8080"}) {
    words.emplace_back("--publish");
    words.emplace_back(std::string("mode=host,target=") + port + ",published=" + port);
  }
  for (const std::string& word :
       {std::string("--network"), std::string(kProxyNetwork), std::string("--env"),
        std::string("MODE=swarm"), std::string("--replicas"), std::to_string(kMachines)}) {
    words.push_back(word);
  }
  if (sharing == Sharing::kConsul) {
    words.emplace_back("--env");
    words.push_back("CONSUL_ADDRESS=" + consul_.addresses());
  }
  words.insert(words.end(), more.begin(), more.end());
  words.emplace_back(kProxyImage);
  Docker(0, words);
}

bool Cluster::WaitReady(const std::vector<size_t>& machines, milliseconds limit) {
  return WaitUntil(
      [&] {
        return std::all_of(machines.begin(), machines.end(), [&](size_t machine) {
          return testing::Get(Admin(machine), "/readyz").status == 200;
        });
      },
      limit, milliseconds(20));
}

std::string Cluster::ContainerOf(size_t machine, const std::string& service) {
  const std::string ids = TryDocker(machine, {"ps", "-q", "--no-trunc", "--filter",
                                              "label=com.docker.swarm.service.name=" + service})
                              .output;
  return ids.substr(0, ids.find('\n'));
}

std::string Cluster::LogOf(size_t machine, const std::string& service) {
  const std::string ids = TryDocker(machine, {"ps", "-aq", "--filter",
                                              "label=com.docker.swarm.service.name=" + service})
                              .output;
  if (ids.empty()) return "no container";
  return TryDocker(machine, {"logs", "--tail", "60", ids.substr(0, ids.find('\n'))}).output;
}

bool Cluster::WaitReached(const std::vector<std::string>& services, milliseconds limit) {
  HttpRequest request;
  request.target = "/";
  const auto reached = [&](size_t from) {
    const std::string proxy = ContainerOf(from, "proxy");
    if (proxy.empty()) return false;
    const std::string network = machine(from).NetworkOf(proxy);
    for (const std::string& service : services) {
      for (const Task& task : machine(0).Tasks(service)) {
        if (task.state != "running" || task.addresses.empty()) continue;
        const Endpoint endpoint{.ip = task.addresses[0], .port = 8080, .network = network};
        if (Fetch(endpoint, request, seconds(1)).status != 200) return false;
      }
    }
    return true;
  };
  return WaitUntil([&] { return reached(0) && reached(1) && reached(2); }, limit, milliseconds(50));
}

std::string Cluster::OverlayOf(size_t machine) {
  ChildOptions options;
  options.argv = {"nsenter",
                  "--target",
                  std::to_string(machines_[machine].docker->init()),
                  "--mount",
                  "--net",
                  "sh",
                  "-c",
                  "for net in /var/run/docker/netns/1-*; do echo $net; "
                  "nsenter --net=$net ip neighbour show; "
                  "nsenter --net=$net bridge fdb show | grep -w dst; done"};
  return RunCommand(options, seconds(10)).output;
}

void Cluster::PowerOff(size_t machine) { machines_[machine].docker->PowerOff(); }

void Cluster::PowerOn(size_t machine) {
  Machine& entry = machines_[machine];
  entry.docker->PowerOn();
  hub_.Attach(entry.name, entry.docker->init(), static_cast<int>(machine) + 1);
  entry.docker->StartDaemon();
}

size_t Cluster::Leader(size_t asked) {
  const std::string names =
      Docker(asked, {"node", "ls", "--format", "{{.ManagerStatus}} {{.Hostname}}"});
  for (size_t i = 0; i < kMachines; ++i) {
    if (names.find("Leader " + machines_[i].name) != std::string::npos) return i;
  }
  throw std::runtime_error("the Swarm has no leader:\n" + names);
}

void Cluster::RemoveServices() {
  const std::string names = TryDocker(0, {"service", "ls", "--format", "{{.Name}}"}).output;
  std::vector<std::string> words{"service", "rm"};
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find('\n', at), names.size());
    const std::string name = names.substr(at, end - at);
    if (!name.empty() && name != kHolder) words.push_back(name);
    at = end + 1;
  }
  if (words.size() > 2) Docker(0, words);
  const bool gone = WaitUntil(
      [&] {
        for (size_t i = 0; i < kMachines; ++i) {
          const std::string left =
              TryDocker(i, {"ps", "--format", "{{.Label \"com.docker.swarm.service.name\"}}"})
                  .output;
          if (left != std::string(kHolder) + "\n") return false;
        }
        return true;
      },
      seconds(60), milliseconds(100));
  if (!gone) throw std::runtime_error("containers of removed services go on running");
  consul_.WaitLeader();
  HttpRequest request;
  request.method = "DELETE";
  request.target = "/v1/kv/docker-flow/?recurse";
  consul_.Send(request);
}

std::string RoutesOf(Cluster& cluster, size_t machine) {
  const HttpResponse answer = Get(cluster.Admin(machine), "/v1/routes");
  if (answer.status != 200) return "no answer: " + answer.Summary();
  std::string routes;
  for (size_t i = 0; i < JsonCount(answer.body, "/routes"); ++i) {
    const std::string at = "/routes/" + std::to_string(i);
    routes += JsonText(answer.body, at + "/service") + " " + JsonText(answer.body, at + "/host") +
              " " + JsonText(answer.body, at + "/path") + "\n";
  }
  return routes;
}

void ClusterTest::SetUp() {
  if (const std::string why = Cluster::WhyNot(); !why.empty()) {
    GTEST_SKIP() << "no cluster can be raised here: " << why;
  }
  cluster();
}

void ClusterTest::TellOfFailure() {
  if (!HasFailure()) return;
  for (size_t i = 0; i < kMachines; ++i) {
    GTEST_LOG_(INFO) << "the replica on machine " << i << " says:\n"
                     << cluster().LogOf(i, "proxy") << "\nits services:\n"
                     << Call(i, "/v1/services").body << "\nits overlay networks:\n"
                     << cluster().OverlayOf(i);
  }
  for (const char* service : {"proxy", "go-demo", "shop"}) {
    GTEST_LOG_(INFO) << cluster().TryDocker(0, {"service", "ps", "--no-trunc", service}).output;
  }
}

void ClusterTest::TearDown() {
  if (!Cluster::IsRaised()) return;
  TellOfFailure();
  cluster().RemoveServices();
}

HttpResponse ClusterTest::Call(size_t machine, const std::string& target) {
  return Get(cluster().Admin(machine), target);
}

}  // namespace swarmgate::testing
