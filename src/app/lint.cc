#include "app/commands.h"

namespace swarmgate::app {

int RunLint(const CommandLine& line) {
  (void)line;
  return UsageError("lint: not there yet");
}

}  // namespace swarmgate::app
