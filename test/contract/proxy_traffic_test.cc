// Requests through a real HAProxy on our files and commands: does it do what the core says that it
// does?
#include "contract/proxy_traffic.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "support/load_generator.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ProxyTrafficTest, AHostHeaderCannotForgeAKey) {
  model::Desired desired;
  for (int i = 0; i < 3; ++i) desired.backends.push_back(MakeBackend(i));
  Route(desired, "a.com/", desired.backends[0]);
  Route(desired, "a.com/secret", desired.backends[1]);
  Route(desired, ".a.com/", desired.backends[2]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const auto port_of = [&](int n) {
    return "port=" + std::to_string(ports_[static_cast<std::size_t>(n)]) + " ";
  };
  for (const auto& [host, n] : std::vector<std::pair<std::string, int>>{{"a.com/secret", 0},
                                                                        {"a.com:80/secret", 0},
                                                                        {"A.COM.:99", 0},
                                                                        {"x.a.com/secret/?", 2}}) {
    const HttpResponse response = Get(Proxy(), "/", host);
    // HAProxy 3.0 refuses itself what is no host.
    EXPECT_TRUE(response.body.find(port_of(n)) != std::string::npos || response.status == 400)
        << host << ": " << response.Summary();
  }
  for (const std::string host : {"!wildcards", "!regexes", "evil", "a.com.evil.org",
                                 "@0123456789abcdef", "~x", "sg_plain_00001"}) {
    const int status = Get(Proxy(), "/", host).status;
    EXPECT_TRUE(status == 503 || status == 400) << host << ": " << status;
  }
}

TEST_F(ProxyTrafficTest, AServiceForAnyHostGetsNothingOfAHostsOwnHoweverThatIsWritten) {
  model::Desired desired;
  for (int i = 0; i < 3; ++i) desired.backends.push_back(MakeBackend(i));
  Route(desired, "a.com/", desired.backends[0]);
  Route(desired, "a.com/secret/", desired.backends[1]);
  Route(desired, "/", desired.backends[2]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (const auto& [host, n] :
       std::vector<std::pair<std::string, std::size_t>>{{"a.com", 0},
                                                        {"A.com", 0},
                                                        {"a.com.", 0},
                                                        {"a.com:8080", 0},
                                                        {"A.COM.:8080", 0},
                                                        {"a.com/secret", 0},
                                                        {"b.a.com", 2},
                                                        {"a.com,b.com", 2},
                                                        {"b.com,a.com", 0},
                                                        {"b.com:8080", 2}}) {
    const HttpResponse response = Get(Proxy(), "/", host);
    // HAProxy 3.0 refuses itself what is no host.
    EXPECT_TRUE(response.body.find("port=" + std::to_string(ports_[n]) + " ") !=
                    std::string::npos ||
                response.status == 400)
        << host << ": " << response.Summary();
  }
}

TEST_F(ProxyTrafficTest, AWildcardReachesFourLabelsDeep) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  Route(desired, ".a.com/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_EQ(Get(Proxy(), "/", "a.com").status, 503);
  EXPECT_EQ(Get(Proxy(), "/", "1.a.com").status, 200);
  EXPECT_EQ(Get(Proxy(), "/", "4.3.2.1.a.com").status, 200);
  EXPECT_EQ(Get(Proxy(), "/", "5.4.3.2.1.a.com").status, 503);
}

// --- answers of its own -------------------------------------------------------------------------

TEST_F(ProxyTrafficTest, WithoutServerItAnswers503WithRetryAfter) {
  model::Desired desired;
  for (int i = 0; i < 3; ++i) {
    desired.backends.push_back(MakeBackend(i, static_cast<model::BackendKind>(i)));
    desired.backends.back().servers.clear();
    Route(desired, "/" + std::to_string(i), desired.backends.back());
  }
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (int i = 0; i < 3; ++i) {
    const HttpResponse response = Get(Proxy(), "/" + std::to_string(i));
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.Header("Retry-After"), "1");
  }
  const HttpResponse unknown = Get(Proxy(), "/unknown");
  EXPECT_EQ(unknown.status, 503);
  EXPECT_EQ(unknown.Header("Retry-After"), "");
}

TEST_F(ProxyTrafficTest, AnUnknownRouteCanBe404) {
  haproxy_.settings().unknown_route_status = 404;
  ASSERT_NO_FATAL_FAILURE(Serve({}));
  EXPECT_EQ(Get(Proxy(), "/unknown").status, 404);
}

TEST_F(ProxyTrafficTest, ADeadServerIsPassedOverForGet) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  model::Server dead = desired.backends[0].servers[0];
  dead.name = model::ServerName("dead");
  dead.port = static_cast<std::uint16_t>(FreePort());
  desired.backends[0].servers.push_back(dead);
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Get(Proxy(), "/").status, 200);
}

