#include "app/layout.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace swarmgate::app {
namespace {

class LayoutTest : public ::testing::Test {
 protected:
  LayoutTest() {
    char pattern[] = "/tmp/swarmgate-layout-XXXXXX";
    root_ = mkdtemp(pattern);
    options_.data_dir = root_ + "/data";
    options_.run_dir = options_.data_dir + "/run";
  }
  ~LayoutTest() override { std::filesystem::remove_all(root_); }

  static mode_t ModeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777U;
  }

  std::string root_;
  Options options_;
};

TEST_F(LayoutTest, DirectoriesKeepSecretsOurs) {
  const Layout layout = LayoutOf(options_);
  ASSERT_TRUE(PrepareLayout(layout, options_));
  EXPECT_EQ(ModeOf(layout.data_dir), 0700U);
  EXPECT_EQ(ModeOf(layout.state_dir), 0700U);
  const auto key = LoadCookieKey(layout);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->size(), 32U);
  EXPECT_EQ(ModeOf(layout.state_dir + "/cookie_key"), 0600U);
}

TEST_F(LayoutTest, CookieKeyIsMadeOnceAndReplacedWhenItIsNone) {
  const Layout layout = LayoutOf(options_);
  ASSERT_TRUE(PrepareLayout(layout, options_));
  const auto first = LoadCookieKey(layout);
  ASSERT_TRUE(first);
  EXPECT_EQ(*LoadCookieKey(layout), *first);
  std::ofstream(layout.state_dir + "/cookie_key") << "not a key; option x";
  const auto second = LoadCookieKey(layout);
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
  EXPECT_EQ(*LoadCookieKey(layout), *second);
}

TEST_F(LayoutTest, HaproxysUserMustBeAbleToWalkThere) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  options_.haproxy_user = "nobody";
  std::filesystem::permissions(root_, std::filesystem::perms::owner_all);
  const Status status = PrepareLayout(LayoutOf(options_), options_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kInvalidArgument);
  EXPECT_NE(status.error().message.find(root_), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("DATA_DIR"), std::string::npos) << status.error().message;
  std::filesystem::permissions(root_, std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  EXPECT_TRUE(PrepareLayout(LayoutOf(options_), options_));
  options_.haproxy_user = "no-such-user-here";
  EXPECT_FALSE(PrepareLayout(LayoutOf(options_), options_));
}

TEST_F(LayoutTest, FileInTheWayIsSaid) {
  std::ofstream(options_.data_dir) << "x";
  const Status status = PrepareLayout(LayoutOf(options_), options_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message.rfind("DATA_DIR=", 0), 0U) << status.error().message;
}

TEST_F(LayoutTest, LockHasOneHolderAndNamesIt) {
  ASSERT_TRUE(PrepareLayout(LayoutOf(options_), options_));
  const std::string path = options_.data_dir + "/lock";
  const auto now = std::chrono::steady_clock::now();
  {
    const auto first = FileLock::Take(path, now);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = FileLock::Take(path, now);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::kConflict);
    EXPECT_NE(second.error().message.find(std::to_string(getpid())), std::string::npos);
  }
  EXPECT_TRUE(FileLock::Take(path, now));
}

TEST(BindableTest, PortOfAnotherProgramIsFound) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  // As HAProxy does: another HAProxy would share the port.
  setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const std::uint16_t port = ntohs(address.sin_port);
  for (const char* where : {"*", "127.0.0.1"}) {
    const Status status = CheckBindable({where, port});
    ASSERT_FALSE(status) << where;
    EXPECT_EQ(status.error().code, Code::kConflict);
  }
  close(listener);
  EXPECT_TRUE(CheckBindable({"127.0.0.1", port}));
  EXPECT_EQ(CheckBindable({"192.0.2.77", 8080}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(CheckBindable({"nonsense", 8080}).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace swarmgate::app
