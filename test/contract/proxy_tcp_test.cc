// Services that do not speak HTTP, through the real HAProxy: plain connections, TLS told apart by
// name, groups; which change costs a reload, and which does not.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "contract/label_traffic.h"
#include "support/certificates.h"
#include "support/raw_exchange.h"

namespace swarmgate::testing {
namespace {

class ProxyTcpTest : public LabelTrafficTest {
 protected:
  /// A TLS handshake's first message that asks for `name`, by hand: all that is looked at.
  static std::string Hello(const std::string& name) {
    const auto number = [](std::size_t value, int bytes) {
      std::string text;
      while (bytes-- > 0) text += static_cast<char>((value >> (8 * bytes)) & 0xff);
      return text;
    };
    const auto counted = [&](const std::string& text, int bytes) {
      return number(text.size(), bytes) + text;
    };
    const std::string sni = number(0, 2) + counted(counted(number(0, 1) + counted(name, 2), 2), 2);
    const std::string body = std::string("\x03\x03", 2) + std::string(32, 'r') + number(0, 1) +
                             counted(std::string("\x13\x01", 2), 2) +
                             counted(std::string("\0", 1), 1) + counted(sni, 2);
    return std::string("\x16\x03\x01", 3) + counted(number(1, 1) + counted(body, 3), 2);
  }
  /// Sends bytes and reads until the end; a web server answers TLS with 400 or closes.
  static std::string Exchange(std::uint16_t port, const std::string& bytes) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{8, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string answer;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0 &&
        send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size())) {
      char buffer[4096];
      for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(n));
      }
    }
    close(fd);
    return answer;
  }
};

/// Takes one connection after another and answers with its name.
class NamedServer {
 public:
  explicit NamedServer(std::string name, bool speaks_first = false)
      : name_(std::move(name)), speaks_first_(speaks_first) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&place), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &size) != 0) {
      ADD_FAILURE() << "cannot listen";
    }
    port_ = ntohs(place.sin_port);
    thread_ = std::thread([this] {
      for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; close(fd)) {
        char buffer[4096];
        if (speaks_first_ || recv(fd, buffer, sizeof buffer, 0) > 0) {
          (void)send(fd, name_.data(), name_.size(), MSG_NOSIGNAL);
        }
      }
    });
  }
  ~NamedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  std::string name_;
  bool speaks_first_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(ProxyTcpTest, OnlyANewPortCostsAReload) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  const auto service = [&](const std::string& name, int n) {
    return Parsed(name, {{"reqMode", "tcp"},
                         {"srcPort", std::to_string(port)},
                         {"port", Upstream(n)},
                         {"timeoutTunnel", "30"},
                         {"clitcpka", "true"}});
  };
  const auto web = Parsed("web", {{"servicePath", "/"}, {"port", Upstream(2)}});
  EXPECT_EQ(Change({web}), "start");
  EXPECT_EQ(Change({web, service("redis", 0)}), "tcp port " + std::to_string(port) + " comes");
  EXPECT_EQ(Who(port), 0);
  EXPECT_EQ(Who(haproxy_.port()), 2);
  // Another task, another service: the listener stays.
  EXPECT_EQ(Change({web, service("redis", 1)}), "");
  EXPECT_EQ(Who(port), 1);
  EXPECT_EQ(Change({web, service("other", 3)}), "");
  EXPECT_EQ(Who(port), 3);
  EXPECT_EQ(Change({web}), "tcp port " + std::to_string(port) + " goes");
  EXPECT_EQ(Who(port), -1);
  EXPECT_EQ(Who(haproxy_.port()), 2);
}

