// Tells each diagnostic to the log once, when it appears, and that a service has recovered.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "swarmgate/engine/snapshot.h"
#include "swarmgate/model/diagnostic.h"

namespace swarmgate::engine {

class DiagnosticsLog {
 public:
  /// `now`: all that holds now.
  void Update(const std::vector<model::Diagnostic>& now);
  /// What changed between two pictures: services that came, went live, lost their servers, left.
  static void TellChanges(const std::vector<std::shared_ptr<const ServiceStatus>>& before,
                          const std::vector<std::shared_ptr<const ServiceStatus>>& after);

 private:
  std::set<model::Diagnostic> shown_;
};

}  // namespace swarmgate::engine
