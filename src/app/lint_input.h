// What `swarmgate lint` finds in a file: services and containers with their labels. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::app {

struct LintService {
  std::string name;
  std::string labels_from;  ///< "deploy.labels", "labels", "service labels", "container labels"
  model::ServiceKind kind = model::ServiceKind::kSwarm;
  std::map<std::string, std::string> labels;
  std::vector<std::uint16_t> ports;            ///< exposed by the file; the image's are not known
  std::vector<std::string> networks;           ///< names, or ids
  bool networks_by_id = false;                 ///< docker service inspect does not tell names
  std::vector<model::Diagnostic> diagnostics;  ///< of where labels stand, not of what they say
};

/// Reads a stack or compose file, or the output of docker inspect. `prefix`: of our labels.
/// `environment`: for ${…}. Errors: kCorrupt, kInvalidArgument, with one sentence.
[[nodiscard]] Result<std::vector<LintService>> ReadLintInput(
    const std::string& text, const std::string& prefix,
    const std::map<std::string, std::string>& environment);

/// "${NAME:-default}", "${NAME}", "$NAME", "$$" as docker compose replaces them. Names without a
/// value are added to `unset`. Errors: kInvalidArgument for a dollar sign that means nothing.
[[nodiscard]] Result<std::string> Interpolate(const std::string& text,
                                              const std::map<std::string, std::string>& environment,
                                              std::vector<std::string>& unset);

}  // namespace swarmgate::app
