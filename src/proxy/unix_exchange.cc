#include "proxy/unix_exchange.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace swarmgate::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

tl::unexpected<Error> SocketError(const std::string& path, int error) {
  return Fail(Code::kUnavailable, std::strerror(error), path);
}

/// Waits until `fd` is ready for `events`.
Status Wait(int fd, short events, SteadyTime deadline, int cancel, const std::string& path) {
  for (;;) {
    std::array<pollfd, 2> fds = {{{fd, events, 0}, {cancel, POLLIN, 0}}};
    const int ready = poll(fds.data(), cancel >= 0 ? 2 : 1, PollTimeout(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return SocketError(path, errno);
    if (cancel >= 0 && fds[1].revents != 0) return Fail(Code::kCancelled, "stopped", path);
    if (fds[0].revents != 0) return Ok();
    if (steady_clock::now() >= deadline) {
      return Fail(Code::kDeadlineExceeded, "no answer in time", path);
    }
  }
}

Result<Fd> Connect(const std::string& path, SteadyTime deadline, int cancel) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(Code::kInvalidArgument, "the path is too long for a unix socket", path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  for (;;) {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return SocketError(path, errno);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return fd;
    }
    // The queue of connections is full: unix sockets do not wait for room.
    if (errno != EAGAIN && errno != EINTR) return SocketError(path, errno);
    const Status paused = Pause(milliseconds(2), deadline, cancel);
    if (!paused) return Forward(paused.error(), path);
  }
}

}  // namespace

void Fd::Reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

int PollTimeout(SteadyTime deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

Status Pause(Duration pause, SteadyTime deadline, int cancel) {
  const SteadyTime end = steady_clock::now() + pause;
  if (end > deadline) return Fail(Code::kDeadlineExceeded, "no answer in time");
  const Status waited = Wait(-1, 0, end, cancel, "");
  if (!waited && waited.error().code == Code::kCancelled) return Forward(waited.error());
  return Ok();
}

Result<std::string> Exchange(const std::string& path, std::string_view question,
                             SteadyTime deadline, int cancel, After after, std::size_t max_reply) {
  Result<Fd> fd = Connect(path, deadline, cancel);
  if (!fd) return Forward(fd.error());
  std::string reply;
  std::array<char, 65536> buffer{};
  for (;;) {
    const short events = question.empty() ? POLLIN : static_cast<short>(POLLIN | POLLOUT);
    const Status ready = Wait(fd->get(), events, deadline, cancel, path);
    if (!ready) return Forward(ready.error());
    if (!question.empty()) {
      const ssize_t sent = send(fd->get(), question.data(), question.size(), MSG_NOSIGNAL);
      if (sent > 0) question.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return SocketError(path, errno);
      if (question.empty() && after == After::kHalfClose) (void)shutdown(fd->get(), SHUT_WR);
    }
    const ssize_t got = recv(fd->get(), buffer.data(), buffer.size(), 0);
    if (got == 0) {
      if (!question.empty()) {
        return Fail(Code::kUnavailable, "hung up before it had read everything", path);
      }
      return reply;
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) return SocketError(path, errno);
    if (got > 0) reply.append(buffer.data(), static_cast<std::size_t>(got));
    if (reply.size() > max_reply) return Fail(Code::kCorrupt, "the reply is too long", path);
  }
}

}  // namespace swarmgate::proxy
