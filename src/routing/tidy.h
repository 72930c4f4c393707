// What one service is told.
#pragma once

#include <vector>

#include "swarmgate/model/diagnostic.h"

namespace swarmgate::routing {

/// Sorted, without repetition, and no more of one kind than anybody reads. REQUIRES: of one
/// service.
void TidyDiagnostics(std::vector<model::Diagnostic>& diagnostics);

}  // namespace swarmgate::routing
