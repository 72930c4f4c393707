// The queue in front of an owner thread: many threads push messages, one pops them. And Cell, the
// place where the owner publishes an immutable value that any thread may read.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/mutex.h"

namespace swarmgate {

/// Unbounded by design: producers bound themselves (hints are merged by the producer, commands wait
/// for their answer). Thread: any may Push and Close; one owner pops.
template <typename T>
class Inbox {
 public:
  /// Returns false, and drops the message, once the inbox is closed.
  bool Push(T message) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    if (closed_) return false;
    queue_.push_back(std::move(message));
    ready_.NotifyAll();
    return true;
  }

  /// The oldest message; nothing when the deadline passed or the inbox is closed and empty.
  std::optional<T> PopUntil(SteadyTime deadline) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    while (queue_.empty()) {
      if (closed_ || !ready_.WaitUntil(mutex_, deadline)) break;
    }
    if (queue_.empty()) return std::nullopt;
    std::optional<T> message(std::move(queue_.front()));
    queue_.pop_front();
    return message;
  }

  void Close() EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    closed_ = true;
    ready_.NotifyAll();
  }

  [[nodiscard]] bool closed() const EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    return closed_;
  }

 private:
  mutable Mutex mutex_;
  CondVar ready_;
  std::deque<T> queue_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

/// A shared_ptr<const T> that one thread replaces and others read. (std::atomic<shared_ptr> makes
/// ThreadSanitizer report a race inside libstdc++ 12.) Thread: any.
template <typename T>
class Cell {
 public:
  explicit Cell(std::shared_ptr<const T> initial) : value_(std::move(initial)) {}
  [[nodiscard]] std::shared_ptr<const T> Get() const EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    return value_;
  }
  void Set(std::shared_ptr<const T> value) EXCLUDES_LOCK(mutex_) {
    {
      MutexLock lock(mutex_);
      value_.swap(value);
    }
    // The old value may be large: it is destroyed here, outside of the lock.
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> value_ GUARDED_BY(mutex_);
};

}  // namespace swarmgate
