#include "app/access_log.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace swarmgate::app {
namespace {

constexpr std::size_t kMostLine = 65'536;
/// Lines are written together when many arrive.
constexpr std::size_t kMostPending = 128 << 10;

void WriteAll(int output, std::string_view text) {
  if (output < 0) {
    // By the C library, whose lock keeps a line of LogEvent from coming in between.
    (void)std::fwrite(text.data(), 1, text.size(), stdout);
    (void)std::fflush(stdout);
    return;
  }
  while (!text.empty()) {
    const ssize_t sent = write(output, text.data(), text.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;  // nobody reads any more
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

std::string AccessLine(std::string_view datagram) {
  while (!datagram.empty() && (datagram.back() == '\n' || datagram.back() == '\0')) {
    datagram.remove_suffix(1);
  }
  std::string line(datagram);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  line += '\n';
  return line;
}

class AccessLog::Impl {
 public:
  Impl(int socket, int stop, int output, std::string path)
      : socket_(socket), stop_(stop), output_(output), path_(std::move(path)) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Impl() {
    const std::uint64_t one = 1;
    // The counter cannot overflow by this.
    (void)!write(stop_, &one, sizeof one);
    thread_.join();
    (void)unlink(path_.c_str());
    close(socket_);
    close(stop_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

 private:
  void Run() {
    std::vector<char> buffer(kMostLine);
    for (bool stopping = false; !stopping;) {
      std::array<pollfd, 2> watched = {pollfd{socket_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
      if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
      stopping = watched[1].revents != 0;
      Take(buffer);
    }
  }

  void Take(std::vector<char>& buffer) {
    std::string pending;
    for (;;) {
      const ssize_t got = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) break;
      pending += AccessLine({buffer.data(), static_cast<std::size_t>(got)});
      if (pending.size() >= kMostPending) {
        WriteAll(output_, pending);
        pending.clear();
      }
    }
    if (!pending.empty()) WriteAll(output_, pending);
  }

  int socket_;
  int stop_;
  int output_;
  std::string path_;
  std::thread thread_;
};

AccessLog::AccessLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AccessLog::~AccessLog() = default;

Result<std::unique_ptr<AccessLog>> AccessLog::Open(const std::string& path, int output) {
  const auto fail = [&](const char* what) {
    return Fail(Code::kUnavailable, std::string(what) + ": " + std::strerror(errno), path);
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(Code::kUnavailable, "the path is too long for a socket", path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return fail("socket");
  (void)unlink(path.c_str());  // of a predecessor
  if (bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0666) != 0) {
    const auto failed = fail("bind");
    close(socket_fd);
    return failed;
  }
  const int room = 8 << 20;
  (void)setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);  // as much as there is
  const int stop = eventfd(0, EFD_CLOEXEC);
  if (stop < 0) {
    const auto failed = fail("eventfd");
    close(socket_fd);
    return failed;
  }
  return std::unique_ptr<AccessLog>(
      new AccessLog(std::make_unique<Impl>(socket_fd, stop, output, path)));
}

}  // namespace swarmgate::app
