// Replicas that share a store: each of them a whole engine with a wholly fake world, around one
// shared store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/engine/sharing_fixture.h"

namespace swarmgate::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(SharingTest, WhatOneReplicaIsToldTheOthersServe) {
  StartBoth();
  const Outcome put = a.Reconfigure(Call("db", "/db"));
  EXPECT_EQ(put.status, 200);
  EXPECT_TRUE(put.persisted);
  b.Settle();
  EXPECT_THAT(Keys(b), ElementsAre("/db"));
  EXPECT_EQ(a.Reconfigure(Call("db", "/other")).status, 200);
  b.Settle();
  EXPECT_THAT(Keys(b), ElementsAre("/other"));
  EXPECT_TRUE(b.Remove("db").persisted);
  a.Settle();
  EXPECT_THAT(Keys(a), IsEmpty());
  EXPECT_THAT(Shared(), IsEmpty());
  EXPECT_EQ(a.snapshot()->shared.revision, 3U);
  EXPECT_EQ(a.snapshot()->shared.waiting, 0U);
}

TEST_F(SharingTest, AReplicaThatStartsLaterHasItAllBeforeItIsReady) {
  a.Start();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  b.answer_news = false;
  b.Start();
  EXPECT_FALSE(b.snapshot()->ready);
  EXPECT_THAT(b.snapshot()->not_ready_reason, HasSubstr("share"));
  b.answer_news = true;
  b.Settle();
  EXPECT_TRUE(b.snapshot()->ready);
  EXPECT_THAT(Keys(b), ElementsAre("/db"));
}

TEST_F(SharingTest, WithoutTheSharedStoreAReplicaStartsOnWhatItKnows) {
  a.Start();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  shared.SetDown(Code::kUnavailable);
  a.proxy.Kill();
  a.Start();
  a.Advance(Duration(1000));
  EXPECT_FALSE(a.snapshot()->ready) << "it may come back any moment";
  a.Advance(Duration(5000));
  EXPECT_TRUE(a.snapshot()->ready);
  EXPECT_THAT(Keys(a), ElementsAre("/db"));
  EXPECT_FALSE(a.snapshot()->shared.store.ok);
  EXPECT_THAT(a.snapshot()->shared.store.detail, HasSubstr("down"));
}

TEST_F(SharingTest, WhileTheSharedStoreIsAwayNothingIsLost) {
  StartBoth();
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  const Outcome put = a.Reconfigure(Call("db", "/db"));
  EXPECT_EQ(put.status, 200);
  EXPECT_FALSE(put.persisted);
  EXPECT_THAT(Keys(a), ElementsAre("/db"));
  EXPECT_EQ(a.snapshot()->shared.waiting, 1U);
  // kill -9, and a new controller on the same disk.
  a.proxy.Kill();
  a.Start();
  EXPECT_EQ(a.snapshot()->shared.waiting, 1U);
  shared.SetDown(std::nullopt);
  a.Advance(Duration(6000));
  b.Settle();
  EXPECT_THAT(Shared(), ElementsAre("db"));
  EXPECT_THAT(Keys(b), ElementsAre("/db"));
  EXPECT_EQ(a.snapshot()->shared.waiting, 0U);
  EXPECT_TRUE(a.store.shared().waiting.empty());
}

TEST_F(SharingTest, ARemovalThatWaitedIsNotUndoneByWhatIsStillThere) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  shared.SetDown(Code::kDeadlineExceeded);
  SettleBoth();
  EXPECT_FALSE(a.Remove("db").persisted);
  EXPECT_THAT(Keys(a), IsEmpty());
  a.proxy.Kill();
  a.Start();
  shared.SetDown(std::nullopt);
  a.Advance(Duration(6000));
  SettleBoth();
  EXPECT_THAT(Keys(a), IsEmpty());
  EXPECT_THAT(Keys(b), IsEmpty());
  EXPECT_THAT(Shared(), IsEmpty());
}

