// The second process: listener, store, engine and admin API, wired together.
#pragma once

#include "swarmgate/app/options.h"

namespace swarmgate::app {

/// Runs until SIGTERM or SIGINT, and returns the exit status. Started by the supervisor only.
[[nodiscard]] int RunController(const Options& options);

}  // namespace swarmgate::app
