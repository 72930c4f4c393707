// When changes were made, and what becomes of those that cross each other, meet a store that has
// lost something, or a disk that is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/shared_desk.h"
#include "unit/engine/sharing_fixture.h"

namespace swarmgate::engine {
namespace {

using model::ServiceName;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kReconfigure = Command::Kind::kReconfigure;

class SharingTimeTest : public SharingTest {
 protected:
  model::Record Stored(const std::string& name) { return shared.records().at(ServiceName(name)); }
};

TEST_F(SharingTimeTest, WhatAnotherReplicaHandsOnIsTheSameRecordAndNoChangeOfItsOwn) {
  StartBoth();
  const Outcome put = a.Reconfigure(Call("db", "/db"));
  ASSERT_GT(put.made_unix_ms, 0);
  b.answer_news = false;  // the call comes before the news of it
  const Outcome handed = b.Call(kReconfigure, Call("db", "/db"), put.made_unix_ms);
  EXPECT_EQ(handed.status, 200) << handed.message;
  EXPECT_THAT(Keys(b), ElementsAre("/db"));
  EXPECT_EQ(shared.position().revision, 1U);
  EXPECT_EQ(Stored("db").updated_unix_ms, put.made_unix_ms);
  // … or after it.
  b.answer_news = true;
  SettleBoth();
  EXPECT_EQ(b.Call(kReconfigure, Call("db", "/db"), put.made_unix_ms).status, 200);
  SettleBoth();
  EXPECT_EQ(shared.position().revision, 1U);
}

TEST_F(SharingTimeTest, ACallThatIsHandedOnTooLateUndoesNothing) {
  StartBoth();
  const std::int64_t made = a.Reconfigure(Call("db", "/first")).made_unix_ms;
  SettleBoth();
  ASSERT_EQ(b.Reconfigure(Call("db", "/second")).status, 200);
  const Outcome late = b.Call(kReconfigure, Call("db", "/first"), made);
  EXPECT_EQ(late.status, 200);
  EXPECT_THAT(late.message, HasSubstr("later change"));
  EXPECT_THAT(b.Call(Command::Kind::kRemove, {{"serviceName", "db"}}, made).message,
              HasSubstr("later change"));
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/second"));
  EXPECT_THAT(Keys(b), ElementsAre("/second"));
}

TEST_F(SharingTimeTest, ACallThatIsHandedOnAfterALaterDeletionIsNotServed) {
  StartBoth();
  const std::int64_t made = a.Reconfigure(Call("db", "/db")).made_unix_ms;
  SettleBoth();
  // What was deleted here cannot be told to the others now.
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  ASSERT_EQ(b.Remove("db").status, 200);
  const Outcome late = b.Call(kReconfigure, Call("db", "/db"), made);
  EXPECT_THAT(late.message, HasSubstr("later change"));
  EXPECT_THAT(Keys(b), IsEmpty());
  // Nor can it be written to the disk.
  const std::int64_t second = b.Reconfigure(Call("api", "/api")).made_unix_ms;
  b.store.FailAlways(true);
  ASSERT_EQ(b.Remove("api").status, 200);
  EXPECT_THAT(b.Call(kReconfigure, Call("api", "/api"), second).message, HasSubstr("later change"));
  EXPECT_THAT(Keys(b), IsEmpty());
  b.store.FailAlways(false);
  shared.SetDown(std::nullopt);
  b.Advance(Duration(60000));
  SettleBoth();
  EXPECT_THAT(Keys(a), IsEmpty());
  EXPECT_THAT(Keys(b), IsEmpty());
  // A later one is served.
  EXPECT_EQ(b.Reconfigure(Call("db", "/db")).status, 200);
  EXPECT_THAT(Keys(b), ElementsAre("/db"));
}

TEST_F(SharingTimeTest, ARemovalStandsAgainstAnEarlierCallThatItsReplicaHasNotHeardOf) {
  StartBoth();
  for (const bool removal_arrives_first : {true, false}) {
    SCOPED_TRACE(removal_arrives_first);
    const std::string name = removal_arrives_first ? "first" : "second";
    shared.SetDown(Code::kUnavailable);
    SettleBoth();
    ASSERT_EQ(a.Reconfigure(Call(name, "/" + name)).status, 200);
    b.clock.Advance(Duration(1000));
    const Outcome removed = b.Remove(name);
    EXPECT_EQ(removed.status, 200);
    EXPECT_FALSE(removed.persisted);
    EXPECT_THAT(removed.message, HasSubstr("nothing was removed"));
    b.Restart();  // what it has promised outlives it
    shared.SetDown(std::nullopt);
    (removal_arrives_first ? b : a).Advance(Duration(6000));
    (removal_arrives_first ? a : b).Advance(Duration(6000));
    SettleBoth();
    EXPECT_THAT(Keys(a), IsEmpty());
    EXPECT_THAT(Keys(b), IsEmpty());
    EXPECT_THAT(Shared(), IsEmpty());
  }
}

TEST_F(SharingTimeTest, ARemovalOfAWithdrawnServiceStandsAgainstAnOverrideItHasNotHeardOf) {
  for (Rig* rig : {&a, &b}) Label(*rig, "/web");
  StartBoth();
  ASSERT_EQ(b.Remove("web").status, 200);
  SettleBoth();
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  ASSERT_EQ(a.Reconfigure(Call("web", "/override")).status, 200);
  b.clock.Set(a.clock.Now() + Duration(1000));
  EXPECT_THAT(b.Remove("web").message, HasSubstr("nothing was removed"));
  shared.SetDown(std::nullopt);
  a.Advance(Duration(6000));
  b.Advance(Duration(6000));
  SettleBoth();
  EXPECT_THAT(Keys(a), IsEmpty());
  EXPECT_THAT(Keys(b), IsEmpty());
  EXPECT_EQ(a.State("web"), "withdrawn");
  EXPECT_EQ(b.State("web"), "withdrawn");
}

TEST_F(SharingTimeTest, TheEndOfAWithdrawalIsNotTheEndOfWhatWasAskedForSince) {
  for (Rig* rig : {&a, &b}) Label(*rig, "/web");
  StartBoth();
  ASSERT_EQ(b.Remove("web").status, 200);
  SettleBoth();
  a.Advance(Duration(120000));
  b.Advance(Duration(120000));
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  ASSERT_EQ(b.Reconfigure(Call("web", "/override")).status, 200);
  // The other one sees later that the labels have changed.
  a.clock.Advance(Duration(1000));
  Label(a, "/changed", 5);
  a.Hint("service", "update", "id-web");
  a.Advance(Duration(100));
  EXPECT_THAT(Keys(a), ElementsAre("/changed"));
  shared.SetDown(std::nullopt);
  a.Advance(Duration(60000));
  b.Advance(Duration(60000));
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/override"));
  EXPECT_THAT(Keys(b), ElementsAre("/override"));
}

TEST_F(SharingTimeTest, AChangeIsLaterThanWhatItsReplicaKnewWhateverItsClockSays) {
  a.clock.SetWall(a.clock.WallNow() + std::chrono::hours(1));
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/ahead")).status, 200);
  SettleBoth();
  const std::int64_t ahead = Stored("db").updated_unix_ms;
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  ASSERT_EQ(b.Reconfigure(Call("db", "/behind")).status, 200);
  shared.SetDown(std::nullopt);
  b.Advance(Duration(6000));
  EXPECT_GT(Stored("db").updated_unix_ms, ahead);
  // Deleted by the one whose clock is ahead, and defined anew by the other.
  SettleBoth();
  ASSERT_EQ(a.Remove("db").status, 200);
  SettleBoth();
  ASSERT_EQ(b.Reconfigure(Call("db", "/again")).status, 200);
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/again"));
  EXPECT_THAT(Keys(b), ElementsAre("/again"));
}

TEST_F(SharingTimeTest, AnOutcomeThatComesWhileANewerCallIsJudgedDoesNotUndoThat) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  a.answer_shares = a.answer_news = false;
  (void)a.Post(kReconfigure, Call("db", "/a"));
  a.Settle();
  ASSERT_EQ(a.sources.shares.size(), 1U);
  const ShareRequest request = a.sources.shares.front();
  a.sources.shares.clear();
  b.clock.Advance(Duration(1000));
  ASSERT_EQ(b.Reconfigure(Call("db", "/b")).status, 200);
  const auto outcome = ShareOne(shared, request);
  ASSERT_TRUE(outcome && outcome->theirs_won);
  a.clock.Advance(Duration(2000));
  const std::size_t newest = a.Post(kReconfigure, Call("db", "/newest"));
  a.reconciler->Handle(ShareDone{request.name, request.waiting, request.epoch, outcome});
  a.answer_shares = a.answer_news = true;
  a.Advance(Duration(1000));
  SettleBoth();
  EXPECT_EQ(a.outcomes[newest].status, 200) << a.outcomes[newest].message;
  EXPECT_THAT(Keys(a), ElementsAre("/newest"));
  EXPECT_THAT(Keys(b), ElementsAre("/newest"));
}

TEST_F(SharingTimeTest, WhatIsChangedWithoutTheSharedStoreIsSentByALaterRunThatHasIt) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  ASSERT_EQ(a.Reconfigure(Call("gone", "/gone")).status, 200);
  SettleBoth();
  a.shared = nullptr;
  a.proxy.Kill();
  a.Start();
  a.clock.Advance(Duration(1000));
  ASSERT_EQ(a.Reconfigure(Call("db", "/alone")).status, 200);
  ASSERT_EQ(a.Remove("gone").status, 200);
  a.shared = &shared;
  a.proxy.Kill();
  a.Start();
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/alone"));
  EXPECT_THAT(Keys(b), ElementsAre("/alone"));
}

