// What the operator says about all traffic, with the whole program and a real HAProxy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "support/child_process.h"
#include "support/gate.h"
#include "support/http_client.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/raw_exchange.h"
#include "support/test_root.h"
#include "support/wait.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::testing {
namespace {

using ::testing::HasSubstr;

class TrafficOptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HaveProgram("haproxy")) GTEST_SKIP() << "no haproxy on this machine";
    echo_ = std::make_unique<ChildProcess>(ChildOptions{
        {EchoServerBinary(), std::to_string(port_)}, {}, "", dir_.File("log"), "", false});
  }
  void Start(std::map<std::string, std::string> environment) {
    GateOptions options;
    options.environment = std::move(environment);
    gate_ = std::make_unique<Gate>(options);
    gate_->Start();
    const HttpResponse made = Reconfigure("web", "servicePath=/web");
    ASSERT_EQ(made.status, 200) << made.body;
    ASSERT_TRUE(gate_->WaitStatus(200, "/web"));
  }
  HttpResponse Reconfigure(const std::string& name, const std::string& parameters) {
    return gate_->Admin("/v1/docker-flow-proxy/reconfigure?serviceName=" + name + "&port=" +
                        std::to_string(port_) + "&outboundHostname=127.0.0.1&" + parameters);
  }
  /// Every time limit of HAProxy's configuration: "timeout client" → the values that it has.
  [[nodiscard]] std::map<std::string, std::set<std::string>> Limits() const {
    const std::string config = gate_->Admin("/v1/docker-flow-proxy/config").body;
    std::map<std::string, std::set<std::string>> limits;
    for (const std::string_view line : Split(config, '\n')) {
      const std::string_view words = Trim(line);
      const std::size_t space = words.rfind(' ');
      if (words.starts_with("timeout ") || words.starts_with("hard-stop-after ")) {
        limits[std::string(words.substr(0, space))].emplace(words.substr(space + 1));
      }
    }
    return limits;
  }
  /// The line of the access log about this path; null until it is there.
  [[nodiscard]] codec::JsonValue LineOf(const std::string& path) const {
    const std::string log = gate_->Log();
    for (const std::string_view line : Split(log, '\n')) {
      if (!line.starts_with("{")) continue;
      auto json = codec::JsonValue::Parse(line);
      if (json && (*json)["path"].StringOr() == path) return *std::move(json);
    }
    return {};
  }

  TempDir dir_{"traffic"};
  int port_ = FreePort();
  std::unique_ptr<ChildProcess> echo_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(TrafficOptionsTest, EachRequestIsALineThatNamesServiceAndTask) {
  ASSERT_NO_FATAL_FAILURE(Start({{"ACCESS_LOG", "all"}}));
  EXPECT_EQ(gate_->Web("/web/first").status, 200);
  EXPECT_EQ(gate_->Web("/nothing").status, 503);
  ASSERT_TRUE(WaitUntil([&] {
    return !LineOf("/web/first")["status"].is_null() && !LineOf("/nothing")["status"].is_null();
  })) << gate_->Log();
  const codec::JsonValue line = LineOf("/web/first");
  EXPECT_EQ(line["status"].AsInt64().value_or(0), 200);
  EXPECT_EQ(line["service"].StringOr(), "web");
  EXPECT_EQ(LineOf("/nothing")["service"].StringOr(), "-");
}

TEST_F(TrafficOptionsTest, OnlyErrorsAreLoggedWhereOnlyTheyAreWanted) {
  ASSERT_NO_FATAL_FAILURE(Start({{"ACCESS_LOG", "errors"}}));
  EXPECT_EQ(gate_->Web("/web/good").status, 200);
  EXPECT_EQ(gate_->Web("/nothing").status, 503);
  ASSERT_TRUE(WaitUntil([&] { return !LineOf("/nothing")["status"].is_null(); })) << gate_->Log();
  EXPECT_TRUE(LineOf("/web/good")["status"].is_null());
}

TEST_F(TrafficOptionsTest, LinesOfTheOperatorAreObeyedAndBadOnesKeepItFromStartingWithTheReason) {
  ASSERT_NO_FATAL_FAILURE(
      Start({{"EXTRA_FRONTEND", "http-request return status 418 if { path /tea }"}}));
  EXPECT_EQ(gate_->Web("/tea").status, 418);
  EXPECT_EQ(gate_->Web("/web").status, 200);
  EXPECT_EQ(gate_->Stop(), 0);
  gate_->options().environment["EXTRA_FRONTEND"] = "no-such-word at all";
  gate_->Launch();
  const auto tells = [&](const std::string& text) {
    return gate_->Log().find(text) != std::string::npos ||
           gate_->Admin("/readyz").body.find(text) != std::string::npos;
  };
  EXPECT_TRUE(WaitUntil([&] { return tells("no-such-word") && tells("EXTRA_FRONTEND"); }))
      << gate_->Log();
  EXPECT_NE(gate_->Admin("/readyz").status, 200);
}

