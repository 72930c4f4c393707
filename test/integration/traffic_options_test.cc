// What the operator says about all traffic, with the whole program and a real HAProxy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/child_process.h"
#include "support/gate.h"
#include "support/network.h"
#include "support/paths.h"
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
    const HttpResponse made =
        gate_->Admin("/v1/docker-flow-proxy/reconfigure?serviceName=web&servicePath=/web&port=" +
                     std::to_string(port_) + "&outboundHostname=127.0.0.1");
    ASSERT_EQ(made.status, 200) << made.body;
    ASSERT_TRUE(gate_->WaitStatus(200, "/web"));
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

}  // namespace
}  // namespace swarmgate::testing
