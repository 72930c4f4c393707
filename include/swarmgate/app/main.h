// The program: subcommands, wiring, exit statuses.
#pragma once

namespace swarmgate::app {

/// Exit statuses that scripts can use.
inline constexpr int kExitOk = 0;
inline constexpr int kExitProblem = 1;      ///< a problem was found, or the call was refused
inline constexpr int kExitUsage = 2;        ///< wrong arguments or settings
inline constexpr int kExitUnreachable = 3;  ///< no Swarmgate answers

/// Runs the subcommand and returns the exit status. Throws nothing.
[[nodiscard]] int Main(int argc, char** argv);

}  // namespace swarmgate::app
