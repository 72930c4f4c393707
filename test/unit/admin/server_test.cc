// The server on a port of its own, spoken to byte by byte.
#include "swarmgate/admin/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "swarmgate/base/log.h"
#include "unit/admin/fake_backend.h"

namespace swarmgate::admin {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A TCP connection to this machine.
class Connection {
 public:
  explicit Connection(std::uint16_t port)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void Send(const std::string& text) {
    (void)send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// What comes until the peer closes, or `until` has come, or the time is over.
  std::string Read(const std::string& until = {}, milliseconds limit = seconds(5)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (until.empty() || text_.find(until) == std::string::npos) {
      const auto left =
          std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd watched{socket_, POLLIN, 0};
      if (left.count() <= 0 || poll(&watched, 1, static_cast<int>(left.count())) <= 0)
        return text_ + "<timeout>";
      std::array<char, 4096> buffer{};
      const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
      if (size <= 0) break;
      text_.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text_;
  }

 private:
  int socket_;
  bool connected_ = false;
  std::string text_;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    backend_.snapshot = SampleSnapshot();
    options_.port = 0;
    options_.version = "1.2.3";
    options_.keep_alive = Duration(100);
  }
  void Start() {
    server_ = std::make_unique<AdminServer>(options_, backend_);
    const auto port = server_->Bind();
    ASSERT_TRUE(port) << port.error().message;
    port_ = *port;
    server_->Start();
  }
  std::string Exchange(const std::string& text) {
    Connection connection(port_);
    connection.Send(text);
    return connection.Read();
  }
  static std::string Get(const std::string& target, const std::string& more = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more +
           "\r\n";
  }

  FakeBackend backend_;
  AdminOptions options_;
  std::unique_ptr<AdminServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(ServerTest, AnswersEveryMethodWithJson) {
  Start();
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const std::string answer =
        Exchange(std::string(method) +
                 " /v1/proxy/reconfigure?serviceName=web&servicePath=%2Fa+b HTTP/1.1\r\n"
                 "Host: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_NE(answer.find("200 OK"), std::string::npos) << method << ": " << answer;
    EXPECT_NE(answer.find("Content-Type: application/json"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\"Status\":\"OK\""), std::string::npos) << answer;
    ASSERT_FALSE(backend_.calls.empty()) << method;
    EXPECT_EQ(backend_.calls.back().second.at("servicePath"), "/a b");
  }
  EXPECT_EQ(backend_.calls.size(), 6U);
}

TEST_F(ServerTest, BodiesAreReadAndIgnored) {
  Start();
  const std::string body = "serviceName=other";
  const std::string answer = Exchange(
      "POST /v1/proxy/remove?serviceName=web HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
  EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
  EXPECT_EQ(backend_.calls.at(0).second.at("serviceName"), "web");
}

TEST_F(ServerTest, APemIsTakenAsCurlSendsItAlsoAboveTheLimitOfForms) {
  Start();
  const std::string body = "-----BEGIN a+b%41&x=y\n" + std::string(20'000, 'p');
  const std::string answer = Exchange(
      "PUT /v1/docker-flow-proxy/cert?certName=a.pem HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
  EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
  ASSERT_EQ(backend_.calls.size(), 1U);
  EXPECT_EQ(backend_.calls[0].second.at("pem"), body);
}

TEST_F(ServerTest, BodyOfAGetIsNotTakenForTheNextRequest) {
  Start();
  const std::string hidden =
      "GET /v1/proxy/remove?serviceName=web HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answer =
      Exchange("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
               std::to_string(hidden.size()) + "\r\n\r\n" + hidden);
  EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
  EXPECT_TRUE(backend_.calls.empty());
}

TEST_F(ServerTest, ManyRequestsShareAConnection) {
  Start();
  Connection connection(port_);
  for (int i = 0; i < 20; ++i) {
    connection.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  connection.Send(Get("/v1/status"));
  const std::string answers = connection.Read();
  std::size_t count = 0;
  for (auto at = answers.find("200 OK"); at != std::string::npos;
       at = answers.find("200 OK", at + 1))
    ++count;
  EXPECT_EQ(count, 21U) << answers.substr(0, 500);
}

TEST_F(ServerTest, OversizedRequestsAreRefused) {
  options_.max_request = 32768;
  Start();
  EXPECT_NE(Exchange(Get("/" + std::string(2000, 'a'))).find(" 414 "), std::string::npos);
  EXPECT_NE(Exchange(Get("/v1/status?" + std::string(9000, 'a'))).find(" 414 "), std::string::npos);
  EXPECT_NE(
      Exchange(
          "POST /v1/proxy/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")
          .find(" 413 "),
      std::string::npos);
  // Headers without end: the connection is closed once the request is too long, and nobody is
  // called.
  Connection connection(port_);
  connection.Send("GET /v1/proxy/reload HTTP/1.1\r\n");
  for (int i = 0; i < 2000; ++i)
    connection.Send("X-" + std::to_string(i) + ": " + std::string(50, 'x') + "\r\n");
  EXPECT_EQ(connection.Read().find("200 OK"), std::string::npos);
  EXPECT_TRUE(backend_.calls.empty());
  EXPECT_NE(Exchange(Get("/healthz")).find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, SlowRequestsAreCutOff) {
  options_.request_timeout = Duration(150);
  Start();
  Connection connection(port_);
  connection.Send("GET /healthz HTTP/1.1\r\nHost: loc");
  const std::string answer = connection.Read();
  EXPECT_EQ(answer.find("<timeout>"), std::string::npos) << "the server closes";
  EXPECT_EQ(answer.find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, GarbageIsAnsweredOrClosedAndHarmsNobody) {
  Start();
  for (const std::string& garbage :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"), std::string(5000, '\xff'),
        std::string("GET / HTTP/9.9\r\n\r\n"), std::string("FOO / HTTP/1.1\r\n\r\n"),
        std::string("GET /%zz%00%ff HTTP/1.1\r\nConnection: close\r\n\r\n"),
        std::string("\0\0\0\r\n\r\n", 7),
        std::string("POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    Connection connection(port_);
    connection.Send(garbage);
    (void)connection.Read({}, milliseconds(100));
  }
  EXPECT_NE(Exchange(Get("/healthz")).find("200 OK"), std::string::npos);
  EXPECT_TRUE(backend_.calls.empty());
}

TEST_F(ServerTest, EventsAreStreamedAndTheirNumberIsBounded) {
  options_.followers = 1;
  Start();
  Connection follower(port_);
  follower.Send("GET /v1/events?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_NE(follower.Read("chunked").find("200 OK"), std::string::npos);
  LogEvent(LogLevel::kInfo, "STREAMED_EVENT", "seen by a follower");
  EXPECT_NE(follower.Read("STREAMED_EVENT").find("STREAMED_EVENT"), std::string::npos);
  EXPECT_NE(Exchange(Get("/v1/events?follow=true")).find(" 503 "), std::string::npos);
  const auto begin = std::chrono::steady_clock::now();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3))
      << "a stream does not hold up the end";
}

TEST_F(ServerTest, TokenAndCrossSiteRulesHoldOnTheWire) {
  options_.token = "open-sesame";
  Start();
  EXPECT_NE(Exchange(Get("/v1/proxy/reload")).find(" 401 "), std::string::npos);
  EXPECT_NE(
      Exchange(Get("/v1/proxy/reload", "Authorization: Bearer open-sesame\r\n")).find("200 OK"),
      std::string::npos);
  EXPECT_NE(Exchange(Get("/v1/proxy/reload",
                         "Authorization: Bearer open-sesame\r\nSec-Fetch-Site: cross-site\r\n"))
                .find(" 403 "),
            std::string::npos);
  EXPECT_EQ(backend_.calls.size(), 1U);
}

TEST_F(ServerTest, PortThatIsTakenIsNotShared) {
  Start();
  AdminOptions second = options_;
  second.port = port_;
  AdminServer other(second, backend_);
  const auto bound = other.Bind();
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, Code::kConflict) << bound.error().message;
}

TEST_F(ServerTest, BurstsOfConnectionsAreServed) {
  options_.threads = 2;
  Start();
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 64; ++i) {
    connections.push_back(std::make_unique<Connection>(port_));
    connections.back()->Send(Get("/healthz"));
  }
  for (const auto& connection : connections) {
    EXPECT_NE(connection->Read().find("200 OK"), std::string::npos);
  }
}

TEST_F(ServerTest, StopsWithoutEverHavingStarted) {
  AdminServer idle(options_, backend_);
  ASSERT_TRUE(idle.Bind());
  idle.Stop();
}

}  // namespace
}  // namespace swarmgate::admin
