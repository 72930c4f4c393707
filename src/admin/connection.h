// The HTTP library's server with our own bounds: bytes and time per request, threads, connections
// that wait. The library has none for the number of header lines or for a client that sends one
// byte a second.
#pragma once

#include <httplib.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "swarmgate/base/clock.h"

namespace swarmgate::admin {

struct ConnectionLimits {
  std::size_t threads = 16;
  std::size_t waiting = 256;  ///< connections that wait for a thread; further ones are closed
  std::size_t max_request = 160U << 10U;
  Duration request_timeout{10000};
  Duration write_timeout{5000};
  Duration keep_alive{2000};
  int keep_alive_requests = 1000;
};

class BoundedServer final : public httplib::Server {
 public:
  explicit BoundedServer(ConnectionLimits limits);
  ~BoundedServer() override;

  /// A backlog that stands a burst; the library asks for five. REQUIRES: bound.
  void WidenBacklog();
  /// Ends what is open. Thread: any.
  void Interrupt();
  [[nodiscard]] bool stopping() const { return stopping_.load(); }

  /// Called by a handler: the connection is not used again (its request had a body that nobody
  /// read).
  static void CloseAfterThisRequest();

 private:
  bool process_and_close_socket(socket_t socket) override;
  template <typename AnyStream>
  bool ProcessOne(AnyStream& stream, bool last, bool& closed);

  const ConnectionLimits limits_;
  std::atomic<bool> stopping_{false};
  int stop_event_ = -1;  ///< becomes readable, for every poll, when we stop
};

}  // namespace swarmgate::admin
