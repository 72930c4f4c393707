// Running a program to its end, with its output: `haproxy -c`, `haproxy -v`.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"

namespace swarmgate::proxy {

struct CommandResult {
  int exit_code = 0;   ///< 128 + signal when a signal ended it
  std::string output;  ///< standard output and error, mixed; its last 64 KiB
};

/// Looks up argv[0] in PATH. The child inherits no other descriptor, of the environment
/// what HAProxy gets, and is killed when the
/// deadline passes or `cancel` becomes readable. Errors: kNotFound, kUnavailable,
/// kDeadlineExceeded, kCancelled.
[[nodiscard]] Result<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                               SteadyTime deadline, int cancel = -1);

}  // namespace swarmgate::proxy
