#include "swarmgate/proxy/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "proxy/run_command.h"
#include "support/http_client.h"
#include "support/real_haproxy.h"

namespace swarmgate::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using swarmgate::testing::In;
using swarmgate::testing::RealHaproxy;
using swarmgate::testing::WaitUntil;

/// "CapEff:\t0000000000000400" → "0000000000000400".
std::string StatusField(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0)
      return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return "";
}

/// The names of what a process was started with, sorted; what is not readable: nothing.
std::vector<std::string> EnvironmentNames(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  std::vector<std::string> names;
  for (std::string entry; std::getline(file, entry, '\0');) {
    names.push_back(entry.substr(0, entry.find('=')));
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RealHaproxy::Available()) GTEST_SKIP() << "no haproxy on this machine";
    const auto& settings = haproxy_.settings();
    const auto slots = haproxy::AssignSlots({}, {}, {}, 8);
    files_ = RenderFiles(Render({}, slots, settings));
    ASSERT_TRUE(PrepareRunDir(settings.run_dir, std::nullopt));
    ASSERT_TRUE(haproxy_.files().Write(files_, {}));
  }
  RealHaproxy haproxy_;
  haproxy::Files files_;
};

TEST_F(ProcessTest, ItIsFoundWhereItRunsAndEndsWhenItIsTold) {
  const std::string& run = haproxy_.settings().run_dir;
  EXPECT_FALSE(HaproxyAnswers(run));
  EXPECT_FALSE(FindMaster(run));
  ASSERT_TRUE(haproxy_.Start());
  EXPECT_TRUE(HaproxyAnswers(run));
  ASSERT_TRUE(WaitUntil([&] { return FindMaster(run).has_value(); }));
  EXPECT_EQ(*FindMaster(run), haproxy_.master());
  EXPECT_FALSE(HaproxyEnded(haproxy_.master()));
  EXPECT_TRUE(StopHaproxy(haproxy_.master(), In(seconds(5)), In(seconds(10))));
  EXPECT_FALSE(HaproxyAnswers(run));
  EXPECT_FALSE(SoftStopHaproxy(haproxy_.master()));
}

TEST_F(ProcessTest, ItIsInASessionOfItsOwnWithoutOurDescriptors) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);  // inheritable on purpose
  ASSERT_TRUE(haproxy_.Start());
  close(ends[1]);
  // End of file at once: nobody else holds the other end.
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
  EXPECT_EQ(getsid(haproxy_.master()), haproxy_.master());
  char target[256] = {};
  const std::string output = "/proc/" + std::to_string(haproxy_.master()) + "/fd/2";
  ASSERT_GT(readlink(output.c_str(), target, sizeof target - 1), 0);
  EXPECT_EQ(std::string(target), HaproxyLog(haproxy_.settings().run_dir));
}

TEST_F(ProcessTest, ItServesOnWhenWhoeverStartedItIsKilled) {
  // A child starts HAProxy and is killed.
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t starter = fork();
  ASSERT_GE(starter, 0);
  if (starter == 0) {
    const auto pid = StartHaproxy(haproxy_.command());
    const pid_t value = pid ? *pid : -1;
    (void)!write(ends[1], &value, sizeof value);
    for (;;) pause();
  }
  pid_t master = -1;
  ASSERT_EQ(read(ends[0], &master, sizeof master), static_cast<ssize_t>(sizeof master));
  ASSERT_GT(master, 0);
  const std::string& run = haproxy_.settings().run_dir;
  EXPECT_TRUE(WaitUntil([&] { return HaproxyAnswers(run); }));
  kill(starter, SIGKILL);
  ASSERT_EQ(waitpid(starter, nullptr, 0), starter);
  close(ends[0]);
  close(ends[1]);
  EXPECT_TRUE(HaproxyAnswers(run));
  EXPECT_EQ(swarmgate::testing::Get({"127.0.0.1", haproxy_.port()}, "/").status, 503);
  const auto reloaded = haproxy_.control().Reload(In(seconds(10)));
  EXPECT_TRUE(reloaded) << reloaded.error().ToString();
  ASSERT_TRUE(WaitUntil([&] { return FindMaster(run).has_value(); }));
  EXPECT_EQ(*FindMaster(run), master);
  EXPECT_TRUE(StopHaproxy(master, In(seconds(5)), In(seconds(10))));
}

