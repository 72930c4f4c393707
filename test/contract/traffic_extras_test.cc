// What the operator's settings do to requests, through the real HAProxy: forwarded headers, PROXY
// protocol, access log, statistics page, raw lines.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "contract/proxy_traffic.h"
#include "support/raw_exchange.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::testing {
namespace {

using codec::JsonValue;

class TrafficExtrasTest : public ProxyTrafficTest {
 protected:
  haproxy::Extras& extras() { return haproxy_.settings().extras; }

  /// One plain route "/".
  void ServeAll() {
    model::Desired desired;
    desired.backends.push_back(MakeBackend(0));
    Route(desired, "/", desired.backends[0]);
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
  }

  /// The request's headers of this name as the task received them, in order.
  std::vector<std::string> Received(const std::string& name, const HttpResponse& response) {
    std::vector<std::string> values;
    for (const std::string_view line : Split(response.body, '\n')) {
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || ToLower(line.substr(0, colon)) != name) continue;
      values.emplace_back(Trim(line.substr(colon + 1)));
    }
    return values;
  }

  /// Asks once, by a new connection. The task counts the requests of each of its own.
  bool FirstOfItsConnection() { return Get(Proxy(), "/").body.find(" n=1 ") != std::string::npos; }

  HttpResponse Ask(const std::vector<std::pair<std::string, std::string>>& headers) {
    HttpRequest request;
    request.target = "/headers";
    request.headers = headers;
    return Fetch(Proxy(), request);
  }
};

using Values = std::vector<std::string>;

TEST_F(TrafficExtrasTest, AStrangersForwardedHeadersAreReplaced) {
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  const std::string port = std::to_string(haproxy_.port());
  const HttpResponse response = Ask({{"Host", "a.com:81"},
                                     {"X-Forwarded-For", "6.6.6.6"},
                                     {"X-Forwarded-For", "7.7.7.7"},
                                     {"x-forwarded-proto", "https"},
                                     {"X-Forwarded-Proto", "https"},
                                     {"X-Forwarded-Host", "evil"},
                                     {"X-Forwarded-Port", "1"},
                                     {"X-Forwarded-Prefix", "/evil"}});
  EXPECT_EQ(Received("x-forwarded-for", response), Values{"127.0.0.1"}) << response.body;
  EXPECT_EQ(Received("x-forwarded-proto", response), Values{"http"});
  EXPECT_EQ(Received("x-forwarded-host", response), Values{"a.com:81"});
  EXPECT_EQ(Received("x-forwarded-port", response), Values{port});
  EXPECT_EQ(Received("x-forwarded-prefix", response), Values{});
}

TEST_F(TrafficExtrasTest, ATrustedProxysForwardedHeadersArePassedOnAndNeverDoubled) {
  extras().trusted_proxies = {"127.0.0.0/8"};
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  const HttpResponse full = Ask({{"Host", "a.com"},
                                 {"X-Forwarded-For", "9.9.9.9"},
                                 {"X-Forwarded-Proto", "https"},
                                 {"X-Forwarded-Host", "b.com"},
                                 {"X-Forwarded-Port", "443"}});
  EXPECT_EQ(Received("x-forwarded-for", full), (Values{"9.9.9.9", "127.0.0.1"})) << full.body;
  EXPECT_EQ(Received("x-forwarded-proto", full), Values{"https"});
  EXPECT_EQ(Received("x-forwarded-host", full), Values{"b.com"});
  EXPECT_EQ(Received("x-forwarded-port", full), Values{"443"});
  const HttpResponse bare = Ask({{"Host", "a.com"}});
  EXPECT_EQ(Received("x-forwarded-for", bare), Values{"127.0.0.1"});
  EXPECT_EQ(Received("x-forwarded-proto", bare), Values{"http"});
  EXPECT_EQ(Received("x-forwarded-host", bare), Values{"a.com"});
}

