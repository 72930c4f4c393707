// Parameters by name → their places in the table: which parameter a name means, which destination
// its index means, and which of two names for one parameter counts.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labels/report.h"
#include "labels/schema.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::labels {

/// What stands in the place of a value that may be secret.
inline constexpr std::string_view kNotShown = "(not shown)";

/// A parameter as it was given: under which name, with which value.
struct Given {
  const std::string* name = nullptr;  ///< borrowed; nullptr: it was not given
  const std::string* value = nullptr;
  bool exact = false;  ///< written exactly as the table has it
  bool alias = false;
};

/// A name taken apart: "port.1" → "port", 1.
struct IndexedName {
  std::string_view base;
  bool has_index = false;
  std::optional<int> index;  ///< nothing where it is no index of ours
};
[[nodiscard]] IndexedName TakeApart(std::string_view name);

class Placement {
 public:
  /// REQUIRES: both outlive it.
  Placement(const ParseOptions& options, Report& report);

  /// Finds out which parameter a name means, and keeps it; or says why not. REQUIRES: both outlive
  /// this object.
  void Place(const std::string& name, const std::string& value);

  /// The parameters with an effect: what positions count.
  [[nodiscard]] std::span<const Parameter> table() const { return table_; }
  [[nodiscard]] const Given& At(std::size_t position, std::size_t index) const {
    return given_[position][index];
  }
  /// Nothing where it is not given, or empty, which is told.
  [[nodiscard]] const Given* Lookup(std::size_t position, std::size_t index);

  /// As its owner writes a parameter: with prefix, or as a variable.
  [[nodiscard]] std::string Shown(std::string_view name) const;
  /// The next diagnostics are about this parameter.
  void About(const std::string& name, std::string_view value, const Parameter& parameter);

 private:
  [[nodiscard]] std::string_view Kind() const;
  void Unknown(const std::string& name, const IndexedName& apart);
  bool IndexAllowed(const Parameter& parameter, const IndexedName& apart);
  void Keep(const Parameter& parameter, std::size_t index, const Given& next);

  const ParseOptions& options_;
  Report& report_;
  std::size_t unknown_ = 0;
  std::span<const Parameter> table_;
  std::vector<std::array<Given, kMaxIndex + 1>> given_;  ///< by position in the table
};

/// Severity of a notice that a parameter has no effect.
[[nodiscard]] model::Severity NoEffect(const Parameter& parameter);

}  // namespace swarmgate::labels
