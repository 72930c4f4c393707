// The part of Build behind the endpoints: named destinations → routes and lookup table.
#pragma once

#include <cstddef>
#include <vector>

#include "routing/collect.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// How many entries there may be for routes that stand before more specific hosts (some 500 bytes
/// each): services with an aclName times domains that they come before.
inline constexpr std::size_t kMaxInserted = 100'000;

/// Where more would be inserted than `max_inserted`, the aclName of the youngest services does not
/// count, and they are told. REQUIRES: sorted and named as ServeAll and NameBackends do.
[[nodiscard]] BuiltRoutes BuildServed(const std::vector<ServedService>& services,
                                      std::size_t max_inserted = kMaxInserted);

/// Sorted, without repetition, and no more of one kind for one service than anybody reads.
void TidyDiagnostics(std::vector<model::Diagnostic>& diagnostics);

}  // namespace swarmgate::routing
