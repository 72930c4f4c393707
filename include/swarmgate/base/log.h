// What Swarmgate tells its operator. Every line has a stable event id ("RELOAD_PLANNED") and named
// fields; the same events, from level info up, are kept in a ring that the API serves (/v1/events).
// Control characters in values are escaped here, so that nothing a label says can forge a line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/base/clock.h"

namespace swarmgate {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

using LogFields = std::vector<std::pair<std::string_view, std::string>>;

/// One line: `<time> <level> <ID> <text> key="value" …` on standard output. Thread: any.
/// `id` is a constant in UPPER_SNAKE; it is documented in docs/operation.md.
void LogEvent(LogLevel level, std::string_view id, std::string_view text, LogFields fields = {});

/// REQUIRES: called before other threads start. `level_name`: debug, info, warning, error; false
/// when it is none of them.
bool SetLogLevel(std::string_view level_name);

struct LoggedEvent {
  /// Grows by one with each event. The first one of a process is its start in microseconds since
  /// 1970, so that whoever asks for what came after the last number of an earlier process misses
  /// nothing.
  std::uint64_t sequence = 0;
  WallTime time;
  LogLevel level = LogLevel::kInfo;
  std::string id;
  std::string text;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// The newest events (at most 1,000) with a sequence above `after`, oldest first; waits for one
/// until the deadline when there is none. An `after` that was not given yet counts as 0. Thread:
/// any.
std::vector<LoggedEvent> EventsAfter(std::uint64_t after, SteadyTime deadline);

/// Lets every waiting EventsAfter return at once, now and from now on (shutdown). Thread: any.
void CloseEvents();

}  // namespace swarmgate
