// The client commands. Each writes to standard output and returns an exit status of app/main.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"

namespace swarmgate::app {

struct Command {
  const char* name;
  const char* usage;    ///< after "swarmgate"
  const char* summary;  ///< one line
  const char* help;     ///< what else `--help` says
  int (*run)(const CommandLine& line);
};

[[nodiscard]] const std::vector<Command>& Commands();

/// `swarmgate lint`; its own file.
int RunLint(const CommandLine& line);
/// `swarmgate import-consul`; its own file.
int RunImportConsul(const CommandLine& line);

/// Complains on standard error, and returns kExitUsage.
int UsageError(std::string_view message);

}  // namespace swarmgate::app