/// Takes requests, reads them, and hangs up without an answer.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(fd_, generic, size) != 0 || listen(fd_, 64) != 0 ||
        getsockname(fd_, generic, &size) != 0) {
      ADD_FAILURE() << "no port to listen on";
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (;;) {
        const int client = accept(fd_, nullptr, nullptr);
        if (client < 0) return;
        char buffer[4096];
        if (read(client, buffer, sizeof buffer) > 0) ++requests_;
        close(client);
      }
    });
  }
  ~SilentServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

TEST_F(ProxyTrafficTest, OnlyRequestsThatMayBeRepeatedAreSentTwice) {
  SilentServer silent;
  model::Desired desired;
  for (int i = 0; i < 3; ++i) {
    desired.backends.push_back(MakeBackend(i, static_cast<model::BackendKind>(i)));
    desired.backends[static_cast<std::size_t>(i)].servers[0].port = silent.port();
    Route(desired, "/" + std::to_string(i), desired.backends.back());
  }
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (const std::string path : {"/0", "/1", "/2"}) {
    for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "GET", "HEAD"}) {
      const int before = silent.requests();
      EXPECT_EQ(Fetch(Proxy(), {method, path, {{"Host", "x"}}, ""}).status, 502);
      const bool repeated = method == "GET" || method == "HEAD";
      EXPECT_EQ(silent.requests() - before, repeated ? 4 : 1) << method << " " << path;
    }
  }
}

TEST_F(ProxyTrafficTest, NothingIsSentTwiceWhereThatIsNotWanted) {
  SilentServer silent;
  haproxy_.settings().extras.repeats_unanswered = false;
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  desired.backends[0].servers[0].port = silent.port();
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (const std::string method : {"POST", "GET"}) {
    const int before = silent.requests();
    EXPECT_EQ(Fetch(Proxy(), {method, "/", {{"Host", "x"}}, ""}).status, 502);
    EXPECT_EQ(silent.requests() - before, 1) << method;
  }
}

TEST_F(ProxyTrafficTest, TheClientsAddressIsHandedOn) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const HttpResponse response = Get(Proxy(), "/headers");
  EXPECT_NE(ToLower(response.body).find("x-forwarded-for: 127.0.0.1"), std::string::npos)
      << response.body;
}

// --- features of a record -----------------------------------------------------------------------

TEST_F(ProxyTrafficTest, TimeoutsAreThoseOfTheRecordAndChangeWithoutReload) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0, model::BackendKind::kRich));
  desired.backends[0].policy.Edit().timeout_server = milliseconds(100);
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_EQ(Get(Proxy(), "/sleep/5000").status, 504);
  desired.backends[0].policy.Edit().timeout_server = milliseconds(30000);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_EQ(Get(Proxy(), "/sleep/600").status, 200);
}

TEST_F(ProxyTrafficTest, PathsAreRewrittenAsRegsubDoes) {
  struct Case {
    std::vector<model::PathRewrite> rewrites;
    const char* target;
    const char* seen;
  };
  const std::vector<Case> cases = {
      {{{"/api/", "/"}}, "/x/api/v1/api/2?q=/api/", "/x/v1/api/2?q=/api/"},
      {{{"^/api", ""}}, "/api/v1", "/v1"},
      {{{"^/api", ""}}, "/x/api/v1", "/x/api/v1"},
      {{{"v1$", "v2"}}, "/v1/v1", "/v1/v2"},
      {{{"/(a+)/(b+)", "/\\2/\\1/\\0"}}, "/aa/bb/c", "/bb/aa//aa/bb/c"},
      {{{"/(a)(b)(c)(d)(e)(f)", "/\\6\\5\\4\\3\\2\\1"}}, "/abcdef/x", "/fedcba/x"},
      {{{"(.)\\1", "<\\1>"}}, "/aXXb", "/a<X>b"},
      {{{"A", "1"}, {"B", "2"}, {"nothing", "x"}, {"1", "3"}}, "/AB", "/32"},
      {{{"[^/]*$", "z"}}, "/a/b", "/a/z"},
      {{{"a|b", "x"}}, "/cba", "/cxa"},
      {{{"(?i)DEMO;x\\\\", "y\\\\z"}}, "/demo;x\\", "/y\\z"},
      {{{"\\s*/one", "/two"}}, "/one/one", "/two/one"},
      {{{"1", "a"},
        {"2", "b"},
        {"3", "c"},
        {"4", "d"},
        {"5", "e"},
        {"6", "f"},
        {"7", "g"},
        {"8", "h"},
        {"9", "left out"}},
       "/123456789",
       "/abcdefgh9"},
      {{{".*", "/all"}}, "/whatever/it/is", "/all"},
      {{{"^/x<<y", "/z"}}, "/x<<y", "/z"},
  };
  ASSERT_LE(cases.size(), static_cast<std::size_t>(kBackends));
  // Once from the files, once by commands.
  for (const bool by_commands : {false, true}) {
    model::Desired desired;
    if (by_commands) {
      ASSERT_NO_FATAL_FAILURE(Serve(desired));
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
      desired.backends.push_back(
          MakeBackend(static_cast<int>(i),
                      i % 2 == 0 ? model::BackendKind::kRich : model::BackendKind::kSticky));
      desired.backends.back().policy.Edit().path_rewrites = cases[i].rewrites;
      Route(desired, "h" + std::to_string(i) + "/", desired.backends.back());
    }
    desired.backends.Sort([](const auto& a, const auto& b) { return a.name < b.name; });
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const HttpResponse response = Get(Proxy(), cases[i].target, "h" + std::to_string(i));
      EXPECT_NE(response.body.find("path=" + std::string(cases[i].seen) + " "), std::string::npos)
          << "case " << i << ": wanted " << cases[i].seen << ", got " << response.Summary();
    }
  }
}

