// The first process: starts, watches and ends the controller and HAProxy, and does nothing else. It
// touches no Docker socket, holds no routes and starts no thread, so that there is little that
// could end it.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/app/options.h"

namespace swarmgate::app {

/// Exit status of a controller that cannot start because of the operator's settings (a port in use,
/// …): before the first success the supervisor then gives up instead of trying again.
inline constexpr int kExitSettings = 78;

/// The environment variable that tells the controller the descriptor on which it reports "ready".
inline constexpr const char* kControlVariable = "SWARMGATE_CONTROL_FD";

/// Runs until SIGTERM or SIGINT, and returns the exit status. `arguments` are handed to the
/// controller as they are. Thread: the only one.
[[nodiscard]] int RunSupervisor(const Options& options, const std::vector<std::string>& arguments);

}  // namespace swarmgate::app
