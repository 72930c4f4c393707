// What Swarmgate would do with services found in a file. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "app/lint_input.h"
#include "swarmgate/base/error.h"
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
  bool by_template = false;  ///< HAProxy's language says which requests it gets
  std::vector<LintedRoute> routes;
  std::vector<model::Diagnostic> diagnostics;
};

struct LintReport {
  std::vector<LintedService> services;
  std::size_t routed = 0;
  std::size_t errors = 0;
  std::size_t warnings = 0;
};

/// What the proxy that will see the labels is told.
struct LintOptions {
  std::string prefix = "com.df.";
  bool allow_raw = false;  ///< ALLOW_RAW_CONFIG
  /// A template's text by its path; only where `allow_raw`.
  std::function<Result<std::string>(const std::string& path)> read_template = {};
};

[[nodiscard]] LintReport Lint(std::vector<LintService> services, const LintOptions& options);

[[nodiscard]] std::string LintText(const LintReport& report);
[[nodiscard]] std::string LintJson(const LintReport& report);

}  // namespace swarmgate::app
