// What was answered with 200 is not undone by what another replica does or knows: of each record
// the change that was made last stands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/engine/sharing_fixture.h"

namespace swarmgate::engine {
namespace {

using model::ServiceName;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kReconfigure = Command::Kind::kReconfigure;
constexpr auto kRemove = Command::Kind::kRemove;
constexpr const char* kPoison = "option no-such-thing";

class LostChangeTest : public SharingTest {
 protected:
  LostChangeTest() {
    for (Rig* rig : {&a, &b}) rig->options.parse.allow_raw = true;
  }
  void Later(Duration duration) {
    a.Advance(duration);
    b.Advance(duration);
    SettleBoth();
  }
  /// Consul is away, and both know it.
  void TakeSharedAway() {
    shared.SetDown(Code::kUnavailable);
    SettleBoth();
  }
  void BringSharedBack() {
    shared.SetDown(std::nullopt);
    Later(Duration(30000));
  }
  Outcome DefineWhatHAProxyRefuses(Rig& rig) {
    rig.proxy.RefuseConfigWith(kPoison);
    Rig::Parameters bad = Call("db", "/poison");
    bad["backendExtra"] = kPoison;
    return rig.Reconfigure(bad);
  }
};

TEST_F(LostChangeTest, ARefusedCallDeletesNothingThatAnotherReplicaHasAccepted) {
  StartBoth();
  TakeSharedAway();
  ASSERT_EQ(b.Reconfigure(Call("db", "/good")).status, 200);
  a.clock.Advance(Duration(1000));
  EXPECT_EQ(DefineWhatHAProxyRefuses(a).status, 500);
  BringSharedBack();
  EXPECT_THAT(Keys(a), ElementsAre("/good"));
  EXPECT_THAT(Keys(b), ElementsAre("/good"));
  EXPECT_THAT(Shared(), ElementsAre("db"));
}

TEST_F(LostChangeTest, ARefusedCallDoesNotMakeAnEarlierRemovalLater) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/old")).status, 200);
  SettleBoth();
  TakeSharedAway();
  a.clock.Advance(Duration(100));
  ASSERT_EQ(a.Remove("db").status, 200);
  b.clock.Set(a.clock.Now() + Duration(1000));
  ASSERT_EQ(b.Reconfigure(Call("db", "/later")).status, 200);
  a.clock.Set(b.clock.Now() + Duration(1000));
  EXPECT_EQ(DefineWhatHAProxyRefuses(a).status, 500);
  BringSharedBack();
  EXPECT_THAT(Keys(a), ElementsAre("/later"));
  EXPECT_THAT(Keys(b), ElementsAre("/later"));
}

TEST_F(LostChangeTest, ARemovalThatARefusedCallFollowedStands) {
  StartBoth();
  ASSERT_EQ(b.Reconfigure(Call("db", "/old")).status, 200);
  SettleBoth();
  TakeSharedAway();
  ASSERT_EQ(a.Remove("db").status, 200);
  a.clock.Advance(Duration(1000));
  EXPECT_EQ(DefineWhatHAProxyRefuses(a).status, 500);
  BringSharedBack();
  EXPECT_THAT(Keys(a), IsEmpty());
  EXPECT_THAT(Keys(b), IsEmpty());
}

TEST_F(LostChangeTest, WhatIsRefusedLateIsNotReplacedByWhatWasBeforeItElsewhere) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/first")).status, 200);
  SettleBoth();
  a.proxy.Kill();
  a.Advance(Duration(2000));
  (void)a.Post(kReconfigure, Call("db", "/mine"));  // answered when HAProxy is there
  a.Settle();
  b.Settle();
  b.clock.Set(a.clock.Now() + Duration(1000));
  Rig::Parameters theirs = Call("db", "/theirs");
  theirs["backendExtra"] = kPoison;
  ASSERT_EQ(b.Reconfigure(theirs).status, 200);
  a.proxy.RefuseConfigWith(kPoison);  // of another version
  a.Settle();
  a.proxy.Start();
  a.Advance(Duration(5000));
  Later(Duration(30000));
  EXPECT_THAT(Keys(b), ElementsAre("/theirs"));
}

