// Variables of Docker Flow Proxy and its listener that need not be set any more, and those that
// nobody knows: each is named once at start, so that nobody wonders why it does nothing.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/app/options.h"

namespace swarmgate::app {

struct ReplacedVariable {
  const char* name;
  /// Values that mean what happens anyway: nothing is said about them. Separated by '|'.
  const char* harmless;
  const char* instead;  ///< completes "NAME has no effect: "
};

[[nodiscard]] const std::vector<ReplacedVariable>& ReplacedVariables();

/// One sentence each: replaced ones that are set, misspelled ones, unknown DFP_… and DF_… (secrets
/// too).
[[nodiscard]] std::vector<std::string> OddVariables(const OptionSources& sources);

}  // namespace swarmgate::app
