// One question and one answer over a unix socket: connect, send, read to the end, with a deadline
// and a way to stop.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"

namespace swarmgate::proxy {

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = other.Release();
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Reset();

 private:
  int fd_ = -1;
};

/// Milliseconds for poll(2) until the deadline, rounded up, at least 0.
[[nodiscard]] int PollTimeout(SteadyTime deadline);

/// Replies above this are refused: 10,000 routes with long keys are 2 MB.
inline constexpr std::size_t kMaxReply = 64U << 20U;

/// What to do after the question: the worker closes by itself after its answer, the master only
/// when it is told that nothing more will come.
enum class After { kWait, kHalfClose };

/// `cancel` is a descriptor that becomes readable when the call must end (-1: none).
/// Errors: kUnavailable (nobody listens, or hung up before reading everything), kDeadlineExceeded,
/// kCancelled, kCorrupt (longer than `max_reply`), kInvalidArgument (path too long).
[[nodiscard]] Result<std::string> Exchange(const std::string& path, std::string_view question,
                                           SteadyTime deadline, int cancel,
                                           After after = After::kWait,
                                           std::size_t max_reply = kMaxReply);

/// Waits; Errors: kCancelled, kDeadlineExceeded (when `deadline` comes before the end of the
/// pause).
[[nodiscard]] Status Pause(Duration pause, SteadyTime deadline, int cancel);

}  // namespace swarmgate::proxy
