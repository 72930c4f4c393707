// The admin API over HTTP: a bounded number of threads, bounded requests, and handlers that are
// functions of the engine's snapshot.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "swarmgate/admin/backend.h"
#include "swarmgate/base/error.h"
#include "swarmgate/ports/replicas.h"

namespace swarmgate::admin {

struct AdminOptions {
  std::string ip = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: any free one
  std::string token;  ///< calls that change something must carry it; empty: none is asked for
  /// Without a token, calls that change something are taken from this machine only, unless this is
  /// set.
  bool allow_remote = false;
  std::string version;
  std::size_t threads = 32;
  std::size_t followers = 6;              ///< streams of events at a time
  Duration write_deadline{15000};         ///< for calls that change something
  Duration request_timeout{10000};        ///< until a request has come in whole
  Duration keep_alive{2000};              ///< an idle connection is closed after this
  std::size_t max_request = 160U << 10U;  ///< bytes, head and body together
};

/// Thread: one owner calls Bind, Start, Stop in this order.
class AdminServer {
 public:
  /// Both outlive the server. `replicas` may be null.
  AdminServer(AdminOptions options, AdminBackend& backend, ports::Replicas* replicas = nullptr);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// Takes the port and returns it. Errors: kConflict when another program has it, kRejected when
  /// it may not be taken.
  Result<std::uint16_t> Bind();
  /// Serves, on threads of its own.
  void Start();
  /// Ends open connections and waits for the threads. May be called without Start.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarmgate::admin
