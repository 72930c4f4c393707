// What the disk may do to the store. What it shares with the fake stands in
// test/contract/store_contract_test.cc.
#include "swarmgate/sqlite/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "support/test_root.h"

namespace swarmgate::sqlite {
namespace {

using model::Record;
using model::ServiceName;

Record MakeRecord(const std::string& name, const std::string& value = "/") {
  Record record;
  record.service = ServiceName(name);
  record.parameters = {{"servicePath", value}};
  return record;
}

ports::AppliedDelta MakeDelta(const std::string& id) {
  ports::AppliedDelta delta;
  model::ServiceFacts facts;
  facts.id = id;
  facts.name = id;
  delta.upserts = {facts};
  return delta;
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<ports::StateStore> Open() { return MakeStore(path_); }

  // Runs SQL behind the store's back.
  void Sql(const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }

  // Files in the directory whose name holds `part`.
  int CountFiles(const std::string& part) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      const std::string name = entry.path().filename().string();
      if (name.find(part) != std::string::npos && !name.ends_with("-wal") &&
          !name.ends_with("-shm")) {
        ++count;
      }
    }
    return count;
  }

  testing::TempDir directory_;
  std::string path_ = directory_.path() + "/state.db";
};

TEST_F(SqliteStoreTest, NobodyElseMayReadTheFile) {
  ASSERT_TRUE(Open()->Load());
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsSetAsideAndReportedOnce) {
  std::ofstream(path_) << std::string(8192, 'x');
  auto store = Open();
  EXPECT_EQ(store->Load().error().code, Code::kCorrupt);
  EXPECT_EQ(CountFiles(".damaged-"), 1);
  Result<ports::StoredRecords> again = store->Load();
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_TRUE(again->records.empty());
  EXPECT_TRUE(store->Put(MakeRecord("web"), 0));
}

TEST_F(SqliteStoreTest, APageFullOfGarbageIsSetAside) {
  {
    auto store = Open();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(store->Put(MakeRecord("web" + std::to_string(i), std::string(500, 'a')), 0));
    }
  }
  Sql("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto size = std::filesystem::file_size(path_);
  ASSERT_GT(size, 40960U);
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(size - 8192, '\xff');
  }
  auto store = Open();
  EXPECT_EQ(store->Load().error().code, Code::kCorrupt);
  EXPECT_EQ(CountFiles(".damaged-"), 1);
  EXPECT_TRUE(store->Load());
}

TEST_F(SqliteStoreTest, ADamagedCellOfTheAppliedStateCostsNoRecord) {
  {
    auto store = Open();
    ASSERT_TRUE(store->Put(MakeRecord("web"), 0));
    ASSERT_TRUE(store->SaveApplied(MakeDelta("a")));
  }
  Sql("UPDATE services SET facts='{\"id\":7}'");
  auto store = Open();
  EXPECT_EQ(store->LoadApplied().error().code, Code::kCorrupt);
  Result<std::optional<ports::AppliedState>> again = store->LoadApplied();
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  EXPECT_EQ(store->Load()->records.size(), 1U);
  EXPECT_EQ(CountFiles(".damaged-"), 0);
}

TEST_F(SqliteStoreTest, DamagedRecordsAreSetAside) {
  struct Case {
    const char* name;
    const char* sql;
  };
  int damaged = 0;
  for (const Case& c : {Case{"no JSON", "UPDATE records SET parameters='{'"},
                        Case{"no object", "UPDATE records SET parameters='[]'"},
                        Case{"no text", "UPDATE records SET parameters='{\"a\":1}'"},
                        Case{"kind", "UPDATE records SET kind=9"},
                        Case{"origin", "UPDATE records SET origin=-1"}}) {
    SCOPED_TRACE(c.name);
    std::filesystem::remove(path_);
    ASSERT_TRUE(Open()->Put(MakeRecord("web"), 0));
    Sql(c.sql);
    auto store = Open();
    EXPECT_EQ(store->Load().error().code, Code::kCorrupt);
    EXPECT_TRUE(store->Load());
    EXPECT_EQ(CountFiles(".damaged-"), ++damaged);
  }
}

TEST_F(SqliteStoreTest, AFileOfANewerVersionIsLeftAsItIs) {
  ASSERT_TRUE(Open()->Put(MakeRecord("web"), 0));
  Sql("PRAGMA user_version=99");
  auto store = Open();
  Result<ports::StoredRecords> loaded = store->Load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kUnavailable);
  EXPECT_NE(loaded.error().message.find("newer version"), std::string::npos);
  EXPECT_EQ(store->Put(MakeRecord("api"), 0).error().code, Code::kUnavailable);
  EXPECT_EQ(CountFiles(".damaged-"), 0);
  Sql("PRAGMA user_version=1");
  EXPECT_EQ(Open()->Load()->records.size(), 1U);
}

TEST_F(SqliteStoreTest, ADirectoryThatIsMissingIsTriedAgain) {
  path_ = directory_.path() + "/later/state.db";
  auto store = Open();
  EXPECT_EQ(store->Load().error().code, Code::kUnavailable);
  std::filesystem::create_directory(directory_.path() + "/later");
  EXPECT_TRUE(store->Load());
}

TEST_F(SqliteStoreTest, AFullDiskIsReportedAndLosesNothingThatWasStored) {
  auto store = Open();
  ASSERT_TRUE(store->Put(MakeRecord("web"), 0));
  // The kernel refuses to let any file of this process grow.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  Result<std::uint64_t> put = store->Put(MakeRecord("big", std::string(100000, 'x')), 0);
  Status saved = store->SaveApplied(MakeDelta(std::string(100000, 'y')));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kUnavailable);
  EXPECT_EQ(saved.error().code, Code::kUnavailable);
  EXPECT_EQ(store->Load()->records.size(), 1U);
  EXPECT_TRUE(store->Put(MakeRecord("big", std::string(100000, 'x')), 0));
  EXPECT_EQ(Open()->Load()->records.size(), 2U);
}

}  // namespace
}  // namespace swarmgate::sqlite
