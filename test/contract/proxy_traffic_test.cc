// Requests through a real HAProxy on our files and commands: does it do what the core says that it
// does?
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "support/child_process.h"
#include "support/http_client.h"
#include "support/load_generator.h"
#include "support/paths.h"
#include "support/real_haproxy.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::testing {
namespace {

using haproxy::Held;
using haproxy::Image;
using model::HostMatch;
using model::PathMatch;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kBackends = 24;

/// HAProxy, and a web server that listens on one port per backend and says which.
class ProxyTrafficTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RealHaproxy::Available()) GTEST_SKIP() << "no haproxy on this machine";
    std::string list;
    for (int i = 0; i < kBackends; ++i) {
      ports_.push_back(static_cast<std::uint16_t>(FreePort()));
      list += (i == 0 ? "" : ",") + std::to_string(ports_.back());
    }
    echo_ = std::make_unique<ChildProcess>(
        ChildOptions{{EchoServerBinary(), list}, {}, "", "", "", false});
    for (int i = 0; i < 2; ++i) {
      haproxy_.settings().binds.push_back({"127.0.0.1", static_cast<std::uint16_t>(FreePort())});
    }
    ASSERT_TRUE(WaitUntil([this] { return Get({"127.0.0.1", ports_.back()}, "/").status == 200; }));
  }

  void Serve(const model::Desired& desired) {
    slots_ = AssignSlots(slots_, desired.backends, Busy(), 64);
    const Image image = Render(desired, slots_, haproxy_.settings());
    const haproxy::Plan plan = MakePlan(held_, image);
    const Status written = haproxy_.files().Write(RenderFiles(image, plan.files), {});
    ASSERT_TRUE(written) << written.error().ToString();
    if (haproxy_.master() == 0) {
      ASSERT_TRUE(haproxy_.Start()) << proxy::HaproxyLogTail(haproxy_.settings().run_dir);
      held_ = {image, {}};
    } else {
      ASSERT_EQ(plan.reload_reason, "");
      const auto done = haproxy_.control().Execute(plan.steps, In(seconds(10)));
      ASSERT_TRUE(done) << done.error().ToString();
      for (const auto& step : plan.steps) ApplyStep(held_, step);
    }
    ASSERT_EQ(held_.image, image);
  }

  [[nodiscard]] std::vector<model::SlotName> Busy() const {
    std::vector<model::SlotName> busy;
    for (const auto& [slot, servers] : held_.draining) busy.push_back(slot);
    return busy;
  }

  /// A backend on the n-th port of the web server, and a candidate that leads to it.
  model::Backend MakeBackend(int n,
                             model::BackendClass backend_class = model::BackendClass::kPlain) {
    model::Backend backend;
    backend.name = model::BackendName("b" + std::to_string(n));
    backend.service = model::ServiceName("s" + std::to_string(n));
    backend.backend_class = backend_class;
    model::Server server;
    server.name = model::ServerName("t-" + std::to_string(n));
    server.address = "127.0.0.1";
    server.port = ports_[static_cast<std::size_t>(n)];
    backend.servers = {server};
    return backend;
  }
  static void Route(model::Desired& desired, const std::string& key,
                    const model::Backend& backend) {
    model::MatchCandidate candidate;
    candidate.backend = backend.name;
    candidate.service = backend.service;
    candidate.route = model::RouteId(backend.service.str() + "/0/0");
    desired.matches.entries.push_back({key, {candidate}});
    std::sort(desired.matches.entries.begin(), desired.matches.entries.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
  }
  [[nodiscard]] Endpoint Proxy() const { return {"127.0.0.1", haproxy_.port()}; }

  std::vector<std::uint16_t> ports_;
  std::unique_ptr<ChildProcess> echo_;
  RealHaproxy haproxy_;
  haproxy::SlotMap slots_;
  Held held_;
};

// --- routing
// -----------------------------------------------------------------------------------------------

/// Services by chance, of few hosts and nested paths, so that all rules of precedence meet.
class Services {
 public:
  Services(std::uint64_t seed, std::vector<std::uint16_t> upstreams,
           std::vector<std::uint16_t> binds)
      : random_(seed), upstreams_(std::move(upstreams)), binds_(std::move(binds)) {}

