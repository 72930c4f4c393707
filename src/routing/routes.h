// The part of Build behind the endpoints: named destinations → routes and lookup table.
#pragma once

#include <vector>

#include "routing/collect.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// REQUIRES: sorted and named as ServeAll and NameBackends do.
[[nodiscard]] BuiltRoutes BuildServed(const std::vector<ServedService>& services);

/// Sorted, without repetition, and no more of one kind for one service than anybody reads.
void TidyDiagnostics(std::vector<model::Diagnostic>& diagnostics);

}  // namespace swarmgate::routing
