// The table behind app/options.h: one row per option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/option_values.h"
#include "swarmgate/app/options.h"

namespace swarmgate::app {

/// Its flag follows from the name: DATA_DIR is --data-dir.
struct OptionRow {
  const char* name;      ///< the environment variable
  const char* argument;  ///< what the help calls the value
  const char* fallback;  ///< as it would be written; "" when there is none
  const char* group;
  const char* help;
  /// Checks and stores. Its message completes "NAME=value: …".
  Status (*set)(Options& options, const std::string& value);
  bool sensitive = false;       ///< the value is never shown
  const char* alias = nullptr;  ///< another variable with the same meaning, looked at after `name`
  /// Without "--".
  [[nodiscard]] std::string flag() const;
};

// Rows of a kind.

template <Duration Options::*kMember>
OptionRow Time(const char* name, const char* fallback, const char* group, const char* help) {
  return {name, "TIME", fallback, group, help, SetTimeout<kMember>};
}
template <bool Options::*kMember>
OptionRow Yes(const char* name, const char* fallback, const char* group, const char* help) {
  return {name, "BOOL", fallback, group, help, SetBool<kMember>};
}
template <std::string Options::*kMember>
OptionRow Directory(const char* name, const char* fallback, const char* group, const char* help) {
  return {name, "DIRECTORY", fallback, group, help, SetDirectory<kMember>};
}

[[nodiscard]] const std::vector<OptionRow>& OptionTable();
/// The part of it that stands in option_rows_traffic.cc.
[[nodiscard]] std::vector<OptionRow> TrafficRows();
/// The part of it that stands in option_rows_replicas.cc.
[[nodiscard]] std::vector<OptionRow> ReplicaRows();

}  // namespace swarmgate::app
