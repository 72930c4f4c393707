// The one source of time. Everything that needs to know the time takes a Clock, so that tests own
// it.
#pragma once

#include <chrono>
#include <string>

namespace swarmgate {

using Duration = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Thread: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// For deadlines and durations.
  [[nodiscard]] virtual SteadyTime Now() const = 0;
  /// For people: logs, events, stored records. Never for deadlines.
  [[nodiscard]] virtual WallTime WallNow() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime WallNow() const override { return std::chrono::system_clock::now(); }
};

/// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z". Thread: any.
[[nodiscard]] std::string FormatWallTime(WallTime time);

}  // namespace swarmgate