  std::vector<routing::ServiceInput> Make() {
    std::vector<routing::ServiceInput> services;
    for (std::size_t i = 0; i < upstreams_.size(); ++i) {
      if (Pick(5) == 0) continue;
      routing::ServiceInput input;
      input.spec.name = model::ServiceName("s" + std::to_string(i));
      input.spec.acl_name = input.spec.name.str();
      if (Pick(4) == 0) {
        input.spec.acl_name = std::to_string(Pick(30)) + "-s" + std::to_string(i);
        input.spec.acl_name_given = true;
      }
      input.spec.default_backend = Pick(20) == 0;
      input.created_unix_ns = 1 + Pick(50);
      model::DestSpec dest;
      dest.port = upstreams_[i];
      dest.outbound_hostname = "127.0.0.1";
      if (Pick(4) == 0) dest.src_port = binds_[static_cast<std::size_t>(Pick(3))];
      for (int k = 0, n = 1 + Pick(2); k < n; ++k) dest.paths.push_back(Path());
      if (Pick(4) == 0) dest.path_excludes.push_back(Path());
      for (int k = 0, n = Pick(3); k < n; ++k) dest.hosts.push_back(Host());
      input.spec.dests = {dest};
      services.push_back(std::move(input));
    }
    return services;
  }

  routing::Question Ask() {
    static const char* const kHosts[] = {
        "a.com",           "A.com.",    "b.a.com", "c.b.a.com",      "x.c.b.a.com",
        "z.y.x.c.b.a.com", "other.org", "h1.x",    "a.com.evil.org", "com"};
    static const char* const kPaths[] = {"/",
                                         "/demo",
                                         "/demo/",
                                         "/demolition",
                                         "/demo/v1",
                                         "/demo/v1/x",
                                         "/demo/v10",
                                         "/x.js",
                                         "/api",
                                         "/demo/7",
                                         "/demo/77/y",
                                         "/.well-known/acme",
                                         "/api/v2/x.js",
                                         "//demo"};
    return {kHosts[Pick(10)], kPaths[Pick(14)], binds_[static_cast<std::size_t>(Pick(3))]};
  }

 private:
  int Pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  PathMatch Path() {
    static const char* const kPaths[] = {"/",    "/demo",  "/demo/v1",         "/demo/v1/x",
                                         "/api", "/demo/", "/.well-known/acme"};
    // As labels write them: they match the whole path.
    static const char* const kRegexes[] = {"^/demo/[0-9]+.*$", "^.*\\.js$", "^/(?:api|demo)/v1.*$",
                                           "^(?i:/DEMO)$"};
    PathMatch path;
    switch (Pick(8)) {
      case 0:
        path.kind = PathMatch::Kind::kRegex;
        path.text = kRegexes[Pick(4)];
        break;
      case 1:
        path.kind = PathMatch::Kind::kExact;
        path.text = kPaths[Pick(7)];
        break;
      case 2:
      case 3:
        path.kind = PathMatch::Kind::kSegment;
        path.text = kPaths[Pick(7)];
        break;
      default:
        path.text = kPaths[Pick(7)];
    }
    path.original = path.text;
    return path;
  }

  HostMatch Host() {
    static const char* const kExact[] = {"a.com", "b.a.com", "h1.x", "com"};
    static const char* const kWild[] = {".a.com", ".b.a.com", ".com"};
    HostMatch host;
    switch (Pick(6)) {
      case 0:
        host.kind = HostMatch::Kind::kRegex;
        host.text = Pick(2) == 0 ? "^h[0-9]\\.x$" : "^[^/|]*a\\.com$";
        break;
      case 1:
      case 2:
        host.kind = HostMatch::Kind::kWildcard;
        host.text = kWild[Pick(3)];
        break;
      default:
        host.kind = HostMatch::Kind::kExact;
        host.text = kExact[Pick(4)];
    }
    host.original = host.text;
    return host;
  }

  std::mt19937_64 random_;
  std::vector<std::uint16_t> upstreams_;
  std::vector<std::uint16_t> binds_;
};

/// What went wrong first; empty when HAProxy answered everything as the table says.
std::string AskMany(const model::Desired& desired, Services& services,
                    std::atomic<std::size_t>& found) {
  std::map<int, std::unique_ptr<HttpConnection>> connections;
  for (int i = 0; i < 30; ++i) {
    const routing::Question question = services.Ask();
    const auto expected = routing::Lookup(desired.matches, question);
    auto& connection = connections[question.port];
    if (!connection) {
      connection =
          std::make_unique<HttpConnection>(Endpoint{"127.0.0.1", question.port}, seconds(60));
    }
    const HttpResponse response =
        connection->Exchange({"GET", question.path, {{"Host", question.host}}, ""});
    std::string want = "no route";
    for (const auto& backend : desired.backends) {
      if (!expected || backend.name != expected->backend) continue;
      want = "port=" + std::to_string(backend.servers.at(0).port) + " ";
      ++found;
    }
    if (response.status != (expected ? 200 : 503) ||
        response.body.find(want) == std::string::npos) {
      return question.host + question.path + " on port " + std::to_string(question.port) +
             ": wanted " + want + ", got " + response.Summary();
    }
  }
  return "";
}