// --- what is set for HAProxy as a whole ---------------------------------------------------------

TEST_F(TrafficOptionsTest, EachTimeLimitOfTheOperatorIsHaproxysLimitOfThatName) {
  ASSERT_NO_FATAL_FAILURE(Start({{"TIMEOUT_CONNECT", "11"},
                                 {"TIMEOUT_CLIENT", "12"},
                                 {"TIMEOUT_SERVER", "13"},
                                 {"TIMEOUT_QUEUE", "14"},
                                 {"TIMEOUT_TUNNEL", "15"},
                                 {"TIMEOUT_HTTP_REQUEST", "16"},
                                 {"TIMEOUT_HTTP_KEEP_ALIVE", "17"},
                                 {"HARD_STOP_AFTER", "18"}}));
  const std::map<std::string, std::set<std::string>> expected = {
      {"timeout connect", {"11000ms"}},         {"timeout client", {"12000ms"}},
      {"timeout server", {"13000ms"}},          {"timeout queue", {"14000ms"}},
      {"timeout tunnel", {"15000ms"}},          {"timeout http-request", {"16000ms"}},
      {"timeout http-keep-alive", {"17000ms"}}, {"hard-stop-after", {"18000ms"}}};
  EXPECT_EQ(Limits(), expected);
}

TEST_F(TrafficOptionsTest, ConnectionsAreCutSoonAfterAReloadWhereThatIsWanted) {
  ASSERT_NO_FATAL_FAILURE(Start({{"TERMINATE_ON_RELOAD", "true"}}));
  RawConnection stream(gate_->web());
  ASSERT_TRUE(stream.Send(
      "GET /web HTTP/1.1\r\nHost: a.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"));
  ASSERT_EQ(stream.ReadUntil("\r\n\r\n").rfind("HTTP/1.1 101", 0), 0U);
  EXPECT_EQ(gate_->Admin("/v1/docker-flow-proxy/reload").status, 200);
  (void)stream.ReadUntil([](const std::string&) { return false; });
  EXPECT_FALSE(stream.Send("x")) << "it is open after ten seconds";
  EXPECT_EQ(gate_->Web("/web").status, 200);
}

TEST_F(TrafficOptionsTest, AnswersOfTheTypesThatTheOperatorNamesAreCompressed) {
  ASSERT_NO_FATAL_FAILURE(Start({{"COMPRESSION_ALGO", "gzip"}, {"COMPRESSION_TYPE", "text/css"}}));
  ASSERT_EQ(Reconfigure("sized", "servicePath=/size").status, 200);
  const auto encoding = [&] {
    HttpRequest request;
    request.target = "/size/20000";
    request.headers = {{"Accept-Encoding", "gzip"}};
    const HttpResponse answer = Fetch(gate_->web(), request);
    EXPECT_EQ(answer.status, 200) << answer.Summary();
    EXPECT_EQ(answer.Header("Content-Type"), "text/plain");
    return answer.Header("Content-Encoding");
  };
  EXPECT_EQ(encoding(), "");
  EXPECT_EQ(gate_->Stop(), 0);
  gate_->options().environment["COMPRESSION_TYPE"] = "text/css text/plain";
  gate_->Start();
  ASSERT_TRUE(gate_->WaitStatus(200, "/size/1"));
  EXPECT_EQ(encoding(), "gzip");
}

TEST_F(TrafficOptionsTest, ConnectionsToTasksAreKeptOrClosedAsTheOperatorSays) {
  ASSERT_NO_FATAL_FAILURE(Start({}));
  const auto second_answer = [&] {
    HttpConnection client(gate_->web(), std::chrono::seconds(5));
    HttpRequest request;
    request.target = "/web";
    EXPECT_EQ(client.Exchange(request).status, 200);
    return client.Exchange(request).body;
  };
  EXPECT_THAT(second_answer(), HasSubstr(" n=2 "));
  EXPECT_EQ(gate_->Stop(), 0);
  gate_->options().environment["CONNECTION_MODE"] = "http-server-close";
  gate_->Start();
  ASSERT_TRUE(gate_->WaitStatus(200, "/web"));
  EXPECT_THAT(second_answer(), HasSubstr(" n=1 "));
}

