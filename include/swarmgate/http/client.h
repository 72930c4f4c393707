// HTTP as the adapters need it: one request at a time over a unix socket, TCP or TLS, with a
// deadline, a bound on what is accepted, streaming, and a way to end it from another thread.
// libcurl does the work and is not seen outside of this module.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"

namespace swarmgate::http {

/// Where a server is.
struct Endpoint {
  std::string base_url{};     ///< "http://docker", "https://manager:2376"; no slash at the end
  std::string unix_socket{};  ///< path; empty: TCP to the host of base_url
  std::string ca_file{};      ///< trusts this authority only; empty: the system's
  std::string cert_file{};    ///< client certificate, with key_file
  std::string key_file{};
  bool verify_peer = true;  ///< false: any certificate is taken (encrypted, not authenticated)
  Duration connect_timeout{30000};  ///< for a connection alone; the request's deadline holds too
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, already escaped
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  SteadyTime deadline = SteadyTime::max();  ///< max(): none, for streams that are to stay
  std::size_t max_body = 64U << 20U;        ///< of the response; more is kCorrupt
};

struct Response {
  int status = 0;
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};  ///< names in lower case

  /// The first header of this name (lower case); empty when there is none.
  [[nodiscard]] std::string_view Header(std::string_view name) const;
};

/// What to do with a response as it comes in.
struct StreamHandler {
  std::function<void()> on_open{};  ///< a 2xx head is there; may be empty
  /// A piece of a 2xx body. An error ends the transfer and is what Stream returns.
  std::function<Status(std::string_view)> on_data{};
};

/// Keeps its connection between requests. Environment variables (http_proxy …) and redirects are
/// not followed.
/// Thread: Send and Stream from one thread at a time; Cancel from any.
class Client {
 public:
  explicit Client(Endpoint endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Any HTTP status is a success here. Errors: kUnavailable (no connection, TLS refused, or cut
  /// off), kDeadlineExceeded, kCorrupt (not HTTP, or too large), kCancelled.
  Result<Response> Send(const Request& request);

  /// As Send, but a 2xx body goes to `handler` piece by piece and is not kept; another status
  /// returns with the first 64 KiB of its body. max_body holds only for what is kept.
  Result<Response> Stream(const Request& request, const StreamHandler& handler);

  /// Ends the request under way, and every later one, with kCancelled.
  void Cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A value as it may stand in a query.
[[nodiscard]] std::string EscapeQuery(std::string_view text);

}  // namespace swarmgate::http
