// Several replicas and one Consul: what one is told the others serve, whoever is away meanwhile.
#include <gtest/gtest.h>

#include <memory>

#include "integration/world.h"
#include "support/consul_server.h"
#include "support/json.h"
#include "support/network.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ReplicasTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = ConsulServer::WhyNot(); !why.empty()) GTEST_SKIP() << why;
    consul_ = std::make_unique<ConsulServer>();
  }
  void TearDown() override {
    if (!HasFailure()) return;
    for (const Gate* gate : {a_.get(), b_.get()}) {
      if (gate == nullptr) continue;
      const std::string log = gate->Log();
      GTEST_LOG_(INFO) << "log: " << (log.size() > 6000 ? log.substr(log.size() - 6000) : log);
    }
  }

  std::unique_ptr<Gate> Make() {
    GateOptions options;
    options.environment["CONSUL_ADDRESS"] =
        "127.0.0.1:" + std::to_string(FreePort()) + "," + consul_->address();
    return std::make_unique<Gate>(options);
  }
  /// Defines a service; its task is the admin API of the same instance.
  static HttpResponse Define(const Gate& gate, const std::string& name, const std::string& path) {
    return gate.Admin("/v1/docker-flow-proxy/reconfigure?serviceName=" + name +
                      "&servicePath=" + path + "&port=" + std::to_string(gate.admin().port) +
                      "&outboundHostname=127.0.0.1&reqPathSearch=^/.*&reqPathReplace=/healthz");
  }
  static HttpResponse Remove(const Gate& gate, const std::string& name) {
    return gate.Admin("/v1/docker-flow-proxy/remove?serviceName=" + name);
  }
  static std::string Persisted(const HttpResponse& response) {
    return JsonText(response.body, "/Persisted");
  }
  static std::string Shared(const Gate& gate, const std::string& member) {
    return JsonText(gate.Admin("/v1/status").body, "/shared/" + member);
  }
  static std::string Revision(const Gate& gate) { return Shared(gate, "revision"); }

  std::unique_ptr<ConsulServer> consul_;
  std::unique_ptr<Gate> a_;
  std::unique_ptr<Gate> b_;
};

TEST_F(ReplicasTest, WhatOneIsToldTheOthersServeWithinASecond) {
  a_ = Make();
  b_ = Make();
  a_->Start();
  b_->Start();
  const HttpResponse put = Define(*a_, "one", "/one");
  ASSERT_EQ(put.status, 200) << put.Summary();
  EXPECT_EQ(Persisted(put), "true");
  EXPECT_EQ(a_->Web("/one").status, 200);
  EXPECT_TRUE(b_->WaitStatus(200, "/one", {}, seconds(1)));
  ASSERT_EQ(Remove(*b_, "one").status, 200);
  EXPECT_TRUE(a_->WaitStatus(503, "/one", {}, seconds(1)));
  // A certificate takes the same way.
  EXPECT_TRUE(
      WaitUntil([&] { return JsonCount(a_->Admin("/v1/status").body, "/shared/replicas") == 2; }));
  EXPECT_TRUE(WaitUntil([&] {
    const std::string status = a_->Admin("/v1/status").body;
    return JsonText(status, "/shared/replicas/0/revision") == Revision(*a_) &&
           JsonText(status, "/shared/replicas/1/revision") == Revision(*a_);
  }));
  const CommandResult status = a_->Cli({"status"});
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_NE(status.output.find("consul    ok"), std::string::npos) << status.output;
  b_->Stop();
  EXPECT_TRUE(WaitUntil(
      [&] { return JsonCount(a_->Admin("/v1/status").body, "/shared/replicas") == 1; }, seconds(8)))
      << "one that ends says so";
}

TEST_F(ReplicasTest, OneThatStartsLaterHasItAllWhenItIsReady) {
  a_ = Make();
  a_->Start();
  for (int i = 0; i < 5; ++i) {
    const std::string name = "s" + std::to_string(i);
    ASSERT_EQ(Define(*a_, name, "/" + name).status, 200);
  }
  b_ = Make();
  b_->Start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(b_->Web("/s" + std::to_string(i)).status, 200) << i;
  EXPECT_EQ(Revision(*b_), "5");
}

