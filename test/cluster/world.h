// The world of the cluster suite, once for the whole program: three machines, each a Swarm manager
// with a dockerd of its own, and three Consul servers, all on one wire.
//
// The proxy is a service of that Swarm, made by the commands that a user types. Its ports are
// published in host mode: machines like those that run tests have no IPVS, and the routing mesh
// carries nothing.
#ifndef SWARMGATE_TEST_CLUSTER_WORLD_H_
#define SWARMGATE_TEST_CLUSTER_WORLD_H_

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cluster/consul_cluster.h"
#include "cluster/hub.h"
#include "cluster/proxy_image.h"
#include "support/dockerd.h"
#include "support/http_client.h"

namespace swarmgate::testing {

inline constexpr size_t kMachines = 3;
/// The overlay network of the proxy.
inline constexpr char kProxyNetwork[] = "proxy";
/// The program under test, and the same once more under another name.
inline constexpr char kProxyImage[] = "swarmgate:cluster";
inline constexpr char kNextImage[] = "swarmgate:next";

/// By what the replicas of the proxy share what the API has defined.
enum class Sharing {
  kConsul,
  kPeers,  ///< nothing but themselves
};

class Cluster {
 public:
  /// Why it cannot be here; empty when it can.
  static std::string WhyNot();
  /// The one of this program, raised when it is first asked for.
  static Cluster& Get();
  static bool IsRaised();
  static void TearDown();

  Cluster();

  Hub& hub() { return hub_; }
  ConsulCluster& consul() { return consul_; }
  Dockerd& machine(size_t index) { return *machines_[index].docker; }
  [[nodiscard]] const std::string& address(size_t index) const { return machines_[index].address; }
  /// The published port for requests, or of the admin API, of the replica on this machine.
  [[nodiscard]] Endpoint Web(size_t index) const;
  [[nodiscard]] Endpoint Admin(size_t index) const;

  /// `docker <words>` at this machine's daemon. Throws with what it said when it fails.
  std::string Docker(size_t machine, const std::vector<std::string>& words);
  /// The same, and whether it went well.
  CommandResult TryDocker(size_t machine, std::vector<std::string> words);
  /// The chapter's `docker service create --name proxy …`, with `more` options.
  void CreateProxy(const std::vector<std::string>& more, Sharing sharing = Sharing::kConsul);
  /// Waits until the replicas on these machines are ready.
  [[nodiscard]] bool WaitReady(const std::vector<size_t>& machines,
                               std::chrono::milliseconds limit = std::chrono::seconds(60));
  /// Waits until from where the replicas are every task of these services is reached: for half a
  /// minute after a machine was away, Docker's overlay network may lack a part of them, which is no
  /// fault of ours.
  [[nodiscard]] bool WaitReached(const std::vector<std::string>& services,
                                 std::chrono::milliseconds limit = std::chrono::seconds(60));
  /// The container of the service's task on this machine; empty when none runs.
  std::string ContainerOf(size_t machine, const std::string& service);
  /// The log of the service's newest container on this machine.
  std::string LogOf(size_t machine, const std::string& service);
  /// Whom the overlay networks on this machine reach, and by which machine: an address whose
  /// hardware address is not forwarded is one of Docker's lost peers, no fault of ours.
  std::string OverlayOf(size_t machine);

  void PowerOff(size_t machine);
  void PowerOn(size_t machine);
  /// The machine whose manager leads the Swarm, as `asked` sees it.
  size_t Leader(size_t asked);
  /// Takes away all services (but the one that holds the network) and what Consul holds of them.
  void RemoveServices();

 private:
  struct Machine {
    std::string name;
    std::string address;
    std::unique_ptr<Dockerd> docker;
  };

  void StartMachines();
  void HoldNetwork();

  Hub hub_;
  ConsulCluster consul_;
  ProxyImage image_;
  std::array<Machine, kMachines> machines_;
};

/// All routes, as the replica on this machine tells them: service, host and path, one a line.
std::string RoutesOf(Cluster& cluster, size_t machine);

/// A cluster without services; says what the replicas logged when a test fails.
class ClusterTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// When the test has failed: what the replicas logged.
  static void TellOfFailure();
  static Cluster& cluster() { return Cluster::Get(); }
  /// A call of the admin API, as curl would send it.
  static HttpResponse Call(size_t machine, const std::string& target);
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_CLUSTER_WORLD_H_
