// The wire between the machines of a test: a network namespace with a bridge in it.
//
// Nothing of it is seen by the machine that the tests run on, whose own bridges and firewall are
// left alone. Failures of the set-up throw std::runtime_error.
#ifndef SWARMGATE_TEST_CLUSTER_HUB_H_
#define SWARMGATE_TEST_CLUSTER_HUB_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "support/child_process.h"

namespace swarmgate::testing {

class Hub {
 public:
  /// Why there can be none here; empty when there can.
  static std::string WhyNot();

  Hub();

  /// Its namespace: the place of clients, and of servers on addresses of AddAddress.
  [[nodiscard]] std::string network() const;
  /// 10.99.0.<last>, an address of the hub itself.
  std::string AddAddress(int last);
  /// Plugs in the machine whose process 1 this is, as 10.99.0.<last>. Once for each time that it is
  /// switched on.
  std::string Attach(const std::string& machine, pid_t init, int last);
  /// Pulls the machine's cable, or puts it back.
  void SetLink(const std::string& machine, bool up);

 private:
  std::unique_ptr<ChildProcess> holder_;
};

/// Runs a program in a network namespace; throws with what it printed when it fails.
std::string RunIn(const std::string& network, std::vector<std::string> argv);

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_CLUSTER_HUB_H_