TEST_F(ProxyTrafficTest, RoutesEachRequestAsTheLookupTableSays) {
  std::vector<std::uint16_t> binds;
  for (const auto& bind : haproxy_.settings().binds) binds.push_back(bind.port);
  Services services(7, ports_, binds);
  routing::BuildContext context;
  context.bound_ports = binds;
  std::atomic<std::size_t> found{0};
  std::size_t regexes = 0;
  std::size_t conditions = 0;
  for (int round = 0; round < 12; ++round) {
    const routing::Built built = routing::Build(services.Make(), context);
    ASSERT_NO_FATAL_FAILURE(Serve(built.desired));
    regexes += held_.image.regexes.size() + held_.image.host_regexes.size();
    conditions += held_.image.conditions.size();
    // Side by side: on a busy machine each answer waits for its turn.
    std::vector<std::future<std::string>> askers;
    for (std::uint64_t asker = 0; asker < 10; ++asker) {
      Services questions(100 * static_cast<std::uint64_t>(round) + asker, ports_, binds);
      askers.push_back(std::async(std::launch::async, [&built, &found, questions]() mutable {
        return AskMany(built.desired, questions, found);
      }));
    }
    for (auto& asker : askers) EXPECT_EQ(asker.get(), "") << "round " << round;
    ASSERT_FALSE(HasFailure());
    // Slots become free again.
    std::vector<haproxy::Step> retire;
    for (const auto& [slot, servers] : held_.draining) {
      for (const auto& server : servers) retire.emplace_back(haproxy::RetireServer{slot, server});
    }
    ASSERT_TRUE(haproxy_.control().Execute(retire, In(seconds(5))));
    for (const auto& step : retire) ApplyStep(held_, step);
  }
  EXPECT_GT(found, 1000U);
  EXPECT_GT(regexes, 20U);
  EXPECT_GT(conditions, 20U);
}

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
    EXPECT_NE(response.body.find(port_of(n)), std::string::npos)
        << host << ": " << response.Summary();
  }
  for (const std::string host :
       {"!wildcards", "evil", "a.com.evil.org", "@0123456789abcdef", "~x", "sg_plain_00001"}) {
    EXPECT_EQ(Get(Proxy(), "/", host).status, 503) << host;
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

// --- answers of its own
// ------------------------------------------------------------------------------------

TEST_F(ProxyTrafficTest, WithoutServerItAnswers503WithRetryAfter) {
  model::Desired desired;
  for (int i = 0; i < 3; ++i) {
    desired.backends.push_back(MakeBackend(i, static_cast<model::BackendClass>(i)));
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
    desired.backends.push_back(MakeBackend(i, static_cast<model::BackendClass>(i)));
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

TEST_F(ProxyTrafficTest, TheClientsAddressIsHandedOn) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0));
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  const HttpResponse response = Get(Proxy(), "/headers");
  EXPECT_NE(ToLower(response.body).find("x-forwarded-for: 127.0.0.1"), std::string::npos)
      << response.body;
}

// --- features of a record
// ----------------------------------------------------------------------------------

TEST_F(ProxyTrafficTest, TimeoutsAreThoseOfTheRecordAndChangeWithoutReload) {
  model::Desired desired;
  desired.backends.push_back(MakeBackend(0, model::BackendClass::kRich));
  desired.backends[0].timeout_server = milliseconds(100);
  Route(desired, "/", desired.backends[0]);
  ASSERT_NO_FATAL_FAILURE(Serve(desired));
  EXPECT_EQ(Get(Proxy(), "/sleep/5000").status, 504);
  desired.backends[0].timeout_server = milliseconds(30000);
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
                      i % 2 == 0 ? model::BackendClass::kRich : model::BackendClass::kSticky));
      desired.backends.back().path_rewrites = cases[i].rewrites;
      Route(desired, "h" + std::to_string(i) + "/", desired.backends.back());
    }
    std::sort(desired.backends.begin(), desired.backends.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
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
  desired.backends.push_back(MakeBackend(0, model::BackendClass::kSticky));
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

// --- changes under load
// ------------------------------------------------------------------------------------

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