TEST_F(TrafficExtrasTest, OnlyTheNamedNetworkIsTrusted) {
  extras().trusted_proxies = {"10.0.0.0/8", "fd00::/8"};
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  const HttpResponse response =
      Ask({{"X-Forwarded-For", "9.9.9.9"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(Received("x-forwarded-for", response), Values{"127.0.0.1"});
  EXPECT_EQ(Received("x-forwarded-proto", response), Values{"http"});
}

TEST_F(TrafficExtrasTest, TlsAtATrustedProxyIsTlsForTheServicesRules) {
  for (const bool trusted : {false, true}) {
    extras().trusted_proxies = {trusted ? "127.0.0.1" : "10.0.0.0/8"};
    model::Desired desired;
    desired.backends.push_back(MakeBackend(0, model::BackendKind::kRich));
    desired.backends[0].policy.Edit().deny_http = true;
    Route(desired, "/", desired.backends[0]);
    haproxy_.Kill();
    held_ = {};
    slots_ = {};
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
    EXPECT_EQ(Ask({{"X-Forwarded-Proto", "https"}}).status, trusted ? 200 : 403);
    EXPECT_EQ(Ask({{"X-Forwarded-Proto", "http"}}).status, 403);
    EXPECT_EQ(Ask({}).status, 403);
  }
}

std::string ProxiedRequest() {
  return "PROXY TCP4 9.9.9.9 8.8.8.8 1234 80\r\n"
         "GET /headers HTTP/1.1\r\nHost: a.com\r\nConnection: close\r\n\r\n";
}

TEST_F(TrafficExtrasTest, APortWithProxyProtocolTellsTheClientsAddress) {
  haproxy_.settings().binds[1].accept_proxy = true;
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  const int port = haproxy_.settings().binds[1].port;
  const std::string answer = RawExchange({.port = port}, ProxiedRequest());
  EXPECT_NE(ToLower(answer).find("x-forwarded-for: 9.9.9.9"), std::string::npos) << answer;
  // Without the header there is no answer on this port, and the other port takes none.
  EXPECT_EQ(Get({.port = port}, "/").status, 0);
  EXPECT_NE(RawExchange(Proxy(), ProxiedRequest()).find("400"), std::string::npos);
  EXPECT_EQ(Get(Proxy(), "/").status, 200);
}

TEST_F(TrafficExtrasTest, PROXYProtocolIsExpectedFromTheNamedNetworks) {
  extras().proxy_protocol_from = {"127.0.0.1"};
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  const std::string answer = RawExchange(Proxy(), ProxiedRequest());
  EXPECT_NE(ToLower(answer).find("x-forwarded-for: 9.9.9.9"), std::string::npos) << answer;
}

TEST_F(TrafficExtrasTest, ExtraLinesAreHonouredBeforeOurRules) {
  extras().extra_global = {"tune.bufsize 20000"};
  extras().extra_frontend = {"http-request deny deny_status 429 if { path /x }",
                             "acl later path /y", "http-request deny deny_status 410 if later"};
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  EXPECT_EQ(Get(Proxy(), "/x").status, 429);
  EXPECT_EQ(Get(Proxy(), "/y").status, 410);
  EXPECT_EQ(Get(Proxy(), "/z").status, 200);
}

TEST_F(TrafficExtrasTest, TheStatisticsPageAsksForItsPassword) {
  extras().stats = {"/admin?stats", "su", "s p'\"x", {}};
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  EXPECT_EQ(Get(Proxy(), "/admin?stats").status, 401);
  HttpRequest request;
  request.target = "/admin?stats;csv";
  request.headers = {{"Authorization", "Basic c3U6cyBwJyJ4"}};
  const HttpResponse csv = Fetch(Proxy(), request);
  EXPECT_EQ(csv.status, 200);
  EXPECT_NE(csv.body.find("services,FRONTEND"), std::string::npos);
  EXPECT_EQ(Get(Proxy(), "/admin").status, 200) << "what lies beside it belongs to the services";
}

TEST_F(TrafficExtrasTest, TheStatisticsPageCanHaveAPortOfItsOwn) {
  extras().stats = {"/st", "", "", static_cast<std::uint16_t>(FreePort())};
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  EXPECT_EQ(Get({.port = *extras().stats.port}, "/st").status, 200);
  EXPECT_EQ(Get(Proxy(), "/st").body.find("Statistics Report"), std::string::npos);
}

TEST_F(TrafficExtrasTest, ANewClientGetsAConnectionToTheTaskOfItsOwn) {
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(FirstOfItsConnection());
}

TEST_F(TrafficExtrasTest, ANewClientTakesAnOpenConnectionWhereThatIsWanted) {
  extras().first_request_reuses = true;
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  EXPECT_TRUE(WaitUntil([this] { return !FirstOfItsConnection(); }));
}

TEST_F(TrafficExtrasTest, AnswersAreCompressedWhereThatIsTheDefault) {
  extras().compression_algo = "gzip";
  extras().connection_mode = model::ConnectionMode::kServerClose;
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  HttpRequest request;
  request.target = "/size/20000";
  request.headers = {{"Accept-Encoding", "gzip"}};
  EXPECT_EQ(Fetch(Proxy(), request).Header("Content-Encoding"), "gzip");
}

// --- the access log -----------------------------------------------------------------------------

/// The socket that HAProxy logs to.
class LogSocket {
 public:
  explicit LogSocket(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ADD_FAILURE() << "cannot bind " << path;
    }
    const timeval patience{5, 0};
    (void)setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~LogSocket() { close(fd_); }
  LogSocket(const LogSocket&) = delete;
  LogSocket& operator=(const LogSocket&) = delete;

  /// The next line; empty when none comes.
  std::string Next() {
    std::string line(70'000, '\0');
    const ssize_t size = recv(fd_, line.data(), line.size(), 0);
    line.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return std::string(Trim(line));
  }

 private:
  int fd_;
};

class AccessLogTest : public TrafficExtrasTest {
 protected:
  void Open(haproxy::AccessLog::What what, haproxy::AccessLog::Format format) {
    extras().access_log.what = what;
    extras().access_log.format = format;
    ASSERT_TRUE(proxy::PrepareRunDir(haproxy_.settings().run_dir, std::nullopt));
    log_ = std::make_unique<LogSocket>(haproxy::AccessLogSocket(haproxy_.settings().run_dir));
  }
  JsonValue NextJson() {
    const std::string line = log_->Next();
    const auto json = JsonValue::Parse(line);
    EXPECT_TRUE(json) << line.substr(0, 3000);
    return json ? *json : JsonValue();
  }
  /// One connection by a port that does not speak HTTP.
  void ServeTcp(std::uint16_t port) {
    model::Desired desired;
    desired.backends.push_back(MakeBackend(0, model::BackendKind::kTcp));
    model::TcpListener listener;
    listener.port = port;
    desired.tcp_listeners = {listener};
    desired.tcp_routes = {{port,
                           {},
                           model::RouteId("s0/0/0"),
                           desired.backends[0].service,
                           desired.backends[0].name}};
    ASSERT_NO_FATAL_FAILURE(Serve(desired));
    ASSERT_EQ(Get({.port = port}, "/").status, 200);
  }
  std::unique_ptr<LogSocket> log_;
};

TEST_F(AccessLogTest, ARequestIsOneJsonObjectThatNamesServiceRouteAndTask) {
  extras().captures = {{"User-Agent", 40}, {"Referer", 10}};
  ASSERT_NO_FATAL_FAILURE(Open(haproxy::AccessLog::What::kAll, haproxy::AccessLog::Format::kJson));
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  HttpRequest request;
  request.target = "/some/path?token=secret";
  request.headers = {{"Host", "A.com:80"}, {"User-Agent", "me"}};
  ASSERT_EQ(Fetch(Proxy(), request).status, 200);
  const JsonValue json = NextJson();
  EXPECT_EQ(json["client"].StringOr(), "127.0.0.1");
  EXPECT_EQ(json["method"].StringOr(), "GET");
  EXPECT_EQ(json["host"].StringOr(), "a.com");
  EXPECT_EQ(json["path"].StringOr(), "/some/path");
  EXPECT_EQ(json["service"].StringOr(), "s0");
  EXPECT_EQ(json["route"].StringOr(), "s0/0/0");
  EXPECT_EQ(json["server"].StringOr().rfind("t-0", 0), 0U) << json["server"].StringOr();
  EXPECT_EQ(json["status"].AsUint64(), 200U);
  EXPECT_GT(json["bytes"].AsUint64().value_or(0), 20U);
  EXPECT_TRUE(json["ms"]["total"].AsInt64());
  EXPECT_EQ(json["captured"]["User-Agent"].StringOr(), "me");
}

TEST_F(AccessLogTest, NothingThatAClientSendsBreaksTheLine) {
  extras().captures = {{"User-Agent", 4000}};
  ASSERT_NO_FATAL_FAILURE(Open(haproxy::AccessLog::What::kAll, haproxy::AccessLog::Format::kJson));
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  const std::string quotes(3000, '"');
  const std::string requests[] = {
      "GET /a\"b\\c HTTP/1.1\r\nHost: a\"b\\c\r\nUser-Agent: \"\\\x80\xff\t{}\r\n"
      "Connection: close\r\n\r\n",
      "GET /" + quotes + quotes + " HTTP/1.1\r\nHost: " + quotes + "\r\nUser-Agent: " + quotes +
          "\r\nConnection: close\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: \xc3\xa9\xf0\x9f\x98\x80.com\r\nConnection: close\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET \x01 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GARBAGE \"\\ \x7f\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nBad header\"\x01: x\r\n\r\n",
  };
  for (const std::string& request : requests) {
    ASSERT_NE(RawExchange(Proxy(), request), "") << Printable(request);
    const JsonValue json = NextJson();
    EXPECT_TRUE(json["status"].AsInt64()) << Printable(request);
  }
}

TEST_F(AccessLogTest, ErrorsAloneCanBeLogged) {
  ASSERT_NO_FATAL_FAILURE(
      Open(haproxy::AccessLog::What::kErrors, haproxy::AccessLog::Format::kHttp));
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  ASSERT_EQ(Get(Proxy(), "/fine").status, 200);
  ASSERT_EQ(Get(Proxy(), "/status/500").status, 500);
  const std::string line = log_->Next();
  EXPECT_NE(line.find("s0/t-0"), std::string::npos) << line;
  EXPECT_NE(line.find("\"GET /status/500 HTTP/1.1\""), std::string::npos) << line;
}

TEST_F(AccessLogTest, TheOperatorsOwnFormatIsTaken) {
  extras().access_log.custom = "it's %ci \"%ST\"";
  ASSERT_NO_FATAL_FAILURE(
      Open(haproxy::AccessLog::What::kAll, haproxy::AccessLog::Format::kCustom));
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  ASSERT_EQ(Get(Proxy(), "/").status, 200);
  EXPECT_EQ(log_->Next(), "it's 127.0.0.1 \"200\"");
}

TEST_F(AccessLogTest, AConnectionThatIsNotHttpIsALineAsWell) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  ASSERT_NO_FATAL_FAILURE(Open(haproxy::AccessLog::What::kAll, haproxy::AccessLog::Format::kJson));
  ASSERT_NO_FATAL_FAILURE(ServeTcp(port));
  const JsonValue json = NextJson();
  EXPECT_EQ(json["service"].StringOr(), "s0");
  EXPECT_EQ(json["route"].StringOr(), "s0/0/0");
  EXPECT_EQ(json["port"].AsUint64(), port);
  EXPECT_GT(json["bytes"].AsUint64().value_or(0), 20U);
  EXPECT_TRUE(json["ms"]["total"].AsInt64());
}

TEST_F(AccessLogTest, TheOperatorsOwnFormatOfConnectionsIsTaken) {
  const auto port = static_cast<std::uint16_t>(FreePort());
  extras().access_log.tcp_custom = "%fp \"tcp\"";
  ASSERT_NO_FATAL_FAILURE(Open(haproxy::AccessLog::What::kAll, haproxy::AccessLog::Format::kHttp));
  ASSERT_NO_FATAL_FAILURE(ServeTcp(port));
  EXPECT_EQ(log_->Next(), std::to_string(port) + " \"tcp\"");
}

TEST_F(AccessLogTest, AReaderThatIsAwayOrSlowCostsNoRequest) {
  ASSERT_NO_FATAL_FAILURE(Open(haproxy::AccessLog::What::kAll, haproxy::AccessLog::Format::kJson));
  ASSERT_NO_FATAL_FAILURE(ServeAll());
  // Nobody reads: the queue of a datagram socket holds some hundred lines at most.
  HttpConnection connection(Proxy(), std::chrono::seconds(5));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(connection.Exchange({"GET", "/", {{"Host", "a"}}, ""}).status, 200) << i;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  log_.reset();
  ASSERT_EQ(Get(Proxy(), "/").status, 200);
}

}  // namespace
}  // namespace swarmgate::testing
