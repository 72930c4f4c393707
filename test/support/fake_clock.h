// Time that a test owns.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "swarmgate/base/clock.h"

namespace swarmgate::testing {

/// Starts at some moment and moves only by Advance. Thread: any.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime Now() const override {
    return SteadyTime(std::chrono::nanoseconds(now_ns_.load()));
  }
  [[nodiscard]] WallTime WallNow() const override {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::nanoseconds(wall_start_ns_.load() + now_ns_.load())));
  }
  void Advance(std::chrono::nanoseconds by) { now_ns_ += by.count(); }
  void Set(SteadyTime time) {
    now_ns_ = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  }
  /// The time of day is set anew.
  void SetWall(WallTime time) {
    wall_start_ns_ =
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count() -
        now_ns_.load();
  }

 private:
  std::atomic<std::int64_t> wall_start_ns_{1'700'000'000'000'000'000};
  std::atomic<std::int64_t> now_ns_{1'000'000'000'000};
};

}  // namespace swarmgate::testing
