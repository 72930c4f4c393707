// Calls that are refused, that nobody waits for any more, or that are overtaken: what is left of
// them.
#include <gtest/gtest.h>

#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using testing::MakeService;
using testing::MakeTask;
using Served = std::map<std::string, std::vector<std::string>>;
using Parameters = Rig::Parameters;

Parameters Call(const std::string& name, const std::string& path) {
  return {{"serviceName", name},
          {"servicePath", path},
          {"port", "9000"},
          {"outboundHostname", "192.0.2.7"}};
}

class CallLimitsTest : public ::testing::Test {
 protected:
  Rig rig;
};

TEST_F(CallLimitsTest, CallsForInventedNamesLeaveNothingInMemory) {
  rig.Start();
  const std::size_t before = rig.reconciler->remembered();
  for (int i = 0; i < 100; ++i) {
    const std::string name = "invented" + std::to_string(i);
    EXPECT_EQ(rig.Call(Command::Kind::kValidate, {{"serviceName", name}}).status, 409);
    EXPECT_EQ(rig.Reconfigure({{"serviceName", name}, {"servicePath", "/x"}}).status, 400);
    EXPECT_EQ(rig.Call(Command::Kind::kValidate, Call(name, "/" + name)).status, 200);
  }
  // One that is judged together with the others stays until the next look at them.
  EXPECT_LE(rig.reconciler->remembered(), before + 1);
}

// As many services as there are slots: one more makes another structure, which is checked before it
// goes live.
void FillTheSlots(Rig& rig) {
  rig.Start();
  for (int i = 0; i < 8; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(rig.Reconfigure(Call("s" + n, "/s" + n)).status, 200);
  }
}

TEST_F(CallLimitsTest, ACallThatHAProxyRefusesIsAnsweredWithItsWordsAndTakenBack) {
  FillTheSlots(rig);
  rig.proxy.RefuseConfigWith("/poison");
  const Outcome outcome = rig.Reconfigure(Call("bad", "/poison"));
  EXPECT_EQ(outcome.status, 500);
  EXPECT_NE(outcome.message.find("[ALERT] config : refused"), std::string::npos) << outcome.message;
  EXPECT_EQ(rig.Status("bad"), nullptr);
  EXPECT_EQ(rig.store.records().size(), 8U);
  EXPECT_EQ(rig.Served().size(), 8U);
  EXPECT_EQ(rig.Reconfigure(Call("bad", "/good")).status, 200);
  EXPECT_EQ(rig.Served().size(), 9U);
  rig.ExpectFilesAreTheTruth();
}

TEST_F(CallLimitsTest, ARefusedChangeLeavesTheLastGoodVersionServing) {
  FillTheSlots(rig);
  rig.proxy.RefuseConfigWith("/poison");
  // Together with one that makes another structure.
  const auto good = rig.Post(Command::Kind::kReconfigure, Call("more", "/more"));
  const auto first = rig.Post(Command::Kind::kReconfigure, Call("s0", "/better"));
  const auto second = rig.Post(Command::Kind::kReconfigure, Call("s0", "/poison"));
  rig.Settle();
  EXPECT_EQ(rig.outcomes[good].status, 200);
  EXPECT_EQ(rig.outcomes[first].status, 200);
  EXPECT_EQ(rig.outcomes[second].status, 500);
  EXPECT_EQ(rig.Served().size(), 9U);
  EXPECT_TRUE(rig.Served().contains("/better"));
  EXPECT_EQ(rig.store.records().at(model::ServiceName("s0")).parameters.at("servicePath"),
            "/better");
}

TEST_F(CallLimitsTest, ACallThatNobodyWaitsForIsCarriedOutAndForgotten) {
  rig.Start();
  rig.proxy.Kill();
  rig.Advance(Duration(2000));
  rig.call_time = Duration(15000);
  const auto call = rig.Post(Command::Kind::kReconfigure, Call("db", "/db"));
  rig.Advance(Duration(14000));
  EXPECT_FALSE(rig.outcomes.contains(call));
  EXPECT_EQ(rig.reconciler->waiting(), 1U);
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.outcomes[call].status, 504);
  EXPECT_EQ(rig.reconciler->waiting(), 0U);
  ASSERT_TRUE(rig.proxy.Start());
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.Served().size(), 1U) << "it stays asked for";
}

TEST_F(CallLimitsTest, ACallThatWaitsForAListIsCarriedOutWithoutItAtItsDeadline) {
  rig.Start();
  rig.answer_lists = false;  // Docker hangs
  rig.call_time = Duration(1000);
  const auto define = rig.Post(Command::Kind::kReconfigure,
                               {{"serviceName", "db"}, {"servicePath", "/db"}, {"port", "1"}});
  const auto resync = rig.Post(Command::Kind::kResync);
  rig.Advance(Duration(1100));
  EXPECT_EQ(rig.outcomes[define].status, 504);
  EXPECT_EQ(rig.outcomes[resync].status, 504);
  EXPECT_EQ(rig.reconciler->waiting(), 0U);
  EXPECT_EQ(rig.Served().size(), 1U);
}

TEST_F(CallLimitsTest, NoMoreThanSoManyCallsWait) {
  rig.Start();
  rig.proxy.Kill();
  rig.Advance(Duration(2000));
  std::vector<std::size_t> calls;
  for (int i = 0; i < 600; ++i) {
    calls.push_back(rig.Post(Command::Kind::kReconfigure, Call("db", "/" + std::to_string(i))));
  }
  EXPECT_EQ(rig.outcomes[calls.back()].status, 503);
  EXPECT_EQ(rig.reconciler->waiting(), 512U);
  ASSERT_TRUE(rig.proxy.Start());
  rig.Advance(Duration(2000));
  EXPECT_EQ(rig.outcomes[calls.front()].status, 200);
  EXPECT_EQ(rig.reconciler->waiting(), 0U);
}

TEST_F(CallLimitsTest, ARemoveCancelsADefinitionThatStillWaits) {
  rig.Start();
  const Parameters by_tasks = {{"serviceName", "db"}, {"servicePath", "/db"}, {"port", "1"}};
  rig.answer_lists = false;
  const auto define = rig.Post(Command::Kind::kReconfigure, by_tasks);
  const Outcome removed = rig.Remove("db");
  EXPECT_EQ(removed.status, 200);
  EXPECT_NE(removed.message.find("cancelled"), std::string::npos) << removed.message;
  EXPECT_EQ(rig.outcomes[define].status, 409);
  rig.answer_lists = true;
  rig.Advance(Duration(60000));
  EXPECT_TRUE(rig.Served().empty());
  EXPECT_TRUE(rig.store.records().empty());
}

TEST_F(CallLimitsTest, ARemoveRightBehindAChangeRemovesWhatWasThereBefore) {
  rig.Start();
  ASSERT_EQ(rig.Reconfigure(Call("db", "/old")).status, 200);
  const auto change = rig.Post(Command::Kind::kReconfigure, Call("db", "/new"));
  const auto remove = rig.Post(Command::Kind::kRemove, {{"serviceName", "db"}});
  rig.Settle();
  EXPECT_EQ(rig.outcomes[change].status, 409);
  EXPECT_EQ(rig.outcomes[remove].status, 200);
  EXPECT_TRUE(rig.Served().empty());
  EXPECT_TRUE(rig.store.records().empty());
}

}  // namespace
}  // namespace swarmgate::engine
