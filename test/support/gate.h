// Swarmgate itself, as a process: the program under test of the end-to-end suite and of the
// benchmarks.
#ifndef SWARMGATE_TEST_SUPPORT_GATE_H_
#define SWARMGATE_TEST_SUPPORT_GATE_H_

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/child_process.h"
#include "support/http_client.h"
#include "support/test_root.h"

namespace swarmgate::testing {

struct GateOptions {
  /// Network namespace to run in; empty: the machine's.
  std::string network{};
  /// The Docker socket's path; empty: no daemon.
  std::string docker_socket{};
  /// The container whose networks count as our own; empty: none, a process of the host.
  std::string own_container{};
  /// Added to the environment, or replacing what Gate sets by itself.
  std::map<std::string, std::string> environment{};
};

/// One instance with a DATA_DIR and ports of its own, which outlive restarts. Nothing of it is left
/// when the object ends.
class Gate {
 public:
  /// Does not start it.
  explicit Gate(GateOptions options);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// `swarmgate run`, and waits until /readyz says 200. Throws std::runtime_error with the log's
  /// end when it does not within half a minute.
  void Start();
  /// The same, and waits for nothing: of one that is not to become ready.
  void Launch();
  /// Another environment for the next Start().
  GateOptions& options() { return options_; }
  /// SIGTERM; the exit code.
  int Stop();

  [[nodiscard]] Endpoint web() const;
  [[nodiscard]] Endpoint admin() const;
  [[nodiscard]] const std::string& data_dir() const { return data_dir_.path(); }
  ChildProcess& process() { return *process_; }
  /// What it printed since its last start.
  [[nodiscard]] std::string Log() const;

  /// A request through the proxy.
  [[nodiscard]] HttpResponse Web(const std::string& target, const std::string& host = {}) const;
  /// An admin call.
  HttpResponse Admin(const std::string& target, const std::string& method = "GET") const;
  /// Waits for this status of a request through the proxy; false after `limit`.
  [[nodiscard]] bool WaitStatus(int status, const std::string& target, const std::string& host = {},
                                std::chrono::milliseconds limit = std::chrono::seconds(15)) const;
  /// Waits until exactly so many different servers have answered in a row of requests.
  [[nodiscard]] bool WaitServers(size_t count, const std::string& target,
                                 const std::string& host = {},
                                 std::chrono::milliseconds limit = std::chrono::seconds(15)) const;
  /// Waits until what /v1/services/<name> says contains `text`.
  [[nodiscard]] bool WaitServiceSays(
      const std::string& service, const std::string& text,
      std::chrono::milliseconds limit = std::chrono::seconds(15)) const;
  /// What the API says about one service.
  [[nodiscard]] std::string ServiceText(const std::string& service) const;
  /// `swarmgate <arguments>` against this instance.
  [[nodiscard]] CommandResult Cli(std::vector<std::string> arguments) const;

  /// Reloads of HAProxy since the controller's start, without the first start.
  [[nodiscard]] int Reloads() const;

  [[nodiscard]] pid_t controller() const;
  /// HAProxy's master; 0 when there is none.
  [[nodiscard]] pid_t haproxy_master() const;
  /// The youngest worker of the master; 0 when there is none.
  [[nodiscard]] pid_t haproxy_worker() const;
  /// SIGKILL to every process of this instance at about one time.
  void KillEverything();

 private:
  GateOptions options_;
  TempDir data_dir_;
  int web_port_;
  int admin_port_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_GATE_H_