TEST_F(SharingTimeTest, ARemovalOfWhatOurFullDiskNeverHadReachesTheOthers) {
  StartBoth();
  a.store.FailAlways(true);
  ASSERT_EQ(b.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  ASSERT_THAT(Keys(a), ElementsAre("/db"));
  ASSERT_EQ(a.Remove("db").status, 200);
  a.store.FailAlways(false);
  a.Advance(Duration(60000));
  SettleBoth();
  EXPECT_THAT(Keys(a), IsEmpty());
  EXPECT_THAT(Keys(b), IsEmpty());
  EXPECT_THAT(Shared(), IsEmpty());
}

TEST_F(SharingTimeTest, ARemovalThatMeetsAnEmptiedStoreIsNotUndoneByAnothersRefill) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  ASSERT_EQ(a.Reconfigure(Call("kept", "/kept")).status, 200);
  SettleBoth();
  shared.SetDown(Code::kUnavailable);
  SettleBoth();
  a.clock.Advance(Duration(1000));
  ASSERT_EQ(a.Remove("db").status, 200);
  shared.Lose();
  shared.SetDown(std::nullopt);
  a.Advance(Duration(6000));
  b.answer_shares = false;  // the news alone tell
  b.Advance(Duration(6000));
  EXPECT_THAT(Keys(b), ElementsAre("/kept"));
  b.answer_shares = true;
  SettleBoth();
  EXPECT_THAT(Keys(a), ElementsAre("/kept"));
  EXPECT_THAT(Keys(b), ElementsAre("/kept"));
  EXPECT_THAT(Shared(), ElementsAre("kept"));
}

