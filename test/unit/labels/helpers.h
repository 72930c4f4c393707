// Short forms for the tests of labels: parse, and see the diagnostics as their owner does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "swarmgate/labels/parse.h"

namespace swarmgate::labels::testing {

using Parameters = std::map<std::string, std::string>;

inline ParsedService Parse(const Parameters& parameters, const ParseOptions& options = {}) {
  return ParseParameters(model::ServiceName("web"), parameters, options);
}

/// "warning unknown-label: service web: com.df.prot=8080: unknown label. Did you mean …?"
inline std::vector<std::string> Texts(const std::vector<model::Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  for (const model::Diagnostic& diagnostic : diagnostics) {
    texts.push_back(std::string(model::SeverityName(diagnostic.severity)) + " " + diagnostic.code +
                    ": " + diagnostic.ToString());
  }
  return texts;
}

inline std::vector<std::string> Texts(const ParsedService& parsed) {
  return Texts(parsed.diagnostics);
}

}  // namespace swarmgate::labels::testing