TEST_F(SharingTest, OfTwoChangesMadeApartTheLaterOneStandsEverywhere) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  a.clock.Advance(Duration(1000));
  ASSERT_FALSE(a.Reconfigure(Call("db", "/earlier")).persisted);
  b.clock.Advance(Duration(2000));
  ASSERT_FALSE(b.Reconfigure(Call("db", "/later")).persisted);
  shared.SetDown(std::nullopt);
  // The later one is written first: the earlier one must not undo it.
  b.Advance(Duration(6000));
  a.Advance(Duration(6000));
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/later"));
  EXPECT_THAT(Keys(b), ElementsAre("/later"));
  // … and the other way round.
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  ASSERT_FALSE(a.Reconfigure(Call("db", "/third")).persisted);
  b.clock.Advance(Duration(60000));
  ASSERT_FALSE(b.Reconfigure(Call("db", "/fourth")).persisted);
  shared.SetDown(std::nullopt);
  a.Advance(Duration(6000));
  b.Advance(Duration(6000));
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/fourth"));
  EXPECT_THAT(Keys(b), ElementsAre("/fourth"));
}

// What had lost was an earlier change of the same replica; the one that waits behind it has not
// been compared with theirs yet.
TEST_F(SharingTest, AChangeThatWaitsBehindOneThatLosesDoesNotUndoALaterOne) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  a.answer_shares = false;  // the write is on its way, and gets no answer
  a.clock.Advance(Duration(10));
  a.Reconfigure(Call("db", "/first"));
  a.clock.Advance(Duration(10));
  a.Reconfigure(Call("db", "/second"));
  b.clock.Advance(Duration(60000));
  ASSERT_TRUE(b.Reconfigure(Call("db", "/later")).persisted);
  a.answer_shares = true;
  a.Advance(Duration(6000));
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/later"));
  EXPECT_THAT(Keys(b), ElementsAre("/later"));
}

TEST_F(SharingTest, ACallThatLosesTheRaceIsToldSo) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  a.answer_shares = false;
  const std::size_t call = a.Post(Command::Kind::kReconfigure, Call("db", "/a"));
  a.Settle();
  EXPECT_FALSE(a.outcomes.contains(call)) << "it waits for the shared store";
  b.clock.Advance(Duration(5000));
  ASSERT_EQ(b.Reconfigure(Call("db", "/b")).status, 200);
  a.answer_shares = true;
  a.Settle();
  ASSERT_TRUE(a.outcomes.contains(call));
  EXPECT_EQ(a.outcomes[call].status, 409);
  EXPECT_THAT(a.outcomes[call].message, HasSubstr("another replica"));
  EXPECT_THAT(Keys(a), ElementsAre("/b"));
}

TEST_F(SharingTest, AnAnswerDoesNotWaitLongForTheSharedStore) {
  StartBoth();
  a.answer_shares = false;
  const std::size_t call = a.Post(Command::Kind::kReconfigure, Call("db", "/db"));
  a.Advance(Duration(400));
  EXPECT_FALSE(a.outcomes.contains(call));
  EXPECT_THAT(Keys(a), ElementsAre("/db")) << "it is live long before";
  a.Advance(Duration(200));
  ASSERT_TRUE(a.outcomes.contains(call));
  EXPECT_EQ(a.outcomes[call].status, 200);
  EXPECT_FALSE(a.outcomes[call].persisted);
}

TEST_F(SharingTest, RecordsFromBeforeThereWasASharedStoreAreGivenToIt) {
  a.shared = nullptr;
  a.Start();
  ASSERT_EQ(a.Reconfigure(Call("old", "/old")).status, 200);
  a.shared = &shared;
  a.Start();
  b.Start();
  EXPECT_THAT(Shared(), ElementsAre("old"));
  EXPECT_THAT(Keys(b), ElementsAre("/old"));
}

TEST_F(SharingTest, ASharedStoreThatLostEverythingGetsItBack) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("one", "/one")).status, 200);
  ASSERT_EQ(b.Reconfigure(Call("two", "/two")).status, 200);
  SettleBoth();
  shared.Lose();
  SettleBoth();
  EXPECT_THAT(Shared(), ElementsAre("one", "two"));
  EXPECT_THAT(Keys(a), ElementsAre("/one", "/two"));
  EXPECT_THAT(Keys(b), ElementsAre("/one", "/two"));
}

TEST_F(SharingTest, AStoreThatWasEmptiedBeforeItsFirstWriteWasSeenGetsItBack) {
  StartBoth();
  a.answer_news = false;
  ASSERT_TRUE(a.Reconfigure(Call("db", "/db")).persisted);
  ports::Changes nothing;
  nothing.complete = true;
  nothing.position = a.store.shared().position;
  EXPECT_EQ(nothing.position.revision, 0U);
  shared.Lose();
  a.Send(SharedNews{nothing});
  a.Settle();
  EXPECT_THAT(Shared(), ElementsAre("db"));
  EXPECT_THAT(Keys(a), ElementsAre("/db"));
}