TEST_F(ProxyTrafficTest, ASessionStaysAtItsServerOverReloadAndDraining) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0, model::BackendKind::kSticky));
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  // Two more come by command: they get cookies as well.
  for (int i = 1; i < 3; ++i) {
    model::Server server = desired.backends[0].servers[0];
    server.name = model::ServerName("t-" + std::to_string(i));
    server.port = ports_[static_cast<std::size_t>(i)];
    desired.backends[0].servers.push_back(server);
  }
  ASSERT_NO_FATAL_FAILURE(Serve(desired));

  std::map<std::string, std::string> sessions;  // body's port → cookie
  for (int i = 0; i < 6; ++i) {
    const HttpResponse response = Get(Proxy(), "/");
    ASSERT_EQ(response.status, 200);
    const std::string cookie = response.Header("Set-Cookie");
    ASSERT_EQ(cookie.rfind("sg_sticky_00001=", 0), 0U) << response.head;
    EXPECT_NE(cookie.find("HttpOnly"), std::string::npos);
    sessions[response.body.substr(response.body.find("port="), 10)] =
        cookie.substr(0, cookie.find(';'));
  }
  EXPECT_EQ(sessions.size(), 3U);
  const auto stay = [&] {
    for (const auto& [port, cookie] : sessions) {
      for (int i = 0; i < 3; ++i) {
        const HttpResponse response =
            Fetch(Proxy(), {"GET", "/", {{"Host", "x"}, {"Cookie", cookie}}, ""});
        EXPECT_NE(response.body.find(port), std::string::npos)
            << cookie << ": " << response.Summary();
      }
    }
  };
  stay();
  const auto reload = haproxy_.control().Reload(In(seconds(10)));
  ASSERT_TRUE(reload) << reload.error().ToString();
  stay();
  desired.backends[0].servers.pop_back();
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  stay();
}

// --- changes under load -------------------------------------------------------------------------

TEST_F(ProxyTrafficTest, ServersAreReplacedAndHaproxyReloadedWithoutLoss) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  for (const bool keep_alive : {true, false}) {
    LoadOptions options;
    options.endpoint = Proxy();
    options.targets = {GetTarget("/", "port=")};
    options.threads = 6;
    options.keep_alive = keep_alive;
    options.think_time = std::chrono::microseconds(500);
    LoadGenerator load(options);
    const model::SlotName slot = slots_.assigned.at(desired.backends[0].name);
    for (int i = 1; i <= 20; ++i) {
      ASSERT_TRUE(load.WaitForAnswers(10));
      const model::Backend next = MakeBackend(i % kBackends);
      desired.backends[0].servers = next.servers;
      desired.backends[0].servers[0].name = model::ServerName("r-" + std::to_string(i));
      ASSERT_NO_FATAL_FAILURE(Serve(desired));
      const std::set<model::ServerName> draining = held_.draining[slot];
      for (const model::ServerName& old : draining) {
        ASSERT_TRUE(WaitUntil([&] {
          const auto sessions = haproxy_.control().Sessions(slot, In(seconds(5)));
          return sessions && sessions->count(old) != 0 && sessions->at(old) == 0;
        }));
        const haproxy::Step retire = haproxy::RetireServer{slot, old};
        const auto done = haproxy_.control().Execute({retire}, In(seconds(5)));
        ASSERT_TRUE(done) << done.error().ToString();
        ApplyStep(held_, retire);
      }
      if (i % 5 == 0) {
        const auto reload = haproxy_.control().Reload(In(seconds(10)));
        ASSERT_TRUE(reload) << reload.error().ToString();
      }
    }
    const LoadReport report = load.Stop();
    EXPECT_EQ(report.lost, 0U) << report.Summary();
    EXPECT_GT(report.ok, 200U);
  }
}

}  // namespace
}  // namespace swarmgate::testing