TEST_F(ProcessTest, AsAnotherUserItHasNothingButTheRightToBindLowPorts) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const auto user = LookupUser("haproxy");
  if (!user) GTEST_SKIP() << "no user haproxy";
  const auto& settings = haproxy_.settings();
  DiskConfigFiles files({settings.files_dir, user->gid});
  ASSERT_TRUE(files.Write(files_, {}));
  // The folder of the test must let it through.
  ASSERT_EQ(chmod(haproxy_.directory().c_str(), 0755), 0);
  ASSERT_TRUE(PrepareRunDir(settings.run_dir, "haproxy"));
  HaproxyCommand command = haproxy_.command();
  command.user = "haproxy";
  ASSERT_EQ(setenv("ADMIN_TOKEN", "not for HAProxy", 1), 0);
  ASSERT_EQ(setenv("TZ", "Europe/Berlin", 1), 0);
  const auto master = StartHaproxy(command);
  unsetenv("ADMIN_TOKEN");
  unsetenv("TZ");
  ASSERT_TRUE(master) << master.error().ToString();
  const bool answers =
      WaitUntil([&] { return HaproxyAnswers(settings.run_dir) || HaproxyEnded(*master); });
  ASSERT_TRUE(answers && HaproxyAnswers(settings.run_dir)) << HaproxyLogTail(settings.run_dir);
  const auto worker = haproxy_.control().Pid(In(seconds(5)));
  ASSERT_TRUE(worker);
  const auto check = [&](pid_t pid) {
    const std::string id = std::to_string(user->uid);
    EXPECT_EQ(StatusField(pid, "Uid"), id + "\t" + id + "\t" + id + "\t" + id);
    EXPECT_EQ(StatusField(pid, "Gid").substr(0, std::to_string(user->gid).size()),
              std::to_string(user->gid));
    EXPECT_EQ(StatusField(pid, "CapEff"), "0000000000000400");
    EXPECT_EQ(StatusField(pid, "CapPrm"), "0000000000000400");
    EXPECT_EQ(StatusField(pid, "NoNewPrivs"), "1");
    EXPECT_EQ(StatusField(pid, "Groups").find("0 "), std::string::npos);
    // The master replaces itself once its worker runs, and has no environment for a moment.
    std::vector<std::string> names;
    EXPECT_TRUE(WaitUntil([&] {
      names = EnvironmentNames(pid);
      return std::find(names.begin(), names.end(), "TZ") != names.end();
    }));
    for (const std::string& name : names) {
      // HAProxy sets its own for the worker.
      const bool expected = name == "PATH" || name == "TZ" || name == "LANG" ||
                            name == "HOSTNAME" || name.starts_with("HAPROXY_");
      EXPECT_TRUE(expected) << name << " of process " << pid;
    }
  };
  check(*master);
  check(*worker);
  const auto reloaded = haproxy_.control().Reload(In(seconds(10)));
  ASSERT_TRUE(reloaded) << reloaded.error().ToString();
  check(reloaded->new_pid);
  struct stat info {};
  ASSERT_EQ(stat(RuntimeSocket(settings.run_dir).c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, user->uid);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat(settings.run_dir.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  EXPECT_TRUE(StopHaproxy(*master, In(seconds(5)), In(seconds(10))));
}

TEST(RunCommandTest, WhoChecksFilesHasTheEnvironmentOfWhoServesThem) {
  ASSERT_EQ(setenv("ADMIN_TOKEN", "not for HAProxy", 1), 0);
  const auto result = RunCommand({"env"}, In(seconds(5)));
  unsetenv("ADMIN_TOKEN");
  ASSERT_TRUE(result) << result.error().ToString();
  EXPECT_NE(result->output.find("PATH="), std::string::npos) << result->output;
  EXPECT_EQ(result->output.find("ADMIN_TOKEN"), std::string::npos) << result->output;
}

TEST_F(ProcessTest, AFailureToStartSaysWhatFailed) {
  HaproxyCommand command = haproxy_.command();
  command.binary = "no-such-haproxy";
  auto started = StartHaproxy(command);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kNotFound);
  command = haproxy_.command();
  command.user = "no-such-user-here";
  started = StartHaproxy(command);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, geteuid() == 0 ? Code::kNotFound : Code::kInvalidArgument);
  command = haproxy_.command();
  command.files_dir += "/nowhere";
  started = StartHaproxy(command);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kUnavailable);
  EXPECT_NE(started.error().ToString().find("chdir"), std::string::npos)
      << started.error().ToString();
}