TEST_F(SharingTest, AChangeThatWaitsOutlivesASharedStoreThatComesBackEmpty) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  ASSERT_FALSE(a.Reconfigure(Call("db", "/new")).persisted);
  shared.Lose();
  shared.SetDown(std::nullopt);
  a.answer_news = b.answer_news = false;  // the write comes before the news of it
  a.Advance(Duration(6000));
  EXPECT_THAT(Keys(a), ElementsAre("/new"));
  a.answer_news = b.answer_news = true;
  a.Settle();
  EXPECT_THAT(Shared(), ElementsAre("db")) << "at once";
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/new"));
  EXPECT_THAT(Keys(b), ElementsAre("/new"));
}

TEST_F(SharingTest, AChangeOfWhatOthersHaveDeletedMeanwhileIsNotKept) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  a.answer_shares = false;
  (void)a.Post(Command::Kind::kReconfigure, Call("db", "/new"));
  a.Settle();
  ASSERT_EQ(b.Remove("db").status, 200);
  a.answer_shares = true;
  a.Advance(Duration(400));
  SettleBoth();
  EXPECT_THAT(Keys(a), IsEmpty());
  EXPECT_THAT(Shared(), IsEmpty());
}

TEST_F(SharingTest, ALaterChangeStandsAgainstANewHistoryOfAnOlderState) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/old")).status, 200);
  SettleBoth();
  const model::Record old = shared.records().begin()->second;
  a.clock.Advance(Duration(1000));
  ASSERT_EQ(a.Reconfigure(Call("db", "/new")).status, 200);
  SettleBoth();
  shared.Lose();
  shared.PutAsOther(old);
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/new"));
  EXPECT_THAT(Keys(b), ElementsAre("/new"));
}

TEST_F(SharingTest, WhatWasDeletedWhileAReplicaWasDownDoesNotReturn) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  b.proxy.Kill();
  ASSERT_EQ(a.Remove("db").status, 200);
  b.Start();
  SettleBoth();
  EXPECT_THAT(Keys(b), IsEmpty());
  EXPECT_THAT(Shared(), IsEmpty());
}

TEST_F(SharingTest, ARefusedChangeDoesNotHoldUpTheOthers) {
  StartBoth();
  a.answer_shares = false;
  ASSERT_EQ(a.Post(Command::Kind::kReconfigure, Call("bad", "/bad")), 0U);
  a.Settle();
  ASSERT_EQ(a.sources.shares.size(), 1U);
  const ShareRequest refused = a.sources.shares.front();
  a.sources.shares.clear();
  a.answer_shares = true;
  a.Send(
      ShareDone{refused.name, refused.waiting, refused.epoch, Fail(Code::kRejected, "too large")});
  a.Settle();
  EXPECT_FALSE(a.outcomes[0].persisted);
  EXPECT_TRUE(a.Reconfigure(Call("good", "/good")).persisted);
  EXPECT_EQ(a.snapshot()->shared.waiting, 1U);
  EXPECT_THAT(a.snapshot()->shared.waiting_reason, HasSubstr("bad: "));
  EXPECT_TRUE(a.snapshot()->shared.store.ok);
  a.Advance(Duration(31000));
  EXPECT_EQ(a.snapshot()->shared.waiting, 0U) << "it is tried again";
}

TEST_F(SharingTest, ReplicasKnowHowFarTheOthersAre) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  a.Advance(Duration(6000));
  b.Advance(Duration(6000));
  a.Advance(Duration(6000));
  const auto replicas = a.snapshot()->shared.replicas;
  ASSERT_EQ(replicas->size(), 2U);
  EXPECT_EQ(replicas->at(0).id, "a");
  EXPECT_EQ(replicas->at(1).revision, 1U);
}

TEST_F(SharingTest, AFullDiskLosesNothingOfWhatOthersWrite) {
  StartBoth();
  a.store.FailAlways(true);
  ASSERT_EQ(b.Reconfigure(Call("db", "/db")).status, 200);
  a.Settle();
  EXPECT_THAT(Keys(a), ElementsAre("/db"));
  a.store.FailAlways(false);
  a.Advance(Duration(31000));
  EXPECT_EQ(a.store.records().size(), 1U);
  EXPECT_TRUE(a.Remove("db").persisted);
  EXPECT_THAT(Shared(), IsEmpty());
}

}  // namespace
}  // namespace swarmgate::engine
