#include "swarmgate/sqlite/peer_log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/test_root.h"

namespace swarmgate::sqlite {
namespace {

using model::ServiceName;
using model::SharedDocument;

SharedDocument Document(const std::string& name, std::uint64_t sequence) {
  model::Record record;
  record.service = ServiceName(name);
  record.revision = sequence;
  record.parameters = {{"servicePath", "/\"" + name}};
  record.updated_unix_ms = 5;
  return {ServiceName(name), record, 7, sequence};
}

class PeerLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<ports::PeerLog> Open() { return MakePeerLog(path_); }

  testing::TempDir directory_;
  std::string path_ = directory_.path() + "/peers.db";
};

TEST_F(PeerLogTest, KeepsDocumentsDeletionsAndItsHistory) {
  auto log = Open();
  const auto empty = log->Load();
  ASSERT_TRUE(empty) << empty.error().ToString();
  EXPECT_FALSE(empty->epoch.empty());
  EXPECT_TRUE(empty->documents.empty());
  const SharedDocument gone{ServiceName("gone"), std::nullopt, 9, 2};
  ASSERT_TRUE(log->Save({{Document("web", 1), gone, Document("old", 3)}, {}, 3}));
  ASSERT_TRUE(log->Save({{Document("web", 4)}, {ServiceName("old")}, 6}));
  const auto kept = Open()->Load();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->epoch, empty->epoch);
  EXPECT_EQ(kept->revision, 6U);
  EXPECT_EQ(kept->documents, (std::vector{gone, Document("web", 4)}));
}

TEST_F(PeerLogTest, ADamagedFileIsSetAsideAndANewHistoryBegun) {
  const auto before = Open()->Load();
  ASSERT_TRUE(before);
  std::ofstream(path_, std::ios::trunc) << std::string(8192, 'x');
  auto log = Open();
  EXPECT_EQ(log->Load().error().code, Code::kCorrupt);
  const auto after = log->Load();
  ASSERT_TRUE(after);
  EXPECT_NE(after->epoch, before->epoch);
  EXPECT_TRUE(after->documents.empty());
}

// A part of what is known, in a file that lacks the rest, would be taken for all at the next start.
TEST_F(PeerLogTest, ANewFileTakesNoChangeBeforeItsHistoryIsBegun) {
  auto log = Open();
  EXPECT_EQ(log->Save({{Document("web", 1)}, {}, 1}).error().code, Code::kCorrupt);
  ASSERT_TRUE(log->Load());
  EXPECT_TRUE(log->Save({{Document("web", 1)}, {}, 1}));
}

TEST_F(PeerLogTest, AFileThatCannotBeOpenedIsUnavailable) {
  auto log = MakePeerLog(directory_.path() + "/none/peers.db");
  EXPECT_EQ(log->Load().error().code, Code::kUnavailable);
  EXPECT_EQ(log->Save({}).error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace swarmgate::sqlite