TEST_F(ProcessTest, ABrokenConfigurationIsInTheLog) {
  files_["conf/00-base.cfg"] += "\nno such keyword\n";
  ASSERT_TRUE(haproxy_.files().Write(files_, {}));
  const auto master = StartHaproxy(haproxy_.command());
  ASSERT_TRUE(master) << master.error().ToString();
  EXPECT_TRUE(WaitUntil([&] { return HaproxyEnded(*master); }));
  EXPECT_NE(HaproxyLogTail(haproxy_.settings().run_dir).find("unknown keyword"), std::string::npos)
      << HaproxyLogTail(haproxy_.settings().run_dir);
}

TEST_F(ProcessTest, TheLogDoesNotGrowForEver) {
  const std::string log = HaproxyLog(haproxy_.settings().run_dir);
  swarmgate::testing::WriteFile(log, std::string(3 << 20, 'x'));
  ASSERT_TRUE(haproxy_.Start());
  struct stat info {};
  ASSERT_EQ(stat(log.c_str(), &info), 0);
  EXPECT_LT(info.st_size, 1 << 20);
  std::ofstream(log, std::ios::app) << std::string(5 << 20, 'y');
  ASSERT_TRUE(haproxy_.control().Reload(In(seconds(10))));
  ASSERT_EQ(stat(log.c_str(), &info), 0);
  EXPECT_LT(info.st_size, 1 << 20);
}

TEST_F(ProcessTest, TheVersionIsKnown) {
  const auto version = ProbeVersion("haproxy", In(seconds(5)));
  ASSERT_TRUE(version) << version.error().ToString();
  EXPECT_GE(*version, (haproxy::Version{2, 6, 3}));
  EXPECT_EQ(ProbeVersion("no-such-haproxy", In(seconds(5))).error().code, Code::kNotFound);
  EXPECT_EQ(ProbeVersion("/bin/true", In(seconds(5))).error().code, Code::kCorrupt);
}

TEST(HaproxyArgumentsTest, AreFixed) {
  HaproxyCommand command;
  command.files_dir = "/data/haproxy";
  command.run_dir = "/run/sg";
  const std::vector<std::string> expected = {"haproxy", "-W",
                                             "-S",      "/run/sg/master.sock,mode,600,level,admin",
                                             "-f",      "/data/haproxy/conf"};
  EXPECT_EQ(HaproxyArguments(command), expected);
}

TEST(PrepareRunDirTest, RefusesWhatHaproxyCannotTake) {
  EXPECT_EQ(PrepareRunDir("/tmp/" + std::string(100, 'x'), std::nullopt).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(PrepareRunDir("/tmp/a,b", std::nullopt).error().code, Code::kInvalidArgument);
  swarmgate::testing::TempDir dir("run");
  const std::string run = dir.File("a/b");
  ASSERT_TRUE(PrepareRunDir(run, std::nullopt));
  ASSERT_EQ(chmod(run.c_str(), 0777), 0);
  ASSERT_TRUE(PrepareRunDir(run, std::nullopt));
  struct stat info {};
  ASSERT_EQ(stat(run.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST(HaproxyLogTailTest, IsPrintableAndShort) {
  swarmgate::testing::TempDir dir("log");
  EXPECT_EQ(HaproxyLogTail(dir.path()), "");
  swarmgate::testing::WriteFile(HaproxyLog(dir.path()),
                                std::string(5000, 'a') + "\nfirst\n\x1b[31mred\n");
  EXPECT_EQ(HaproxyLogTail(dir.path(), 100), "first\n\\x1b[31mred\n");
}

}  // namespace
}  // namespace swarmgate::proxy
