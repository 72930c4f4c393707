#include "routing/tidy.h"

#include <algorithm>
#include <map>
#include <string>

namespace swarmgate::routing {

using model::Diagnostic;

void TidyDiagnostics(std::vector<Diagnostic>& diagnostics) {
  constexpr std::size_t kTold = 20;  // of one code
  std::sort(diagnostics.begin(), diagnostics.end());
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end()), diagnostics.end());
  std::map<std::string, std::size_t> told;
  for (const Diagnostic& diagnostic : diagnostics) ++told[diagnostic.code];
  std::erase_if(told, [](const auto& entry) { return entry.second <= kTold; });
  if (told.empty()) return;
  std::map<std::string, std::size_t> seen;
  std::erase_if(diagnostics, [&](Diagnostic& diagnostic) {
    const auto many = told.find(diagnostic.code);
    if (many == told.end()) return false;
    const std::size_t nth = ++seen[many->first];
    if (nth == kTold)
      diagnostic.message += " (and " + std::to_string(many->second - kTold) + " more like this)";
    return nth > kTold;
  });
}

}  // namespace swarmgate::routing