// It is in the shared store already when HAProxy turns out not to be able to listen on its port.
TEST_F(LostChangeTest, WhatIsRefusedLateIsTakenBackAtItsOwnTime) {
  a.options.sharing.answer_wait = Duration(60000);
  StartBoth();
  SettleBoth();
  a.proxy.RejectReloads(1, "out of memory");
  a.answer_shares = false;
  const std::size_t late = a.Post(kReconfigure, {{"serviceName", "db"},
                                                 {"reqMode", "tcp"},
                                                 {"srcPort", "2222"},
                                                 {"port", "22"},
                                                 {"outboundHostname", "192.0.2.7"}});
  a.Settle();
  ASSERT_EQ(a.sources.shares.size(), 1U);
  const ShareRequest request = a.sources.shares.front();
  a.sources.shares.pop_front();
  auto written = ShareOne(shared, request);
  ASSERT_TRUE(written);
  // The other one has heard of it, and is told something newer, which it cannot share now.
  b.Settle();
  ASSERT_EQ(b.State("db"), "live");
  b.clock.Set(a.clock.Now() + Duration(1000));
  b.answer_shares = b.answer_news = false;
  const std::size_t newer = b.Post(kReconfigure, Call("db", "/later"));
  b.Advance(Duration(10000));
  ASSERT_EQ(b.outcomes[newer].status, 200);
  a.proxy.RejectReloads(1, "Starting frontend tcp_2222: cannot bind socket");
  a.Advance(Duration(20000));
  ASSERT_EQ(a.outcomes[late].status, 500);
  a.Send(ShareDone{request.name, request.waiting, request.epoch, std::move(written)});
  a.answer_shares = true;
  a.Settle();
  EXPECT_THAT(Shared(), IsEmpty());
  b.answer_news = true;
  b.Settle();
  b.answer_shares = true;
  Later(Duration(60000));
  EXPECT_THAT(Keys(a), ElementsAre("/later"));
  EXPECT_THAT(Keys(b), ElementsAre("/later"));
}

TEST_F(LostChangeTest, AReplicaThatStartsOnOldLabelsDoesNotEndAWithdrawal) {
  Label(a, "/web");
  Label(b, "/web");
  StartBoth();
  SettleBoth();
  a.reconciler.reset();  // down
  Label(b, "/web2", 5);
  b.Hint("service", "update", "id-web");
  b.Advance(Duration(1000));
  ASSERT_EQ(b.Remove("web").status, 200);
  b.Advance(Duration(120000));
  Label(a, "/web2", 5);
  a.clock.Set(b.clock.Now());
  a.answer_lists = false;  // Docker takes its time
  a.Start();
  a.answer_lists = true;
  Later(Duration(120000));
  EXPECT_EQ(a.State("web"), "withdrawn");
  EXPECT_EQ(b.State("web"), "withdrawn");
}

TEST_F(LostChangeTest, AReplicaWithoutItsDockerDoesNotEndAWithdrawal) {
  Label(a, "/web");
  Label(b, "/web");
  StartBoth();
  SettleBoth();
  a.docker.FailNext(Code::kUnavailable, 100000);
  a.Send(DockerLost{Error{Code::kUnavailable, "down", {}}});
  a.Advance(Duration(5000));
  b.clock.Set(a.clock.Now());
  Label(b, "/web2", 5);
  b.Hint("service", "update", "id-web");
  b.Advance(Duration(1000));
  ASSERT_EQ(b.Remove("web").status, 200);
  SettleBoth();
  Later(Duration(70000));
  ASSERT_EQ(a.Reconfigure(Call("any", "/any")).status, 200);
  Later(Duration(5000));
  EXPECT_EQ(b.State("web"), "withdrawn");
  EXPECT_THAT(Shared(), ElementsAre("any", "web"));
}

