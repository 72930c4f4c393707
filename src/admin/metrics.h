// The snapshot in Prometheus' text format. Pure.
#pragma once

#include <string>

#include "swarmgate/engine/snapshot.h"

namespace swarmgate::admin {

[[nodiscard]] std::string MetricsText(const engine::Snapshot& snapshot, const std::string& version);

}  // namespace swarmgate::admin