// --- where calls come in, and how they are read -------------------------------------------------

TEST_F(TrafficOptionsTest, TheApiAnswersWhereIpAndPortSayAndNowhereElse) {
  const int port = FreePort();
  GateOptions options;
  options.environment = {{"IP", "127.0.0.2"}, {"PORT", std::to_string(port)}};
  gate_ = std::make_unique<Gate>(options);
  gate_->Launch();
  const auto status = [](const std::string& ip, int at) {
    return Get({.ip = ip, .port = at}, "/readyz").status;
  };
  EXPECT_TRUE(WaitUntil([&] { return status("127.0.0.2", port) == 200; }, std::chrono::seconds(30)))
      << gate_->Log();
  EXPECT_EQ(status("127.0.0.1", port), 0);
  EXPECT_EQ(status("127.0.0.2", gate_->admin().port), 0);
}

TEST_F(TrafficOptionsTest, ListsAreDividedByTheOperatorsSeparator) {
  ASSERT_NO_FATAL_FAILURE(Start({{"SEPARATOR", ";"}}));
  ASSERT_EQ(Reconfigure("lists", "servicePath=/a,b%3B/c%5C%3Bd").status, 200);
  EXPECT_EQ(gate_->Web("/a,b").status, 200);
  EXPECT_EQ(gate_->Web("/c;d").status, 200);
  EXPECT_EQ(gate_->Web("/b").status, 503);
  EXPECT_EQ(gate_->Web("/c").status, 503);
}

TEST_F(TrafficOptionsTest, WithTheFilterOnlyServicesOfThisInstanceAreServed) {
  GateOptions options;
  options.environment = {{"PROXY_INSTANCE_NAME", "edge"}, {"FILTER_PROXY_INSTANCE_NAME", "true"}};
  gate_ = std::make_unique<Gate>(options);
  gate_->Start();
  ASSERT_EQ(Reconfigure("ours", "servicePath=/ours&proxyInstanceName=Edge").status, 200);
  EXPECT_EQ(gate_->Web("/ours").status, 200);
  ASSERT_EQ(Reconfigure("theirs", "servicePath=/theirs&proxyInstanceName=inner").status, 200);
  ASSERT_EQ(Reconfigure("nobodys", "servicePath=/nobodys").status, 200);
  EXPECT_EQ(gate_->Web("/theirs").status, 503);
  EXPECT_EQ(gate_->Web("/nobodys").status, 503);
  // A call for another instance does nothing here: it may only be told to all of them.
  ASSERT_EQ(Reconfigure("ours", "servicePath=/ours&proxyInstanceName=inner").status, 200);
  EXPECT_EQ(gate_->Web("/ours").status, 200);
}

// --- a destination that ends --------------------------------------------------------------------

TEST_F(TrafficOptionsTest, ARequestOutlastsTheTimeThatItsEndingTaskIsWatched) {
  ASSERT_NO_FATAL_FAILURE(Start({}));
  const int next = FreePort();
  const ChildProcess other(
      {{EchoServerBinary(), std::to_string(next)}, {}, "", dir_.File("other"), "", false});
  ASSERT_TRUE(WaitUntil([&] { return Get({.port = next}, "/").status == 200; }));
  ASSERT_EQ(Reconfigure("web", "servicePath=/web&drainTimeout=100ms").status, 200);
  RawConnection slow(gate_->web());
  ASSERT_TRUE(slow.Send(
      "GET /web HTTP/1.1\r\nHost: a.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"));
  ASSERT_EQ(slow.ReadUntil("\r\n\r\n").rfind("HTTP/1.1 101", 0), 0U);
  port_ = next;
  ASSERT_EQ(Reconfigure("web", "servicePath=/web&drainTimeout=100ms").status, 200);
  EXPECT_NE(gate_->Web("/web").body.find("port=" + std::to_string(next)), std::string::npos);
  // By then the time is over.
  ASSERT_TRUE(WaitUntil([begin = std::chrono::steady_clock::now()] {
    return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(500);
  }));
  ASSERT_TRUE(slow.Send("still here"));
  EXPECT_NE(slow.ReadUntil("still here").find("still here"), std::string::npos);
}

}  // namespace
}  // namespace swarmgate::testing