TEST_F(LostChangeTest, AWithdrawalEndsWhereDockerSaysThatTheLabelsHaveChanged) {
  Label(a, "/web");
  Label(b, "/web");
  StartBoth();
  ASSERT_EQ(b.Remove("web").status, 200);
  Later(Duration(120000));
  for (Rig* rig : {&a, &b}) {
    Label(*rig, "/web2", 5);
    rig->Hint("service", "update", "id-web");
  }
  Later(Duration(5000));
  EXPECT_THAT(Keys(a), ElementsAre("/web2"));
  EXPECT_THAT(Keys(b), ElementsAre("/web2"));
  EXPECT_THAT(Shared(), IsEmpty());
}

TEST_F(LostChangeTest, NoReplicasBeforeTheFirstListIsOfWhatTheListSays) {
  Label(a, "/web");
  Label(b, "/web");
  b.Start();
  a.answer_lists = false;
  a.Start();
  Rig::Parameters none = Call("web", "/web");
  none["replicas"] = "0";
  const std::size_t call = a.Post(kReconfigure, none);
  a.Settle();
  a.answer_lists = true;
  Later(Duration(2000));
  ASSERT_TRUE(a.outcomes.contains(call));
  EXPECT_EQ(a.outcomes[call].status, 200);
  EXPECT_EQ(a.State("web"), "withdrawn");
  EXPECT_EQ(b.State("web"), "withdrawn");
}

TEST_F(LostChangeTest, AnOutdatedCallIsHandedOnAsWhatItIs) {
  b.Start();
  a.answer_lists = false;
  a.Start();
  const std::size_t removal = a.Post(kRemove, {{"serviceName", "db"}});  // waits for the list
  a.Settle();
  b.clock.Set(a.clock.Now() + Duration(100));
  a.clock.Set(b.clock.Now());
  ASSERT_EQ(b.Reconfigure(Call("db", "/db")).status, 200);
  a.Advance(Duration(100));
  a.answer_lists = true;
  Later(Duration(3000));
  ASSERT_TRUE(a.outcomes.contains(removal));
  ASSERT_EQ(a.outcomes[removal].status, 200);
  (void)b.Call(kRemove, {{"serviceName", "db"}}, a.outcomes[removal].made_unix_ms);
  Later(Duration(5000));
  EXPECT_THAT(Keys(a), ElementsAre("/db"));
  EXPECT_THAT(Keys(b), ElementsAre("/db"));
}

TEST_F(LostChangeTest, AfterADamagedFileWhatIsChangedIsStillShared) {
  StartBoth();
  for (const char* name : {"s0", "s1", "s2"}) {
    ASSERT_EQ(a.Reconfigure(Call(name, std::string("/") + name)).status, 200);
  }
  SettleBoth();
  ASSERT_EQ(b.Reconfigure(Call("other", "/other")).status, 200);
  a.store.FailNext(Code::kCorrupt);  // as it notes what the other one did
  a.Settle();
  Later(Duration(60000));
  EXPECT_EQ(a.store.records().size(), 4U);
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  Later(Duration(60000));
  EXPECT_THAT(Keys(b), Contains("/db"));
}

TEST_F(LostChangeTest, AfterARestartAChangeIsLaterThanTheRemovalThatStillWaits) {
  a.clock.SetWall(a.clock.WallNow() + std::chrono::hours(1));
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  TakeSharedAway();
  const Outcome removed = b.Remove("db");
  b.Restart();
  EXPECT_GT(b.Reconfigure(Call("db", "/again")).made_unix_ms, removed.made_unix_ms);
}

