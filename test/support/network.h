// Network namespaces and ports: where a test's sockets live.
#ifndef SWARMGATE_TEST_SUPPORT_NETWORK_H_
#define SWARMGATE_TEST_SUPPORT_NETWORK_H_

#include <string>

namespace swarmgate::testing {

/// Moves the calling thread into a network namespace for the life of the
/// object. `network` is the path of a namespace (/proc/<pid>/ns/net); an empty
/// one changes nothing. Throws std::runtime_error when that is not allowed.
class ScopedNetwork {
 public:
  explicit ScopedNetwork(const std::string& network);
  ~ScopedNetwork();
  ScopedNetwork(const ScopedNetwork&) = delete;
  ScopedNetwork& operator=(const ScopedNetwork&) = delete;

 private:
  int previous_ = -1;
};

/// A TCP port of 127.0.0.1 (in `network`) that was free a moment ago and that
/// this program has not been given before.
int FreePort(const std::string& network = {});

/// A socket that listens on 127.0.0.1, and its port. The caller closes it.
/// Throws std::runtime_error.
struct LoopbackListener {
  LoopbackListener();
  int fd = -1;
  int port = 0;
};

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_NETWORK_H_
