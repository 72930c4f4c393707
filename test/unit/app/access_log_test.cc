#include "app/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "support/test_root.h"
#include "support/wait.h"

namespace swarmgate::app {
namespace {

TEST(AccessLogTest, ADatagramIsOneLineWhateverItHolds) {
  EXPECT_EQ(AccessLine("{\"a\":1}\n"), "{\"a\":1}\n");
  EXPECT_EQ(AccessLine("{\"a\":1}"), "{\"a\":1}\n");
  EXPECT_EQ(AccessLine("a\nb\x1b[2Jc\r\x7f\n\n"), "a?b?[2Jc??\n");
  EXPECT_EQ(AccessLine(""), "\n");
}

class AccessLogReaderTest : public ::testing::Test {
 protected:
  AccessLogReaderTest() : dir_("access"), path_(dir_.File("access.sock")) {
    (void)std::signal(SIGPIPE, SIG_IGN);  // as the controller does
    EXPECT_EQ(pipe2(pipe_.data(), O_CLOEXEC), 0);
    sender_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  }
  ~AccessLogReaderTest() override {
    for (const int fd : {pipe_[0], pipe_[1], sender_}) close(fd);
  }

  bool Send(const std::string& text) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    return sendto(sender_, text.data(), text.size(), MSG_DONTWAIT,
                  reinterpret_cast<sockaddr*>(&address), sizeof address) >= 0;
  }
  std::string Written() {
    std::array<char, 65536> buffer{};
    const ssize_t got = read(pipe_[0], buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
  }

  testing::TempDir dir_;
  std::string path_;
  std::array<int, 2> pipe_{};
  int sender_ = -1;
};

TEST_F(AccessLogReaderTest, WritesWhatArrivesAndTheRestAtItsEnd) {
  auto log = AccessLog::Open(path_, pipe_[1]);
  ASSERT_TRUE(log) << log.error().ToString();
  ASSERT_TRUE(Send("one\n"));
  EXPECT_EQ(Written(), "one\n");
  ASSERT_TRUE(Send("two\n"));
  *log = nullptr;
  EXPECT_EQ(Written(), "two\n");
  EXPECT_FALSE(Send("three")) << "the socket is gone";
}

TEST_F(AccessLogReaderTest, TakesThePlaceOfAPredecessorThatWasKilled) {
  const int left_over = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(left_over, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(left_over);
  const auto log = AccessLog::Open(path_, pipe_[1]);
  ASSERT_TRUE(log) << log.error().ToString();
  ASSERT_TRUE(Send("here"));
  EXPECT_EQ(Written(), "here\n");
}

TEST_F(AccessLogReaderTest, ANonBlockingSenderIsNeverHeldUpByAnOutputThatNobodyReads) {
  const auto log = AccessLog::Open(path_, pipe_[1]);
  ASSERT_TRUE(log);
  // Far more than a pipe and the socket's queue hold: some are refused, at once, and what was taken
  // arrives.
  const std::string line(4000, 'x');
  std::size_t taken = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) ++(Send(line) ? taken : refused);
  EXPECT_GT(refused, 0U);
  fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
  std::string text;
  EXPECT_TRUE(testing::WaitUntil([&] {
    text += Written();
    return text.size() >= taken * (line.size() + 1);
  })) << taken
      << " lines, " << text.size() << " bytes";
  close(pipe_[0]);
  pipe_[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST_F(AccessLogReaderTest, APathThatCannotBeMadeIsSaid) {
  const auto log = AccessLog::Open("/nonexistent/access.sock", pipe_[1]);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace swarmgate::app
