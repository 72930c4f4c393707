// A Docker daemon of the test program's own, with a Swarm, images and services.
//
// It runs in the namespaces that sandbox.cc makes and never sees the machine's
// own daemon. "The host" of this daemon is network(): a process that runs there
// is what a program on a Docker host is. Failures of the set-up throw
// std::runtime_error, which ends the test that asked for it.
#ifndef SWARMGATE_TEST_SUPPORT_DOCKERD_H_
#define SWARMGATE_TEST_SUPPORT_DOCKERD_H_

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/http_client.h"

namespace swarmgate::testing {

class ChildProcess;
class TempDir;

/// The image made of echo_server alone; it exposes 8080.
inline constexpr char kEchoImage[] = "swarmgate/echo:1";
/// The same, exposing 8080 and 8081.
inline constexpr char kTwoPortImage[] = "swarmgate/echo:two";

using Labels = std::map<std::string, std::string>;

struct ServiceOptions {
  std::string name{};
  Labels labels{};
  std::vector<std::string> networks{};
  int replicas = 1;
  std::string image = kEchoImage;
  std::vector<std::string> args{};  // of echo_server
  std::vector<std::string> env{};   // NAME=value
  bool health_check = false;
  /// Of a rolling update: start-first or stop-first, one task at a time.
  std::string update_order = "start-first";
  /// Any change of it makes an update replace every task.
  int force_update = 0;
  std::string endpoint_mode = "vip";
};

struct ContainerOptions {
  std::string name{};
  Labels labels{};
  std::string network{};
  std::string image = kEchoImage;
  std::vector<std::string> args{};
  std::vector<std::string> env{};
};

struct Task {
  std::string id;
  std::string state;
  std::string desired;
  std::string container;  // empty until there is one
  std::vector<std::string> addresses;
};

class Dockerd {
 public:
  /// Starts the daemon and imports the images. `host_name`: of its machine; empty: the real one's.
  explicit Dockerd(std::string host_name = {});
  ~Dockerd();
  Dockerd(const Dockerd&) = delete;
  Dockerd& operator=(const Dockerd&) = delete;

  /// Why it cannot run here; empty when it can.
  static std::string WhyNot();

  [[nodiscard]] std::string socket() const;
  /// The network namespace of this daemon's host, for ChildOptions and Endpoint.
  [[nodiscard]] std::string network() const;
  /// Process 1 of that host.
  [[nodiscard]] pid_t init() const { return init_; }
  /// The network namespace of a running container.
  std::string NetworkOf(const std::string& container);

  /// An API call; `path` begins after the version ("/services"). Throws when
  /// the answer is not 2xx and `status` is null.
  std::string Call(const std::string& method, const std::string& path, const std::string& json = {},
                   int* status = nullptr);

  /// Makes `tag` of the files in a tar archive; `changes` are lines of a Dockerfile.
  void ImportArchive(const std::string& archive, const std::string& tag,
                     const std::vector<std::string>& changes);

  void SwarmInit(const std::string& address = "127.0.0.1");
  /// Joins, as another manager, the swarm of which `manager` is one.
  void SwarmJoin(const std::string& address, Dockerd* manager, const std::string& manager_address);
  /// An attachable overlay network.
  void CreateOverlay(const std::string& name);
  void CreateBridge(const std::string& name);

  /// Returns the service's id.
  std::string CreateService(const ServiceOptions& options);
  /// Replaces the whole specification of the service of this name.
  void UpdateService(const ServiceOptions& options);
  /// False when there was none.
  bool RemoveService(const std::string& name);
  std::vector<Task> Tasks(const std::string& service);
  /// Waits until exactly so many tasks run and no other is wanted or still
  /// ends, and returns them. Throws after `limit`.
  std::vector<Task> WaitRunning(const std::string& service, size_t count,
                                std::chrono::milliseconds limit = std::chrono::seconds(60));

  /// Creates and starts; returns the id.
  std::string RunContainer(const ContainerOptions& options);
  void StopContainer(const std::string& container);
  void RemoveContainer(const std::string& container);
  /// The address on `network`.
  std::string AddressOf(const std::string& container, const std::string& network);

  /// Removes all services and containers but those whose name begins with
  /// `keep`, and waits until they are gone.
  void RemoveEverything(const std::string& keep);

  void StopDaemon();
  void KillDaemon();
  void StartDaemon();
  /// It takes connections and answers nothing, until ResumeDaemon().
  void PauseDaemon();
  void ResumeDaemon();
  /// The end of everything at once, as when the machine's plug is pulled. Its disk stays.
  void PowerOff();
  /// A machine with that disk and no network yet; StartDaemon() comes next.
  void PowerOn();

 private:
  void ImportImage(const std::string& tag, const std::string& ports_option);
  void WaitDaemonEnded();
  [[nodiscard]] std::string Log() const;

  std::string host_name_;
  std::string control_group_;
  std::unique_ptr<TempDir> dir_;
  std::unique_ptr<ChildProcess> sandbox_;
  pid_t init_ = 0;
  size_t ended_seen_ = 0;
};

/// A container that does nothing but hold a place in an overlay network: a
/// process in its network namespace reaches what a proxy's own task would.
class Anchor {
 public:
  Anchor(Dockerd* docker, const std::string& name, const std::vector<std::string>& networks);
  ~Anchor();
  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  /// Path of the network namespace.
  [[nodiscard]] const std::string& network() const { return network_; }

 private:
  Dockerd* docker_;
  std::string id_;
  std::string network_;
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_DOCKERD_H_
