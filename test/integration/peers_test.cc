// Several replicas without a store in common: what one is told the others serve, whoever is away,
// hangs or lies meanwhile.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "integration/world.h"
#include "support/json.h"
#include "support/network.h"
#include "support/tcp_stub.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class PeersTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& gate : gates_) {
      if (HasFailure()) {
        const std::string log = gate->Log();
        GTEST_LOG_(INFO) << "log: " << (log.size() > 5000 ? log.substr(log.size() - 5000) : log);
      }
      if (paused_ != 0) (void)kill(paused_, SIGCONT);
    }
  }

  /// Replicas that know each other; none is started. `more`: addresses besides theirs.
  void Make(std::size_t count, const std::string& more = {}) {
    std::string peers = more;
    for (std::size_t i = 0; i < count; ++i) {
      gates_.push_back(std::make_unique<Gate>(GateOptions()));
      peers += (peers.empty() ? "" : ",") + Address(i);
    }
    for (const auto& gate : gates_) gate->options().environment["PEERS"] = peers;
  }
  void StartAll() {
    for (const auto& gate : gates_) gate->Start();
  }
  Gate& gate(std::size_t i) { return *gates_[i]; }
  std::string Address(std::size_t i) {
    return "127.0.0.1:" + std::to_string(gates_[i]->admin().port);
  }
  /// Defines a service; its task is the admin API of the first instance.
  HttpResponse Define(std::size_t i, const std::string& name, const std::string& path,
                      const std::string& more = {}) {
    return Call(i, "/v1/docker-flow-proxy/reconfigure?serviceName=" + name +
                       "&servicePath=" + path + "&port=" + std::to_string(gate(0).admin().port) +
                       "&outboundHostname=127.0.0.1&reqPathSearch=^/.*&reqPathReplace=/v1/test" +
                       more);
  }
  HttpResponse Remove(std::size_t i, const std::string& name, const std::string& more = {}) {
    return Call(i, "/v1/docker-flow-proxy/remove?serviceName=" + name + more);
  }
  HttpResponse Call(std::size_t i, const std::string& target) {
    HttpRequest request;
    request.target = target;
    const auto& environment = gate(i).options().environment;
    if (const auto token = environment.find("ADMIN_TOKEN"); token != environment.end()) {
      request.headers.emplace_back("Authorization", "Bearer " + token->second);
    }
    return Fetch(gate(i).admin(), request);
  }
  static std::string Shared(const Gate& gate, const std::string& member) {
    return JsonText(gate.Admin("/v1/status").body, "/shared/" + member);
  }
  static std::string Digest(const Gate& gate) {
    return JsonText(gate.Admin("/v1/replica").body, "/digest");
  }
  bool AllAgree() {
    return WaitUntil([&] {
      for (const auto& gate : gates_) {
        if (Digest(*gate).empty() || Digest(*gate) != Digest(*gates_[0])) return false;
      }
      return true;
    });
  }
  void Pause(std::size_t i) {
    paused_ = gate(i).controller();
    ASSERT_EQ(kill(paused_, SIGSTOP), 0);
  }
  void Resume() {
    (void)kill(paused_, SIGCONT);
    paused_ = 0;
  }

  std::vector<std::unique_ptr<Gate>> gates_;
  pid_t paused_ = 0;
};

TEST_F(PeersTest, WhatOneIsToldTheOthersServeWithinTwoSeconds) {
  Make(3);
  StartAll();
  const HttpResponse put = Define(0, "one", "/one");
  ASSERT_EQ(put.status, 200) << put.Summary();
  EXPECT_EQ(JsonText(put.body, "/Persisted"), "true");
  EXPECT_TRUE(gate(1).WaitStatus(200, "/one", {}, seconds(2)));
  EXPECT_TRUE(gate(2).WaitStatus(200, "/one", {}, seconds(2)));
  ASSERT_EQ(Remove(2, "one").status, 200);
  EXPECT_TRUE(gate(0).WaitStatus(503, "/one", {}, seconds(2)));
  EXPECT_TRUE(gate(1).WaitStatus(503, "/one", {}, seconds(2)));
  EXPECT_TRUE(AllAgree());
  // Each of them knows the others, and that none is behind.
  EXPECT_TRUE(WaitUntil([&] {
    const std::string status = gate(1).Admin("/v1/status").body;
    for (int i = 0; i < 3; ++i) {
      const std::string replica = "/shared/replicas/" + std::to_string(i);
      if (JsonText(status, replica + "/behind") != "0" ||
          JsonText(status, replica + "/revision") != JsonText(status, "/shared/revision")) {
        return false;
      }
    }
    return JsonCount(status, "/shared/replicas") == 3;
  })) << gate(1).Admin("/v1/status").body;
  const CommandResult status = gate(0).Cli({"status"});
  EXPECT_NE(status.output.find("peers     ok"), std::string::npos) << status.output;
}

