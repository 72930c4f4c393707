// std::mutex and std::condition_variable with the annotations of clang's thread-safety analysis.
// The only locks of the project live in Inbox, Cell, EventLog, and cluster's Claims and FactsFeed;
// nothing calls out while holding one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SWARMGATE_TSA(x) __attribute__((x))
#else
#define SWARMGATE_TSA(x)
#endif

#define GUARDED_BY(x) SWARMGATE_TSA(guarded_by(x))
#define REQUIRES_LOCK(...) SWARMGATE_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) SWARMGATE_TSA(locks_excluded(__VA_ARGS__))

namespace swarmgate {

class SWARMGATE_TSA(capability("mutex")) Mutex {
 public:
  void Lock() SWARMGATE_TSA(acquire_capability()) { mutex_.lock(); }
  void Unlock() SWARMGATE_TSA(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SWARMGATE_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SWARMGATE_TSA(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() SWARMGATE_TSA(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  /// REQUIRES: the caller holds `mutex`. Returns false when the deadline passed.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
      REQUIRES_LOCK(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace swarmgate
