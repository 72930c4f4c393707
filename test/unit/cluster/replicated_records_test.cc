#include "cluster/replicated_records.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/rounds.h"

namespace swarmgate::cluster {
namespace {

using model::Record;
using model::ServiceName;

constexpr std::int64_t kNow = 1'800'000'000'000;

Record Make(const std::string& name, const std::string& path, std::int64_t updated = kNow) {
  Record record;
  record.service = ServiceName(name);
  record.parameters = {{"serviceName", name}, {"servicePath", path}};
  record.updated_unix_ms = record.created_unix_ms = updated;
  return record;
}

ReplicatedRecords Fresh(const std::string& epoch) {
  ReplicatedRecords records;
  records.Restore({epoch, 0, {}});
  return records;
}

/// What `from` knows goes to `to`.
std::size_t Exchange(const ReplicatedRecords& from, ReplicatedRecords& to) {
  return to.Merge(from.After(0), from.position().revision, kNow);
}

std::string PathOf(const ReplicatedRecords& records, const std::string& name) {
  const auto held = records.Get(ServiceName(name));
  return held.record ? held.record->parameters.at("servicePath") : "";
}

TEST(ReplicatedRecords, TheLaterVersionStandsWhicheverComesFirst) {
  ReplicatedRecords a = Fresh("a");
  ReplicatedRecords b = Fresh("b");
  ASSERT_TRUE(a.Put(Make("web", "/earlier", kNow), 0));
  ASSERT_TRUE(b.Put(Make("web", "/later", kNow + 1), 0));
  const ReplicatedRecords early = a;
  EXPECT_EQ(Exchange(b, a), 1U);
  EXPECT_EQ(Exchange(early, b), 0U);
  EXPECT_EQ(Exchange(early, a), 0U);
  EXPECT_EQ(PathOf(a, "web"), "/later");
  EXPECT_EQ(PathOf(b, "web"), "/later");
  EXPECT_EQ(a.digest(), b.digest());
}

TEST(ReplicatedRecords, VersionsOfOneTimeAreSettledAlikeEverywhere) {
  ReplicatedRecords a = Fresh("a");
  ReplicatedRecords b = Fresh("b");
  ASSERT_TRUE(a.Put(Make("web", "/a"), 0));
  ASSERT_TRUE(b.Put(Make("web", "/b"), 0));
  ReplicatedRecords other = b;
  (void)Exchange(a, b);
  (void)Exchange(other, a);
  EXPECT_EQ(PathOf(a, "web"), PathOf(b, "web"));
  EXPECT_EQ(a.digest(), b.digest());
}

TEST(ReplicatedRecords, WhoeverChangesWhatHeKnowsMakesTheLaterVersionWhateverHisClockSays) {
  ReplicatedRecords a = Fresh("a");
  ReplicatedRecords b = Fresh("b");
  ASSERT_TRUE(a.Put(Make("web", "/an-hour-ahead", kNow + 3'600'000), 0));
  (void)Exchange(a, b);
  const std::uint64_t known = b.Get(ServiceName("web")).record->revision;
  ASSERT_TRUE(b.Put(Make("web", "/next", kNow), known));
  (void)Exchange(b, a);
  EXPECT_EQ(PathOf(a, "web"), "/next");
  // A deletion likewise.
  ASSERT_TRUE(
      b.Delete(ServiceName("web"), b.Get(ServiceName("web")).record->revision, kNow - 5000));
  EXPECT_EQ(Exchange(b, a), 1U);
  EXPECT_EQ(PathOf(a, "web"), "");
}

TEST(ReplicatedRecords, WhatWasDeletedIsNotBroughtBackByOneWhoDidNotHear) {
  ReplicatedRecords a = Fresh("a");
  ReplicatedRecords b = Fresh("b");
  ASSERT_TRUE(a.Put(Make("web", "/web"), 0));
  (void)Exchange(a, b);
  ASSERT_TRUE(a.Delete(ServiceName("web"), 1, kNow + 5));
  EXPECT_EQ(Exchange(b, a), 0U);
  EXPECT_EQ(PathOf(a, "web"), "");
  // Nor by a store that gives it what it has lost …
  EXPECT_EQ(a.Put(Make("web", "/web"), 0).error().code, Code::kConflict);
  // … but defined anew it is.
  EXPECT_TRUE(a.Put(Make("web", "/new", kNow + 6), 0));
  (void)Exchange(a, b);
  EXPECT_EQ(PathOf(b, "web"), "/new");
}

TEST(ReplicatedRecords, ADeletionOfWhatIsNotThereReachesThoseWhoHaveIt) {
  ReplicatedRecords a = Fresh("a");
  ReplicatedRecords b = Fresh("b");
  ASSERT_TRUE(b.Put(Make("web", "/web"), 0));
  EXPECT_EQ(a.Delete(ServiceName("web"), 0, 0).error().code, Code::kNotFound);
  ASSERT_TRUE(a.Delete(ServiceName("web"), 0, kNow + 1));
  EXPECT_EQ(a.Delete(ServiceName("web"), 0, kNow + 1).error().code, Code::kNotFound);
  EXPECT_EQ(Exchange(a, b), 1U);
  EXPECT_EQ(PathOf(b, "web"), "");
}

TEST(ReplicatedRecords, OneRemovalIsAWithdrawalWhereverLabelsWereKnown) {
  ReplicatedRecords a = Fresh("a");
  ReplicatedRecords b = Fresh("b");
  Record withdrawn = Make("web", "");
  withdrawn.kind = Record::Kind::kWithdrawn;
  ASSERT_TRUE(a.Put(withdrawn, 0));
  ASSERT_TRUE(b.Delete(ServiceName("web"), 0, withdrawn.updated_unix_ms));
  (void)a.Merge(b.After(0), b.position().revision, kNow);
  (void)b.Merge(a.After(0), a.position().revision, kNow);
  EXPECT_TRUE(a.Get(ServiceName("web")).record);
  EXPECT_TRUE(b.Get(ServiceName("web")).record);
  EXPECT_EQ(a.digest(), b.digest());
}

TEST(ReplicatedRecords, TheSameChangeTwiceIsNoChange) {
  ReplicatedRecords a = Fresh("a");
  const auto first = a.Put(Make("web", "/web"), 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(*a.Put(Make("web", "/web"), *first), *first);
  EXPECT_EQ(a.position().revision, *first);
}

TEST(ReplicatedRecords, AClockThatIsDaysAheadLearnsOfDeletionsToo) {
  ReplicatedRecords a = Fresh("a");
  ReplicatedRecords b = Fresh("b");
  ASSERT_TRUE(a.Put(Make("web", "/web"), 0));
  ASSERT_TRUE(b.Delete(ServiceName("web"), 0, kNow + 10));
  const std::int64_t ahead = kNow + 2 * ReplicatedRecords::kKeepDeletions.count();
  EXPECT_EQ(a.Merge(b.After(0), b.position().revision, ahead), 1U);
  EXPECT_EQ(PathOf(a, "web"), "");
  EXPECT_EQ(a.digest(), b.digest());
}

TEST(ReplicatedRecords, DeletionsAreForgottenInTheEndAndNeverTooMany) {
  ReplicatedRecords a = Fresh("a");
  ASSERT_TRUE(a.Delete(ServiceName("old"), 0, kNow));
  a.Saved();
  const std::int64_t week = ReplicatedRecords::kKeepDeletions.count();
  a.Forget(kNow + week + 1);
  EXPECT_TRUE(a.Get(ServiceName("old")).deleted_unix_ms > 0) << "by a clock that is ahead";
  Record newer = Make("newer", "/newer");
  newer.updated_unix_ms = kNow + week + 1;
  ASSERT_TRUE(a.Put(newer, 0));
  a.Saved();
  a.Forget(kNow + week);
  EXPECT_TRUE(a.Get(ServiceName("old")).deleted_unix_ms > 0);
  a.Forget(kNow + week + 1);
  EXPECT_EQ(a.Get(ServiceName("old")).deleted_unix_ms, 0);
  ASSERT_TRUE(a.Unsaved());
  EXPECT_EQ(a.Unsaved()->forgotten.size(), 1U);
  ReplicatedRecords x = Fresh("x");
  ASSERT_TRUE(x.Put(newer, 0));
  EXPECT_EQ(a.digest(), x.digest());
  for (std::size_t i = 0; i < ReplicatedRecords::kMostDeletions + 3; ++i) {
    ASSERT_TRUE(a.Delete(ServiceName("s" + std::to_string(i)), 0, kNow + 1 + std::int64_t(i)));
  }
  a.Forget(kNow);
  EXPECT_EQ(a.Get(ServiceName("s2")).deleted_unix_ms, 0) << "the oldest go";
  EXPECT_NE(a.Get(ServiceName("s3")).deleted_unix_ms, 0);
  // One that a peer still remembers is not learnt again.
  ReplicatedRecords b = Fresh("b");
  ASSERT_TRUE(b.Delete(ServiceName("older"), 0, 1));
  EXPECT_EQ(Exchange(b, a), 0U);
}

TEST(ReplicatedRecords, ChangesSinceAPositionAreThoseOnly) {
  ReplicatedRecords a = Fresh("a");
  ASSERT_TRUE(a.Put(Make("one", "/one"), 0));
  const ports::SharedPosition position = a.position();
  ASSERT_TRUE(a.Put(Make("two", "/two"), 0));
  ASSERT_TRUE(a.Delete(ServiceName("one"), 1, kNow + 1));
  const ports::Changes changes = a.Since(position);
  EXPECT_FALSE(changes.complete);
  ASSERT_EQ(changes.upserts.size(), 1U);
  EXPECT_EQ(changes.upserts[0].service.str(), "two");
  EXPECT_EQ(changes.deletes, std::vector{ServiceName("one")});
  EXPECT_EQ(changes.deleted_unix_ms.at(ServiceName("one")), kNow + 1);
  EXPECT_TRUE(a.Since({"another", 1}).complete);
  EXPECT_TRUE(a.Since({"a", 99}).complete) << "a history that was turned back";
  EXPECT_EQ(a.After(position.revision).size(), 2U);
}

TEST(ReplicatedRecords, WhatIsOnTheDiskIsAllThatThereIs) {
  ReplicatedRecords a = Fresh("a");
  ASSERT_TRUE(a.Put(Make("one", "/one"), 0));
  ASSERT_TRUE(a.Put(Make("two", "/two"), 0));
  ASSERT_TRUE(a.Delete(ServiceName("one"), 1, kNow + 1));
  const auto delta = a.Unsaved();
  ASSERT_TRUE(delta);
  ReplicatedRecords again;
  again.Restore({"a", delta->revision, delta->upserts});
  EXPECT_EQ(again.digest(), a.digest());
  EXPECT_EQ(again.position(), a.position());
  EXPECT_FALSE(again.Unsaved());
}

// Any number of replicas, any order of changes and meetings: in the end all have the same, and of
// each record the last change that anybody made knowingly.
TEST(ReplicatedRecords, ReplicasThatHaveMetHaveTheSame) {
  for (unsigned seed = 1; seed <= testing::Rounds(300); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](unsigned limit) { return random() % limit; };
    std::vector<ReplicatedRecords> replicas;
    for (const char* epoch : {"a", "b", "c"}) replicas.push_back(Fresh(epoch));
    for (int step = 0; step < 60; ++step) {
      ReplicatedRecords& one = replicas[below(3)];
      const ServiceName name("s" + std::to_string(below(4)));
      // Clocks that differ by seconds.
      const std::int64_t now = kNow + step + std::int64_t(below(5000));
      const auto held = one.Get(name);
      const std::uint64_t expected = held.record ? held.record->revision : 0;
      switch (below(4)) {
        case 0:
          (void)one.Delete(name, expected, now);
          break;
        case 1:
          (void)Exchange(replicas[below(3)], one);
          break;
        default:
          (void)one.Put(Make(name.str(), "/" + std::to_string(step), now), expected);
      }
    }
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          if (i != j) (void)Exchange(replicas[i], replicas[j]);
        }
      }
    }
    for (std::size_t i = 1; i < 3; ++i) {
      EXPECT_EQ(replicas[i].digest(), replicas[0].digest());
      for (int s = 0; s < 4; ++s) {
        const std::string name = "s" + std::to_string(s);
        EXPECT_EQ(PathOf(replicas[i], name), PathOf(replicas[0], name));
      }
    }
    // What differs in nothing but its history has one digest, and what differs has another.
    ReplicatedRecords copy = Fresh("d");
    (void)Exchange(replicas[0], copy);
    EXPECT_EQ(copy.digest(), replicas[0].digest());
    ASSERT_TRUE(copy.Put(Make("new", "/new"), 0));
    EXPECT_NE(copy.digest(), replicas[0].digest());
  }
}

}  // namespace
}  // namespace swarmgate::cluster
