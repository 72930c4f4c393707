#include "swarmgate/base/clock.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace swarmgate {

std::string FormatWallTime(WallTime time) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto since_epoch = duration_cast<milliseconds>(time.time_since_epoch());
  auto millis = since_epoch.count() % 1000;
  std::time_t seconds = static_cast<std::time_t>(since_epoch.count() / 1000);
  if (millis < 0) {
    millis += 1000;
    seconds -= 1;
  }
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 24> head{};
  std::strftime(head.data(), head.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 8> tail{};
  std::snprintf(tail.data(), tail.size(), ".%03dZ", static_cast<int>(millis));
  return std::string(head.data()) + tail.data();
}

}  // namespace swarmgate