TEST_F(ProxyTcpTest, AGroupHasTheTasksOfAllItsServices) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  const auto member = [&](const std::string& name, int n) {
    return Parsed(name, {{"reqMode", "tcp"},
                         {"srcPort", std::to_string(port)},
                         {"port", Upstream(n)},
                         {"serviceGroup", "db"},
                         {"balanceGroup", "leastconn"},
                         {"checkTcp", "true"}});
  };
  EXPECT_EQ(Change({member("a", 0), member("b", 1)}), "start");
  std::set<int> seen;
  for (int i = 0; i < 20; ++i) seen.insert(Who(port));
  EXPECT_EQ(seen, (std::set<int>{0, 1}));
  EXPECT_EQ(Change({member("a", 0)}), "");
  EXPECT_EQ(Who(port), 0);
  EXPECT_EQ(Change({member("a", 0), member("b", 1), member("c", 2)}), "");
  seen.clear();
  for (int i = 0; i < 40; ++i) seen.insert(Who(port));
  EXPECT_EQ(seen, (std::set<int>{0, 1, 2}));
}

TEST_F(ProxyTcpTest, TlsIsEndedWhereTheServiceWantsItPlain) {
  if (!HaveProgram("openssl")) GTEST_SKIP() << "no openssl on this machine";
  const auto port = static_cast<std::uint16_t>(FreePort());
  NamedServer plain("plain bytes");
  pem_ = MakeCertificate({.names = {"a.com"}}).pem();
  haproxy_.settings().binds.push_back(
      {.address = "127.0.0.1", .port = static_cast<std::uint16_t>(FreePort()), .tls = true});
  EXPECT_EQ(Change({Parsed("db", {{"reqMode", "tcp"},
                                  {"srcPort", std::to_string(port)},
                                  {"port", plain.port()},
                                  {"srcTls", "true"}})}),
            "start");
  const std::string client =
      "(echo hello; sleep 5) | openssl s_client -quiet -servername a.com -connect 127.0.0.1:" +
      std::to_string(port) + " 2>&1";
  const std::string seen =
      RunCommand({{"sh", "-c", client}, {}, "", "", "", false}, std::chrono::seconds(20)).output;
  EXPECT_NE(seen.find("plain bytes"), std::string::npos) << seen;
  // As OpenSSL 3.0 writes it, or as later ones do.
  EXPECT_TRUE(seen.find("CN = a.com") != std::string::npos ||
              seen.find("CN=a.com") != std::string::npos)
      << seen;
  EXPECT_EQ(Exchange(port, "hello"), "") << "whoever speaks no TLS gets nothing";
}

TEST_F(ProxyTcpTest, OnlyWhoMayConnectReachesTheService) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  const auto service = [&](const std::string& label, const std::string& value) {
    Labels labels = {{"reqMode", "tcp"}, {"srcPort", std::to_string(port)}, {"port", Upstream(0)}};
    if (!label.empty()) labels[label] = value;
    return Parsed("db", std::move(labels));
  };
  EXPECT_EQ(Change({service("", "")}), "start");
  EXPECT_EQ(Who(port), 0);
  const std::vector<std::tuple<std::string, std::string, bool>> cases = {
      {"allowFrom", "127.0.0.0/8", true},
      {"allowFrom", "10.0.0.0/8", false},
      {"denyFrom", "127.0.0.1", false},
      {"denyFrom", "10.0.0.0/8", true},
      {"aclCondition", "{ src 127.0.0.1 }", true},
      {"aclCondition", "{ src 10.0.0.1 }", false}};
  for (const auto& [label, value, open] : cases) {
    (void)Change({service(label, value)});
    // The worker before it may take connections for a moment.
    EXPECT_TRUE(WaitUntil([&, open = open] { return (Who(port) == 0) == open; }))
        << label << "=" << value;
  }
}

TEST_F(ProxyTcpTest, ALoadBalancerSaysWhoConnects) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  NamedServer server("hello");
  haproxy_.settings().extras.proxy_protocol_from = {"127.0.0.0/8"};
  EXPECT_EQ(Change({Parsed("db", {{"reqMode", "tcp"},
                                  {"srcPort", std::to_string(port)},
                                  {"port", server.port()},
                                  {"allowFrom", "192.0.2.1"}})}),
            "start");
  EXPECT_EQ(Exchange(port, "PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\nhi"), "hello");
  EXPECT_EQ(Exchange(port, "PROXY TCP4 192.0.2.2 192.0.2.9 1 2\r\nhi"), "");
  EXPECT_EQ(Exchange(port, "hi"), "");
}

