// A plain HTTP/1.1 client on a raw socket. It is on purpose not the product's
// own: what it reports is what came over the wire, with no retry of its own.
#ifndef SWARMGATE_TEST_SUPPORT_HTTP_CLIENT_H_
#define SWARMGATE_TEST_SUPPORT_HTTP_CLIENT_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace swarmgate::testing {

/// Where a server listens: ip:port or a unix socket, seen from `network` (the
/// path of a network namespace; empty: the caller's).
struct Endpoint {
  std::string ip = "127.0.0.1";
  int port = 0;
  std::string unix_path{};
  std::string network{};
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

/// `status` is 0 when there was no complete answer; `error` then is one of
/// connect, refused, timeout, reset, eof, malformed, send.
struct HttpResponse {
  int status = 0;
  std::string head;
  std::string body;
  std::string error;
  bool closes = false;  // the server said that it closes the connection

  /// The first header of this name (any case); empty when there is none.
  [[nodiscard]] std::string Header(const std::string& name) const;
  /// For the message of a failed test: "200 <body>" or the error.
  [[nodiscard]] std::string Summary() const;
};

/// One connection, used for request after request.
class HttpConnection {
 public:
  HttpConnection(Endpoint endpoint, std::chrono::milliseconds timeout);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] bool open() const { return fd_ >= 0; }
  void Close();
  /// Connects when there is no connection, sends, and reads the whole answer.
  /// The connection stays open when both sides want that.
  HttpResponse Exchange(const HttpRequest& request);

 private:
  std::string Connect();
  std::string ReadMore();
  HttpResponse ReadResponse(bool head_only);
  std::string ReadBody(HttpResponse* response);
  std::string ReadChunks(std::string* body);

  Endpoint endpoint_;
  std::chrono::milliseconds timeout_;
  std::chrono::steady_clock::time_point deadline_;
  int fd_ = -1;
  std::string buffer_;
};

/// One request on a connection of its own.
HttpResponse Fetch(const Endpoint& endpoint, const HttpRequest& request,
                   std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// GET `target`, with a Host header when `host` is not empty.
HttpResponse Get(const Endpoint& endpoint, const std::string& target, const std::string& host = {});

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_HTTP_CLIENT_H_