TEST_F(SharingTimeTest, ThatTheStoreCannotTellYetIsNoFailureOfTheStore) {
  StartBoth();
  ASSERT_EQ(a.Reconfigure(Call("db", "/db")).status, 200);
  SettleBoth();
  a.answer_news = false;  // it does not know yet that the store was emptied
  shared.Lose();
  (void)a.Post(kReconfigure, Call("db", "/new"));
  a.Settle();
  EXPECT_TRUE(a.snapshot()->shared.store.ok) << a.snapshot()->shared.store.detail;
  EXPECT_EQ(a.snapshot()->shared.waiting, 1U);
  a.answer_news = true;
  a.Advance(Duration(6000));
  EXPECT_THAT(Shared(), ElementsAre("db"));
}

ports::Changes News(std::uint64_t revision, const std::vector<std::string>& upserts,
                    const std::vector<std::string>& deletes) {
  ports::Changes changes;
  changes.position = {"e", revision};
  for (const std::string& name : upserts) {
    model::Record record;
    record.service = ServiceName(name);
    record.revision = revision;
    changes.upserts.push_back(record);
  }
  for (const std::string& name : deletes) {
    changes.deletes.emplace_back(name);
    changes.deleted_unix_ms[ServiceName(name)] = 5;
  }
  return changes;
}

TEST_F(SharingTimeTest, NewsThatCannotBeTakenYetAreKeptAsOneState) {
  testing::FakeStore disk;
  const StoreKeeper keeper(disk, true, a.clock);
  FakeSources sources;
  const SharingOptions options;
  SharedDesk desk(options, true, keeper, sources, a.clock);
  ports::Changes all = News(1, {"a", "b"}, {});
  all.complete = true;
  desk.Hold({all});
  desk.Hold({News(2, {"c"}, {"a"})});
  desk.Hold({News(3, {"a"}, {"b"})});
  desk.Hold({News(4, {"c"}, {})});
  const std::vector<ports::Changes> held = desk.TakeHeld();
  ASSERT_EQ(held.size(), 1U);
  EXPECT_TRUE(held[0].complete);
  EXPECT_EQ(held[0].position.revision, 4U);
  ASSERT_EQ(held[0].upserts.size(), 2U);
  EXPECT_EQ(held[0].upserts[0].service.str(), "a");
  EXPECT_EQ(held[0].upserts[1].revision, 4U);
  EXPECT_THAT(held[0].deletes, ElementsAre(ServiceName("b")));
  EXPECT_EQ(held[0].deleted_unix_ms.count(ServiceName("a")), 0U);
  EXPECT_EQ(held[0].deleted_unix_ms.count(ServiceName("b")), 1U);
}

}  // namespace
}  // namespace swarmgate::engine