TEST_F(PeersTest, ADistributedCallIsLiveEverywhereWhenItIsAnswered) {
  Make(3);
  StartAll();
  ASSERT_TRUE(AllAgree());
  const HttpResponse put = Define(0, "one", "/one", "&distribute=true");
  ASSERT_EQ(put.status, 200) << put.Summary();
  EXPECT_EQ(gate(1).Web("/one").status, 200) << put.body;
  EXPECT_EQ(gate(2).Web("/one").status, 200) << put.body;
  EXPECT_EQ(JsonText(put.body, "/Message"), "Distributed to all instances");
  ASSERT_EQ(JsonCount(put.body, "/replicas"), 2U) << put.body;
  for (const char* replica : {"/replicas/0", "/replicas/1"}) {
    EXPECT_EQ(JsonText(put.body, std::string(replica) + "/ok"), "true");
    EXPECT_EQ(JsonText(put.body, std::string(replica) + "/status"), "200");
    EXPECT_FALSE(JsonText(put.body, std::string(replica) + "/instance").empty());
  }
  // Every replica stores the very same change: nothing is left to be compared.
  EXPECT_TRUE(AllAgree());
  const std::string revision = Shared(gate(0), "revision");
  EXPECT_EQ(Remove(1, "one", "&distribute=true").status, 200);
  EXPECT_EQ(gate(0).Web("/one").status, 503);
  EXPECT_EQ(gate(2).Web("/one").status, 503);
  EXPECT_TRUE(AllAgree());
  const HttpResponse reload = Call(2, "/v1/docker-flow-proxy/reload?distribute=true");
  EXPECT_EQ(JsonText(reload.body, "/replicas/1/ok"), "true") << reload.body;
  EXPECT_EQ(gate(0).Reloads(), 1);
  EXPECT_EQ(gate(1).Reloads(), 1);
}

TEST_F(PeersTest, APeerThatHangsCostsItsOwnDeadlineAndNoChange) {
  Make(3);
  StartAll();
  ASSERT_TRUE(AllAgree());
  Pause(2);
  const auto before = steady_clock::now();
  const HttpResponse put = Define(0, "one", "/one", "&distribute=true");
  EXPECT_LT(steady_clock::now() - before, milliseconds(3500));
  EXPECT_EQ(put.status, 200) << put.Summary();
  EXPECT_EQ(gate(1).Web("/one").status, 200);
  EXPECT_NE(JsonText(put.body, "/Message").find("1 of 2 other replicas"), std::string::npos)
      << put.body;
  // Others go on meanwhile, by themselves, too.
  ASSERT_EQ(Define(1, "two", "/two").status, 200);
  EXPECT_TRUE(gate(0).WaitStatus(200, "/two", {}, seconds(2)));
  Resume();
  EXPECT_TRUE(gate(2).WaitStatus(200, "/one", {}, seconds(2)));
  EXPECT_TRUE(gate(2).WaitStatus(200, "/two", {}, seconds(2)));
}

TEST_F(PeersTest, OneThatWasAwayIsRightWhenItIsReady) {
  Make(2);
  StartAll();
  ASSERT_EQ(Define(0, "kept", "/kept").status, 200);
  ASSERT_EQ(Define(0, "gone", "/gone").status, 200);
  ASSERT_EQ(Define(0, "changed", "/before").status, 200);
  ASSERT_TRUE(gate(1).WaitStatus(200, "/before"));
  EXPECT_TRUE(AllAgree());
  gate(1).Stop();
  ASSERT_EQ(Remove(0, "gone").status, 200);
  ASSERT_EQ(Define(0, "changed", "/after").status, 200);
  gate(1).Start();
  EXPECT_EQ(gate(1).Web("/kept").status, 200);
  EXPECT_EQ(gate(1).Web("/after").status, 200);
  EXPECT_EQ(gate(1).Web("/gone").status, 503);
  EXPECT_EQ(gate(1).Web("/before").status, 503);
  EXPECT_TRUE(AllAgree());
  EXPECT_EQ(gate(0).Web("/gone").status, 503) << "what was removed does not return";
}