TEST_F(ProxyTcpTest, OnlyTheTimeoutOfTunnelsEndsASilentConnection) {
  using std::chrono::milliseconds;
  const int tunnel = FreePort();
  const int others = FreePort();
  const auto service = [&](const std::string& name, int port) {
    return Parsed(name, {{"reqMode", "tcp"},
                         {"srcPort", std::to_string(port)},
                         {"port", Upstream(0)},
                         {"timeoutTunnel", "300ms"}});
  };
  routing::ServiceInput kept = service("kept", others);
  model::DestSpec& dest = kept.spec.Edit().dests.at(0);
  dest.policy.Edit().timeout_tunnel.reset();
  dest.policy.Edit().timeout_server = milliseconds(100);
  dest.tcp.Edit().timeout_client = milliseconds(100);
  EXPECT_EQ(Change({service("ended", tunnel), kept}), "start");
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RawConnection silent({"127.0.0.1", tunnel});
  RawConnection also_silent({"127.0.0.1", others});
  for (RawConnection* connection : {&silent, &also_silent}) {
    ASSERT_TRUE(connection->Send(request));
    ASSERT_NE(connection->ReadUntil("port=").find(" 200 "), std::string::npos);
  }
  const auto begin = std::chrono::steady_clock::now();
  (void)silent.ReadUntil([](const std::string&) { return false; });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  ASSERT_TRUE(also_silent.Send(request));
  const std::string& all = also_silent.ReadUntil(
      [](const std::string& text) { return text.find("port=") != text.rfind("port="); });
  EXPECT_NE(all.find("port="), all.rfind("port=")) << all;
}

TEST_F(ProxyTcpTest, AServerMaySpeakFirst) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  NamedServer server("220 welcome", true);
  EXPECT_EQ(Change({Parsed("mail", {{"reqMode", "tcp"},
                                    {"srcPort", std::to_string(port)},
                                    {"port", server.port()},
                                    {"allowFrom", "127.0.0.1"}})}),
            "start");
  EXPECT_EQ(Exchange(port, ""), "220 welcome");
}

TEST_F(ProxyTcpTest, NamesThatClientsAskForDecideWithoutEndingTls) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  NamedServer a("a");
  NamedServer b("b");
  NamedServer c("c");
  const auto service = [&](const std::string& name, const NamedServer& server, Labels labels) {
    labels["reqMode"] = "sni";
    labels["srcPort"] = std::to_string(port);
    labels["port"] = server.port();
    return Parsed(name, std::move(labels));
  };
  const auto first = service("a", a, {{"serviceDomain", "a.com,*.a.org"}});
  EXPECT_EQ(Change({first}), "start");
  EXPECT_EQ(Exchange(port, Hello("a.com")), "a");
  EXPECT_EQ(Exchange(port, Hello("test.b.com")), "");
  EXPECT_EQ(
      Change({first,
              service("b", b, {{"servicePath", "test."}, {"pathType", "req_ssl_sni -i -m beg"}}),
              service("c", c, {{"serviceDomain", "x.a.org"}})}),
      "");
  const std::vector<std::pair<std::string, std::string>> answers = {
      {"a.com", "a"},   {"A.COM", "a"},      {"y.a.org", "a"},      {"z.y.a.org", "a"},
      {"x.a.org", "c"}, {"test.b.com", "b"}, {"TEST.org", "b"},     {"other.com", ""},
      {"xa.com", ""},   {"a.org", ""},       {"a.com.evil.org", ""}};
  for (const auto& [name, who] : answers) EXPECT_EQ(Exchange(port, Hello(name)), who) << name;
  EXPECT_EQ(Exchange(port, "GET / HTTP/1.0\r\n\r\n"), "");
}

}  // namespace
}  // namespace swarmgate::testing
