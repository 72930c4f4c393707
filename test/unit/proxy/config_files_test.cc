#include "swarmgate/proxy/config_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test_root.h"

namespace swarmgate::proxy {
namespace {

using swarmgate::testing::ReadFile;
using swarmgate::testing::TempDir;
using swarmgate::testing::WriteFile;

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}
gid_t GroupOf(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_gid : static_cast<gid_t>(-1);
}
bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

class ConfigFilesTest : public ::testing::Test {
 protected:
  ConfigFilesTest() : dir_("files"), root_(dir_.File("deep/er/haproxy")) {}
  TempDir dir_;
  std::string root_;
};

TEST_F(ConfigFilesTest, OnlyTheOwnerReadsWhereNobodyElseMust) {
  DiskConfigFiles files({root_, std::nullopt});
  ASSERT_TRUE(files.Write({{"conf/a.cfg", "x"}}, {}));
  EXPECT_EQ(ModeOf(root_), 0700U);
  EXPECT_EQ(ModeOf(root_ + "/conf"), 0700U);
  EXPECT_EQ(ModeOf(root_ + "/conf/a.cfg"), 0600U);
}

TEST_F(ConfigFilesTest, HaproxysGroupReadsAndNobodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files to another group";
  constexpr gid_t kGroup = 54321;
  DiskConfigFiles files({root_, kGroup});
  ASSERT_TRUE(files.Write({{"conf/a.cfg", "x"}, {"maps/a.map", "y"}}, {}));
  const auto staged = files.Stage({{"conf/a.cfg", "x"}});
  ASSERT_TRUE(staged);
  for (const std::string& directory :
       {root_, root_ + "/conf", root_ + "/maps", *staged + "/conf"}) {
    EXPECT_EQ(ModeOf(directory), 0750U) << directory;
    EXPECT_EQ(GroupOf(directory), kGroup) << directory;
  }
  for (const std::string& file :
       {root_ + "/conf/a.cfg", root_ + "/maps/a.map", *staged + "/conf/a.cfg"}) {
    EXPECT_EQ(ModeOf(file), 0640U) << file;
    EXPECT_EQ(GroupOf(file), kGroup) << file;
  }
}

TEST_F(ConfigFilesTest, LeftOversOfAKilledPredecessorGo) {
  DiskConfigFiles first({root_, std::nullopt});
  ASSERT_TRUE(first.Write({{"conf/a.cfg", "x"}}, {}));
  WriteFile(root_ + "/conf/b.cfg.tmp", "half");
  WriteFile(root_ + "/maps/routes.map.tmp", "half");
  DiskConfigFiles second({root_, std::nullopt});
  const auto loaded = second.Load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->size(), 1U);
  ASSERT_TRUE(second.Write({}, {}));
  EXPECT_FALSE(Exists(root_ + "/conf/b.cfg.tmp"));
  EXPECT_FALSE(Exists(root_ + "/maps/routes.map.tmp"));
  EXPECT_EQ(ReadFile(root_ + "/conf/a.cfg"), "x");
}

TEST_F(ConfigFilesTest, AFileIsReplacedAndNeverRewritten) {
  DiskConfigFiles files({root_, std::nullopt});
  ASSERT_TRUE(files.Write({{"conf/a.cfg", "old"}}, {}));
  ASSERT_EQ(link((root_ + "/conf/a.cfg").c_str(), (root_ + "/kept").c_str()), 0);
  ASSERT_TRUE(files.Write({{"conf/a.cfg", "new"}}, {}));
  EXPECT_EQ(ReadFile(root_ + "/conf/a.cfg"), "new");
  EXPECT_EQ(ReadFile(root_ + "/kept"), "old");
}

TEST_F(ConfigFilesTest, WhatWasReplacedLeavesNothingBehind) {
  DiskConfigFiles files({root_, std::nullopt});
  for (const char* content : {"first", "second", "third"}) {
    ASSERT_TRUE(files.Write({{"maps/routes.map", content}}, {}));
    EXPECT_EQ(ReadFile(root_ + "/maps/routes.map"), content);
    EXPECT_FALSE(Exists(root_ + "/maps/routes.map.tmp"));
  }
}

TEST_F(ConfigFilesTest, NothingElseIsTouched) {
  DiskConfigFiles files({root_, std::nullopt});
  for (const char* path : {"../x.cfg", "conf/../x.cfg", "/etc/x.cfg", "conf/x", "conf/.cfg",
                           "conf/", "x.cfg", "maps/x.cfg", "other/x.cfg", "conf/sub/x.cfg"}) {
    const Status written = files.Write({{path, "x"}}, {});
    ASSERT_FALSE(written) << path;
    EXPECT_EQ(written.error().code, Code::kInvalidArgument) << path;
    EXPECT_FALSE(files.Write({}, {path})) << path;
    EXPECT_FALSE(files.Stage({{path, "x"}})) << path;
  }
}

TEST_F(ConfigFilesTest, ATemporaryNameThatLeadsElsewhereIsNotFollowed) {
  DiskConfigFiles files({root_, std::nullopt});
  ASSERT_TRUE(files.Write({}, {}));
  const std::string victim = dir_.File("victim");
  WriteFile(victim, "precious");
  ASSERT_EQ(symlink(victim.c_str(), (root_ + "/conf/a.cfg.tmp").c_str()), 0);
  EXPECT_TRUE(files.Write({{"conf/a.cfg", "x"}}, {}));
  EXPECT_EQ(ReadFile(victim), "precious");
  EXPECT_EQ(ReadFile(root_ + "/conf/a.cfg"), "x");
}

TEST_F(ConfigFilesTest, ADiskThatRefusesIsReportedWithThePath) {
  WriteFile(dir_.File("deep"), "a file where a directory should be");
  DiskConfigFiles files({root_, std::nullopt});
  const Status written = files.Write({{"conf/a.cfg", "x"}}, {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kUnavailable);
  EXPECT_NE(written.error().ToString().find("deep"), std::string::npos);
}

TEST_F(ConfigFilesTest, AStagedSetIsCompleteAndNew) {
  DiskConfigFiles files({root_, std::nullopt});
  ASSERT_TRUE(files.Stage({{"conf/a.cfg", "1"}, {"maps/a.map", "2"}}));
  const auto staged = files.Stage({{"conf/b.cfg", "3"}});
  ASSERT_TRUE(staged);
  EXPECT_FALSE(Exists(*staged + "/conf/a.cfg"));
  EXPECT_FALSE(Exists(*staged + "/maps/a.map"));
  EXPECT_EQ(ReadFile(*staged + "/conf/b.cfg"), "3");
}

}  // namespace
}  // namespace swarmgate::proxy
