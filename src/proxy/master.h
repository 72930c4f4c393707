// The master's command line: who is there, and reloading. 2.6 answers a reload before it happens
// and then executes itself anew, so that its socket refuses for a while; 3.0 answers with the
// outcome.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"

namespace swarmgate::proxy {

/// `show proc`.
struct MasterState {
  int pid = 0;
  int reloads = 0;  ///< tried, ever
  int failed = 0;   ///< of them, since the last success
  std::vector<int> workers;
};
/// Errors: kCorrupt.
[[nodiscard]] Result<MasterState> ParseShowProc(std::string_view reply);

/// Errors: kUnavailable, kDeadlineExceeded, kCancelled, kCorrupt.
[[nodiscard]] Result<MasterState> AskMaster(const std::string& socket, SteadyTime deadline,
                                            int cancel);

/// Reloads, and returns when the master says that it has worked, with its state then.
/// Errors: kRejected (the old worker keeps serving), kUnavailable, kDeadlineExceeded, kCancelled,
/// kCorrupt.
[[nodiscard]] Result<MasterState> ReloadMaster(const std::string& socket, SteadyTime deadline,
                                               int cancel);

}  // namespace swarmgate::proxy
