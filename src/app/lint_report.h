// What Swarmgate would do with services found in a file. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/lint_input.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::app {

struct LintedRoute {
  std::string host;
  std::string path;
  std::string port;  ///< condition; empty for none
  std::uint16_t to = 0;
};

struct LintedService {
  LintService input;
  bool opted_in = false;
  std::vector<LintedRoute> routes;
  std::vector<model::Diagnostic> diagnostics;
};

struct LintReport {
  std::vector<LintedService> services;
  std::size_t routed = 0;
  std::size_t errors = 0;
  std::size_t warnings = 0;
};

[[nodiscard]] LintReport Lint(std::vector<LintService> services, const std::string& prefix);

[[nodiscard]] std::string LintText(const LintReport& report);
[[nodiscard]] std::string LintJson(const LintReport& report);

}  // namespace swarmgate::app
