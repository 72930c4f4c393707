#include "labels/report.h"

#include <algorithm>
#include <utility>

#include "swarmgate/base/strings.h"

namespace swarmgate::labels {

Report::Report(const model::ServiceName& service) : service_(Printable(service.str())) {}

void Report::About(std::string_view label, std::string_view value, std::string_view hint) {
  label_ = Printable(label);
  value_ = Printable(value);
  hint_ = hint;
}

void Report::Error(std::string_view code, std::string_view message, std::string_view hint) {
  Add(model::Severity::kError, code, message, hint);
}
void Report::Warning(std::string_view code, std::string_view message, std::string_view hint) {
  Add(model::Severity::kWarning, code, message, hint);
}
void Report::Info(std::string_view code, std::string_view message, std::string_view hint) {
  Add(model::Severity::kInfo, code, message, hint);
}

void Report::Add(model::Severity severity, std::string_view code, std::string_view message,
                 std::string_view hint) {
  constexpr std::size_t kLongest = 500;
  if (severity == model::Severity::kError) ++errors_;
  const bool own_hint = hint.empty() && severity == model::Severity::kError;
  diagnostics_.push_back({.severity = severity,
                          .code = std::string(code),
                          .service = service_,
                          .label = label_,
                          .value = value_,
                          .message = Printable(message, kLongest),
                          .hint = own_hint ? hint_ : Printable(hint, kLongest)});
}

std::vector<model::Diagnostic> Report::Take() {
  std::sort(diagnostics_.begin(), diagnostics_.end());
  diagnostics_.erase(std::unique(diagnostics_.begin(), diagnostics_.end()), diagnostics_.end());
  return std::exchange(diagnostics_, {});
}

std::string Quoted(std::string_view text) { return "\"" + Printable(text, 80) + "\""; }

}  // namespace swarmgate::labels
