// HAProxy's counters (`show stat`), for the admin API's threads. Beside the engine's own use of the
// runtime socket, and read only. What was read is kept for a while, so that many askers cost no
// more than one.
#pragma once

#include <memory>
#include <string>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"

namespace swarmgate::proxy {

/// Thread: any. Its lock guards the kept text only; nothing is asked while it is held.
class StatsReader {
 public:
  explicit StatsReader(const std::string& run_dir);
  ~StatsReader();
  StatsReader(const StatsReader&) = delete;
  StatsReader& operator=(const StatsReader&) = delete;

  /// CSV as HAProxy gives it, at most a second old, or twenty times as old as it took to read.
  /// While somebody reads, others get what was read before. Errors: kUnavailable,
  /// kDeadlineExceeded, kCorrupt.
  [[nodiscard]] Result<std::shared_ptr<const std::string>> Read(SteadyTime deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarmgate::proxy
