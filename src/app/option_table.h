// The table behind app/options.h: one row per option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/app/options.h"

namespace swarmgate::app {

struct OptionRow {
  const char* name;      ///< the environment variable
  const char* flag;      ///< without "--"
  const char* argument;  ///< what the help calls the value
  const char* fallback;  ///< as it would be written; "" when there is none
  const char* group;
  const char* help;
  /// Checks and stores. Its message completes "NAME=value: …".
  Status (*set)(Options& options, const std::string& value);
  bool sensitive = false;       ///< the value is never shown
  const char* alias = nullptr;  ///< another variable with the same meaning, looked at after `name`
};

[[nodiscard]] const std::vector<OptionRow>& OptionTable();
/// The part of it that stands in option_rows_traffic.cc.
[[nodiscard]] std::vector<OptionRow> TrafficRows();

}  // namespace swarmgate::app
