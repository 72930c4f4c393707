// A user's mistake (or a surprise that is worth knowing), told to the owner of one service: what,
// where, and what to write instead. Shown once in the log, in the status, in the API, and counted
// in a metric.
#pragma once

#include <string>

#include "swarmgate/model/ids.h"

namespace swarmgate::model {

enum class Severity {
  kInfo,     ///< nothing is wrong; worth knowing
  kWarning,  ///< honoured otherwise than its owner may think (typo, ignored label, shadowed route)
  kError,    ///< the service, or the destination named, is left out
};

/// "info", "warning", "error".
const char* SeverityName(Severity severity);

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string
      code;  ///< stable, lower-kebab: "unknown-label", "bad-port", "conflict", "no-common-network"
  ServiceName service;  ///< empty when it concerns none
  std::string label;    ///< as the user wrote it, with its prefix ("com.df.port.1"); may be empty
  std::string value;    ///< as the user wrote it, printable and cut
  std::string message;  ///< what is wrong, one sentence
  std::string hint;     ///< what to write instead; may be empty

  /// "service web: com.df.prot=8080: unknown label. Did you mean com.df.port?"
  [[nodiscard]] std::string ToString() const;

  friend auto operator<=>(const Diagnostic&, const Diagnostic&) = default;
};

}  // namespace swarmgate::model
