// What is more than one request and one answer passes through the real HAProxy unharmed: web
// sockets, server-sent events, HTTP/2 without TLS, long uploads.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "contract/proxy_traffic.h"
#include "support/raw_exchange.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::testing {
namespace {

/// A server that says `script` to each connection once its request is complete, piece by piece; a
/// piece is sent when Allow() was called once more. At the end, with `echo`, every byte comes back.
class PiecewiseServer {
 public:
  explicit PiecewiseServer(std::vector<std::string> pieces, bool echo = false)
      : pieces_(std::move(pieces)),
        echo_(echo),
        fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(fd_, generic, size) != 0 || listen(fd_, 16) != 0 ||
        getsockname(fd_, generic, &size) != 0) {
      ADD_FAILURE() << "no port to listen on";
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~PiecewiseServer() {
    allowed_ = 1000;
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  PiecewiseServer(const PiecewiseServer&) = delete;
  PiecewiseServer& operator=(const PiecewiseServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void Allow() { ++allowed_; }

 private:
  void Run() {
    const int client = accept(fd_, nullptr, nullptr);
    if (client < 0) return;
    std::string request;
    std::array<char, 4096> buffer{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      while (allowed_ <= i) std::this_thread::yield();
      if (send(client, pieces_[i].data(), pieces_[i].size(), MSG_NOSIGNAL) < 0) break;
    }
    for (ssize_t got = 1; echo_ && got > 0;) {
      got = recv(client, buffer.data(), buffer.size(), 0);
      if (got > 0) (void)send(client, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    }
    close(client);
  }

  std::vector<std::string> pieces_;
  bool echo_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> allowed_{0};
  std::thread thread_;
};

class ProtocolsTest : public ProxyTrafficTest {
 protected:
  void ServeOn(std::uint16_t port, model::BackendKind kind, model::ServerOptions options = {}) {
    model::Desired desired;
    desired.backends.push_back(MakeBackend(0, kind));
    desired.backends[0].servers[0].port = port;
    desired.backends[0].servers[0].options = options;
    Route(desired, "/", desired.backends[0]);
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
  }
};

TEST_F(ProtocolsTest, AWebSocketCarriesBytesBothWays) {
  for (const auto kind : {model::BackendKind::kPlain, model::BackendKind::kRich}) {
    // HAProxy holds the answer to the key against it.
    PiecewiseServer server({"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                            "Upgrade: websocket\r\n"
                            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"},
                           true);
    server.Allow();
    ASSERT_NO_FATAL_FAILURE(ServeOn(server.port(), kind));
    RawConnection connection(Proxy());
    ASSERT_TRUE(connection.Send(
        "GET /ws HTTP/1.1\r\nHost: a.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    ASSERT_EQ(connection.ReadUntil("\r\n\r\n").rfind("HTTP/1.1 101", 0), 0U)
        << connection.ReadUntil("\r\n\r\n");
    std::string binary("\x81\x05hello\0\xff\x00\x01", 11);
    for (int i = 0; i < 12; ++i) binary += binary.substr(0, 4000);
    ASSERT_TRUE(connection.Send(binary));
    EXPECT_NE(connection.ReadUntil(binary).find(binary), std::string::npos);
  }
}

TEST_F(ProtocolsTest, ServerSentEventsArriveOneByOneAndAreNotHeldBack) {
  PiecewiseServer server(
      {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
       "Cache-Control: no-cache\r\n\r\n",
       "data: one\n\n", "data: two\n\n"});
  ASSERT_NO_FATAL_FAILURE(ServeOn(server.port(), model::BackendKind::kPlain));
  RawConnection connection(Proxy());
  ASSERT_TRUE(connection.Send("GET /events HTTP/1.1\r\nHost: a.com\r\n\r\n"));
  server.Allow();
  EXPECT_NE(connection.ReadUntil("\r\n\r\n").find("text/event-stream"), std::string::npos);
  for (const char* word : {"data: one", "data: two"}) {
    EXPECT_EQ(connection.ReadUntil("\r\n\r\n").find(word), std::string::npos) << "too early";
    server.Allow();
    EXPECT_NE(connection.ReadUntil(word).find(word), std::string::npos) << word;
  }
}

TEST_F(ProtocolsTest, ALongUploadArrivesWhole) {
  ASSERT_NO_FATAL_FAILURE(ServeOn(ports_[0], model::BackendKind::kPlain));
  HttpRequest request;
  request.method = "POST";
  request.target = "/upload";
  request.body = std::string(24 << 20, 'x');
  const HttpResponse response = Fetch(Proxy(), request, std::chrono::seconds(60));
  EXPECT_EQ(response.status, 200) << response.Summary();
}

TEST_F(ProtocolsTest, AnUploadInChunksThatPausesIsNotCut) {
  ASSERT_NO_FATAL_FAILURE(ServeOn(ports_[0], model::BackendKind::kRich));
  RawConnection connection(Proxy());
  ASSERT_TRUE(
      connection.Send("POST /upload HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: chunked\r\n"
                      "Connection: close\r\n\r\n"));
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(connection.Send("3e8\r\n" + std::string(1000, 'c') + "\r\n"));
  ASSERT_TRUE(connection.Send("0\r\n\r\n"));
  EXPECT_EQ(connection.ReadUntil("\r\n\r\n").rfind("HTTP/1.1 200", 0), 0U);
}

/// The calls of gRPC are HTTP/2 POSTs whose answer ends with trailers.
TEST_F(ProtocolsTest, Http2WithoutTlsIsUnderstoodAtTheDoor) {
  ASSERT_NO_FATAL_FAILURE(ServeOn(ports_[0], model::BackendKind::kPlain));
  const std::string url = "http://127.0.0.1:" + std::to_string(haproxy_.port()) + "/headers";
  ChildOptions options;
  options.argv = {"curl",
                  "-sS",
                  "--http2-prior-knowledge",
                  "-X",
                  "POST",
                  "-H",
                  "Content-Type: application/grpc",
                  "-H",
                  "TE: trailers",
                  "--data-binary",
                  "payload",
                  "-w",
                  " version=%{http_version} code=%{http_code}",
                  url};
  const CommandResult result = RunCommand(options, std::chrono::seconds(20));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("version=2 code=200"), std::string::npos) << result.output;
  EXPECT_NE(ToLower(result.output).find("te: trailers"), std::string::npos) << result.output;
}

TEST_F(ProtocolsTest, TrailersOfAnAnswerReachTheClient) {
  PiecewiseServer server(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n"
       "5\r\nhello\r\n",
       "0\r\ngrpc-status: 0\r\n\r\n"});
  ASSERT_NO_FATAL_FAILURE(ServeOn(server.port(), model::BackendKind::kPlain));
  server.Allow();
  server.Allow();
  RawConnection connection(Proxy());
  ASSERT_TRUE(connection.Send("GET / HTTP/1.1\r\nHost: a.com\r\nTE: trailers\r\n\r\n"));
  EXPECT_NE(ToLower(connection.ReadUntil("grpc-status: 0")).find("grpc-status: 0"),
            std::string::npos);
}

}  // namespace
}  // namespace swarmgate::testing