// As replicas among themselves, which keep every deletion for days.
TEST_F(LostChangeTest, WhatAStoreThatRemembersDeletionsHasNotIsLostAndNotDeleted) {
  shared.RememberDeletions();
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("kept", "/kept")).status, 200);
  ASSERT_EQ(a.Reconfigure(Call("gone", "/gone")).status, 200);
  SettleBoth();
  b.reconciler.reset();
  ASSERT_EQ(a.Remove("gone").status, 200);
  a.Settle();
  a.reconciler.reset();
  shared.LoseRecord(ServiceName("kept"));
  StartBoth();
  Later(Duration(5000));
  EXPECT_THAT(Keys(a), ElementsAre("/kept"));
  EXPECT_THAT(Keys(b), ElementsAre("/kept"));
}

TEST_F(LostChangeTest, TheEndOfAWithdrawalIsEarlierThanTheNextCallOfWhoeverKnewIt) {
  a.clock.SetWall(a.clock.WallNow() + std::chrono::hours(1));
  Label(a, "/web");
  Label(b, "/web");
  StartBoth();
  ASSERT_EQ(a.Remove("web").status, 200);
  SettleBoth();
  Later(Duration(120000));
  TakeSharedAway();
  ASSERT_EQ(b.Reconfigure(Call("web", "/override")).status, 200);
  Label(a, "/changed", 5);
  a.Hint("service", "update", "id-web");
  a.Advance(Duration(100));
  BringSharedBack();
  EXPECT_THAT(Keys(a), ElementsAre("/override"));
  EXPECT_THAT(Keys(b), ElementsAre("/override"));
}

TEST_F(LostChangeTest, AfterARestartAChangeIsLaterThanWhatWasKnownBefore) {
  a.clock.SetWall(a.clock.WallNow() + std::chrono::hours(1));
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  ASSERT_EQ(a.Remove("db").status, 200);
  SettleBoth();
  ASSERT_THAT(Keys(b), IsEmpty());
  TakeSharedAway();
  b.Restart();
  b.Advance(Duration(20000));
  ASSERT_EQ(b.Reconfigure(Call("db", "/again")).status, 200);
  BringSharedBack();
  EXPECT_THAT(Keys(a), ElementsAre("/again"));
  EXPECT_THAT(Keys(b), ElementsAre("/again"));
}

TEST_F(LostChangeTest, WithoutDockerAWithdrawalEndsWithTheVariableThatItWasOf) {
  for (Rig* rig : {&a, &b}) {
    rig->with_docker = false;
    rig->options.static_services = {Call("st", "/st")};
  }
  StartBoth();
  ASSERT_EQ(a.Remove("st").status, 200);
  SettleBoth();
  ASSERT_EQ(a.State("st"), "withdrawn");
  Later(Duration(120000));
  for (Rig* rig : {&a, &b}) rig->options.static_services = {Call("st", "/new")};
  StartBoth();
  Later(Duration(60000));
  EXPECT_THAT(Keys(a), ElementsAre("/new"));
  EXPECT_THAT(Shared(), IsEmpty());
}

TEST_F(LostChangeTest, ARemovalOfNothingWaitsNeitherForHAProxyNorForDockersNextList) {
  Label(a, "/web");
  StartBoth();
  a.call_time = Duration(5000);
  a.answer_lists = false;
  a.Start();  // on what is known from before
  ASSERT_EQ(a.State("web"), "live");
  EXPECT_EQ(a.Remove("web").status, 200);
  a.proxy.Kill();
  a.Advance(Duration(3000));
  const std::size_t call = a.Post(kRemove, {{"serviceName", "nobody"}});
  a.Advance(Duration(1000));
  ASSERT_TRUE(a.outcomes.contains(call));
  EXPECT_EQ(a.outcomes[call].status, 200) << a.outcomes[call].message;
}

TEST_F(LostChangeTest, ANameThatNoServiceCanHaveIsNotNoted) {
  StartBoth();
  const Outcome outcome = a.Remove("no/such name");
  EXPECT_EQ(outcome.status, 200);
  EXPECT_NE(outcome.message.find("nothing was removed"), std::string::npos);
  SettleBoth();
  EXPECT_EQ(shared.position().revision, 0U);
}

}  // namespace
}  // namespace swarmgate::engine
