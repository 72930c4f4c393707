#include "support/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace swarmgate::testing {

ScopedNetwork::ScopedNetwork(const std::string& network) {
  if (network.empty()) return;
  previous_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  const int target = open(network.c_str(), O_RDONLY | O_CLOEXEC);
  const int result = target < 0 ? -1 : setns(target, CLONE_NEWNET);
  const int error = errno;
  if (target >= 0) close(target);
  if (result != 0) {
    close(previous_);
    throw std::system_error(error, std::generic_category(), "cannot enter " + network);
  }
}

ScopedNetwork::~ScopedNetwork() {
  if (previous_ < 0) return;
  setns(previous_, CLONE_NEWNET);
  close(previous_);
}

int FreePort(const std::string& network) {
  static std::mutex mutex;
  static std::set<std::pair<std::string, int>> given;
  const ScopedNetwork scope(network);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                       getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    close(fd);
    if (!bound) continue;
    const int port = ntohs(address.sin_port);
    const std::lock_guard<std::mutex> lock(mutex);
    if (given.emplace(network, port).second) return port;
  }
  throw std::runtime_error("no free port on 127.0.0.1");
}

LoopbackListener::LoopbackListener() : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, size) != 0 || listen(fd, 16) != 0 || getsockname(fd, generic, &size) != 0) {
    close(fd);
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
}

}  // namespace swarmgate::testing
