// Collects the diagnostics of one service. Setters speak about the parameter at hand; where it
// stands, and how it is shown, is known here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/model/diagnostic.h"

namespace swarmgate::labels {

class Report {
 public:
  explicit Report(const model::ServiceName& service);

  /// What the next diagnostics are about. `hint` is used where a diagnostic brings none.
  void About(std::string_view label, std::string_view value, std::string_view hint = {});

  void Error(std::string_view code, std::string_view message, std::string_view hint = {});
  void Warning(std::string_view code, std::string_view message, std::string_view hint = {});
  void Info(std::string_view code, std::string_view message, std::string_view hint = {});
  void Add(model::Severity severity, std::string_view code, std::string_view message,
           std::string_view hint = {});

  [[nodiscard]] std::size_t errors() const { return errors_; }
  /// Sorted, without repetition.
  [[nodiscard]] std::vector<model::Diagnostic> Take();

 private:
  model::ServiceName service_;
  std::string label_;
  std::string value_;
  std::string hint_;
  std::size_t errors_ = 0;
  std::vector<model::Diagnostic> diagnostics_;
};

/// A piece of a value inside a message: in quotes, printable, cut.
[[nodiscard]] std::string Quoted(std::string_view text);

}  // namespace swarmgate::labels
