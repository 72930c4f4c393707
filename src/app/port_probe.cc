#include "app/port_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace swarmgate::app {

bool PortIsFree(const std::string& address, std::uint16_t port) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  const sockaddr* place = reinterpret_cast<const sockaddr*>(&v4);
  socklen_t size = sizeof v4;
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    place = reinterpret_cast<const sockaddr*>(&v6);
    size = sizeof v6;
  } else if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) != 1) {
    v4.sin_addr.s_addr = htonl(INADDR_ANY);
  }
  const int fd = socket(place->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  // As HAProxy does: connections that linger are no obstacle, listeners are.
  const int on = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool taken = bind(fd, place, size) != 0 && (errno == EADDRINUSE || errno == EACCES);
  close(fd);
  return !taken;
}

}  // namespace swarmgate::app
