// Tells each diagnostic to the log once, when it appears, and that a service has recovered.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/status.h"
#include "swarmgate/model/diagnostic.h"

namespace swarmgate::engine {

class DiagnosticsLog {
 public:
  /// Services that came, went live, lost their servers, left; diagnostics that appeared; services
  /// that have no error any more.
  void Update(const StatusNews& news);
  /// How many different diagnostics there are now, by code.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& by_code() const { return by_code_; }

 private:
  void TellDiagnostics(const StatusNews& news);

  std::map<model::Diagnostic, std::int64_t> shown_;  ///< and how often it is there
  std::map<std::string, std::uint64_t> by_code_;
  std::map<model::ServiceName, std::uint64_t> errors_;  ///< how many different ones
};

}  // namespace swarmgate::engine
