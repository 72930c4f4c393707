// SWARMGATE_CHECK: an invariant whose breach is a bug. Stays in release builds: a wrong route is
// worse than a restart of the controller, which loses no request.
#pragma once

namespace swarmgate::internal {
/// Prints file, line, expression and ends the process. Never returns.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);
}  // namespace swarmgate::internal

#define SWARMGATE_CHECK(condition) \
  ((condition) ? (void)0 : ::swarmgate::internal::CheckFailed(__FILE__, __LINE__, #condition))
