#include <gtest/gtest.h>

#include "swarmgate/codec/record_json.h"

namespace swarmgate::codec {
namespace {

Journal MakeJournal() {
  Journal journal;
  journal.epoch = "e";
  return journal;
}

TEST(Journal, RemembersDeletionsForLongerThanItNamesChanges) {
  Journal journal = MakeJournal();
  journal.Append({"gone", true}, 5);
  for (std::size_t i = 0; i < 2 * Journal::kLength; ++i) journal.Append({"busy", false});
  EXPECT_EQ(journal.changes.size(), Journal::kLength);
  const auto read = DecodeJournal(EncodeJournal(journal));
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(*read, journal);
  EXPECT_EQ(read->deletions_unix_ms.at("gone"), 5);
}

TEST(Journal, ForgetsADeletionThatSomethingHasFollowed) {
  Journal journal = MakeJournal();
  journal.Append({"a", true}, 5);
  journal.Append({"a", false});
  EXPECT_TRUE(journal.deletions_unix_ms.empty());
  journal.Append({"a", true}, 7);
  journal.Append({"a", true});  // at a time that nobody knows
  EXPECT_TRUE(journal.deletions_unix_ms.empty());
}

TEST(Journal, ForgetsTheDeletionsThatWereMadeFirst) {
  Journal journal = MakeJournal();
  const auto most = static_cast<std::int64_t>(Journal::kDeletions);
  for (std::int64_t i = 1; i <= most; ++i) journal.Append({"s" + std::to_string(i), true}, i + 10);
  journal.Append({"late, and made before all", true}, 1);
  journal.Append({"new", true}, most + 100);
  EXPECT_EQ(journal.deletions_unix_ms.size(), Journal::kDeletions);
  EXPECT_FALSE(journal.deletions_unix_ms.contains("late, and made before all"));
  EXPECT_FALSE(journal.deletions_unix_ms.contains("s1"));
  EXPECT_TRUE(journal.deletions_unix_ms.contains("new"));
}

TEST(Journal, TakesNoTimeThatIsNone) {
  const auto read = DecodeJournal(
      R"({"format":1,"epoch":"e","revision":1,"changes":["-a"],"deleted":{"a":"x","b":-1,"c":3}})");
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->deletions_unix_ms, (std::map<std::string, std::int64_t>{{"c", 3}}));
}

}  // namespace
}  // namespace swarmgate::codec