TEST_F(ReplicasTest, WithoutConsulCallsAreAnsweredAndSentLater) {
  a_ = Make();
  b_ = Make();
  a_->Start();
  b_->Start();
  ASSERT_EQ(Persisted(Define(*a_, "before", "/before")), "true");
  ASSERT_TRUE(b_->WaitStatus(200, "/before"));
  consul_->Kill();
  ASSERT_TRUE(WaitUntil([&] { return Shared(*a_, "ok") == "false"; }));
  const HttpResponse put = Define(*a_, "during", "/during");
  EXPECT_EQ(put.status, 200) << put.Summary();
  EXPECT_EQ(Persisted(put), "false");
  EXPECT_EQ(a_->Web("/during").status, 200);
  ASSERT_EQ(Remove(*b_, "before").status, 200);
  EXPECT_EQ(Shared(*a_, "waiting"), "1");
  consul_->Start();
  EXPECT_TRUE(b_->WaitStatus(200, "/during"));
  EXPECT_TRUE(a_->WaitStatus(503, "/before"));
  EXPECT_TRUE(WaitUntil([&] { return Shared(*a_, "waiting") == "0"; }));
  EXPECT_EQ(Persisted(Define(*a_, "after", "/after")), "true");
}

TEST_F(ReplicasTest, AConsulThatHangsHoldsUpNoCall) {
  a_ = Make();
  a_->Start();
  ASSERT_EQ(Persisted(Define(*a_, "one", "/one")), "true");
  consul_->Pause();
  const auto before = std::chrono::steady_clock::now();
  const HttpResponse put = Define(*a_, "two", "/two");
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(Persisted(put), "false");
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(1500));
  EXPECT_EQ(a_->Web("/two").status, 200);
  consul_->Resume();
  EXPECT_TRUE(WaitUntil([&] { return Shared(*a_, "waiting") == "0"; }, seconds(20)));
}

TEST_F(ReplicasTest, WhatWasAcceptedSurvivesAKillAndIsSentAfterwards) {
  a_ = Make();
  b_ = Make();
  a_->Start();
  b_->Start();
  consul_->Kill();
  ASSERT_EQ(Persisted(Define(*a_, "kept", "/kept")), "false");
  a_->KillEverything();
  a_->Start();  // without Consul, on what it knows
  EXPECT_EQ(a_->Web("/kept").status, 200);
  EXPECT_EQ(Shared(*a_, "waiting"), "1");
  consul_->Start();
  EXPECT_TRUE(b_->WaitStatus(200, "/kept"));
}

TEST_F(ReplicasTest, WhatTheFirstReleasesLeftInConsulCanBeTakenOver) {
  a_ = Make();
  a_->Start();
  const std::string service = "docker-flow/go-demo/";
  ASSERT_TRUE(consul_->PutKey("docker-flow/service/go-demo", "swarm"));
  ASSERT_TRUE(consul_->PutKey(service + "path", "/demo"));
  ASSERT_TRUE(consul_->PutKey(service + "hostname", "127.0.0.1"));
  ASSERT_TRUE(consul_->PutKey(service + "port", std::to_string(a_->admin().port)));
  ASSERT_TRUE(consul_->PutKey("docker-flow/bad/path", "/bad"));
  ASSERT_TRUE(consul_->PutKey("docker-flow/bad/port", "many"));
  const CommandResult imported = a_->Cli({"import-consul", consul_->address()});
  EXPECT_EQ(imported.exit_code, 1) << imported.output;
  EXPECT_NE(imported.output.find("go-demo: live"), std::string::npos) << imported.output;
  EXPECT_NE(imported.output.find("bad: port"), std::string::npos) << imported.output;
  EXPECT_NE(a_->Web("/demo").status, 503);
  EXPECT_EQ(consul_->Key(service + "path"), "/demo");
  EXPECT_EQ(a_->Cli({"import-consul", "127.0.0.1:" + std::to_string(FreePort())}).exit_code, 3);
  EXPECT_EQ(a_->Cli({"import-consul"}).exit_code, 2);
}

TEST_F(ReplicasTest, AConsulThatWasEmptiedIsFilledAgain) {
  a_ = Make();
  a_->Start();
  ASSERT_EQ(Persisted(Define(*a_, "one", "/one")), "true");
  consul_->Kill();
  consul_->StartEmpty();
  EXPECT_TRUE(
      WaitUntil([&] { return !consul_->Key("docker-flow/services/one").empty(); }, seconds(20)));
  EXPECT_EQ(a_->Web("/one").status, 200);
}

}  // namespace
}  // namespace swarmgate::testing
