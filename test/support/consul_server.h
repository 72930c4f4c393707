// A real Consul server of a test's own, on ports from the kernel and with its data in the test's
// folder.
#ifndef SWARMGATE_TEST_SUPPORT_CONSUL_SERVER_H_
#define SWARMGATE_TEST_SUPPORT_CONSUL_SERVER_H_

#include <memory>
#include <string>

#include "support/child_process.h"
#include "support/http_client.h"
#include "support/test_root.h"

namespace swarmgate::testing {

class ConsulServer {
 public:
  /// Empty when a server can be started here; else why not.
  static std::string WhyNot();
  /// The program: $SWARMGATE_CONSUL, the system's, or where scripts/deps puts it; empty: none.
  static std::string Binary();
  /// The server of this test program, started when it is first asked for. Tests that share it use
  /// prefixes of their own.
  static ConsulServer& Shared();

  /// Starts it, and waits until it has a leader. Throws std::runtime_error.
  /// `configuration`: more of it, in HCL.
  explicit ConsulServer(std::string configuration = {});
  ConsulServer(const ConsulServer&) = delete;
  ConsulServer& operator=(const ConsulServer&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(http_port_); }
  [[nodiscard]] std::string url() const { return "http://" + address(); }
  [[nodiscard]] Endpoint endpoint() const { return {.port = http_port_}; }

  /// SIGKILL. What it has acknowledged is on the disk.
  void Kill() { process_->Kill(); }
  /// Starts it again, on what is on the disk.
  void Start();
  /// As Start, with nothing on the disk.
  void StartEmpty();
  /// It takes connections and answers nothing (SIGSTOP), until Resume.
  void Pause();
  void Resume();

  // What a foreign hand would do to keys; `true` when Consul took it.
  bool PutKey(const std::string& key, const std::string& value) const;
  bool DeleteKey(const std::string& key) const;
  /// The raw value; empty when there is none.
  [[nodiscard]] std::string Key(const std::string& key) const;

 private:
  std::string configuration_;
  int http_port_;
  int rpc_port_;
  int lan_port_;
  int wan_port_;
  std::unique_ptr<TempDir> data_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_CONSUL_SERVER_H_