TEST_F(PeersTest, ChangesMadeApartMeetAndTheLaterOneStands) {
  Make(2);
  StartAll();
  ASSERT_EQ(Define(0, "both", "/first").status, 200);
  ASSERT_TRUE(gate(1).WaitStatus(200, "/first"));
  gate(1).Stop();
  ASSERT_EQ(Define(0, "both", "/earlier").status, 200);
  ASSERT_EQ(Define(0, "only-a", "/a").status, 200);
  gate(0).Stop();
  gate(1).Start();  // nobody to be reached: on what it knows
  ASSERT_EQ(Define(1, "both", "/later").status, 200);
  ASSERT_EQ(Define(1, "only-b", "/b").status, 200);
  gate(0).Start();
  for (std::size_t i : {0U, 1U}) {
    EXPECT_TRUE(gate(i).WaitStatus(200, "/later", {}, seconds(2))) << i;
    EXPECT_TRUE(gate(i).WaitStatus(200, "/a", {}, seconds(2))) << i;
    EXPECT_TRUE(gate(i).WaitStatus(200, "/b", {}, seconds(2))) << i;
    EXPECT_TRUE(gate(i).WaitStatus(503, "/earlier", {}, seconds(2))) << i;
  }
  EXPECT_TRUE(AllAgree());
}

TEST_F(PeersTest, StrangersAreNeitherCalledNorBelieved) {
  Make(3);
  gate(0).options().environment["ADMIN_TOKEN"] = "a-token-of-ours";
  gate(1).options().environment["ADMIN_TOKEN"] = "a-token-of-ours";
  gate(2).options().environment["ADMIN_TOKEN"] = "another-token";
  StartAll();
  const HttpResponse put = Define(0, "one", "/one", "&distribute=true");
  ASSERT_EQ(put.status, 200) << put.Summary();
  EXPECT_EQ(gate(1).Web("/one").status, 200);
  EXPECT_NE(put.body.find("does not prove that it knows our ADMIN_TOKEN"), std::string::npos)
      << put.body;
  ASSERT_EQ(Define(2, "evil", "/evil").status, 200);
  ASSERT_EQ(Define(1, "two", "/two").status, 200);
  ASSERT_TRUE(gate(0).WaitStatus(200, "/two"));
  EXPECT_EQ(gate(0).Web("/evil").status, 503);
  EXPECT_EQ(gate(2).Web("/one").status, 503);
  EXPECT_EQ(gate(2).Web("/two").status, 503);
  // Records have passwords and keys in them.
  EXPECT_EQ(gate(0).Admin("/v1/replica/records?after=0").status, 401);
}

TEST_F(PeersTest, WhoHangsTalksRubbishOrLiesHurtsNobody) {
  TcpStub silent("");
  TcpStub rubbish("\x01\x02 no HTTP at all\r\n\r\n");
  TcpStub liar(TcpStub::Http(
      200, "Content-Type: application/json\r\n",
      R"({"cluster":"docker-flow","service":"proxy","instance":"liar","run":"r","epoch":"e",)"
      R"("revision":9,"digest":"1-1","challenge":"1-1"})"));
  std::string more;
  for (const TcpStub* stub : {&silent, &rubbish, &liar}) {
    more += (more.empty() ? "" : ",") + stub->url().substr(7);
  }
  Make(2, more);
  for (const auto& gate : gates_) gate->options().environment["ADMIN_TOKEN"] = "never-on-the-wire";
  StartAll();
  const HttpResponse put = Define(0, "one", "/one", "&distribute=true");
  ASSERT_EQ(put.status, 200) << put.Summary();
  EXPECT_EQ(gate(1).Web("/one").status, 200);
  ASSERT_EQ(Define(1, "two", "/two").status, 200);
  EXPECT_TRUE(gate(0).WaitStatus(200, "/two", {}, seconds(2)));
  EXPECT_GT(liar.asked(), 0);
  EXPECT_NE(liar.received().find("/v1/replica?"), std::string::npos);
  EXPECT_EQ(liar.received().find("never-on-the-wire"), std::string::npos);
  EXPECT_EQ(liar.received().find("reconfigure"), std::string::npos);
}

}  // namespace
}  // namespace swarmgate::testing
