// The snapshot in Prometheus' text format. Pure.
#pragma once

#include <string>

#include "swarmgate/engine/snapshot.h"

namespace swarmgate::admin {

/// `proxy_stats`: HAProxy's own counters (CSV), or null when it did not answer.
[[nodiscard]] std::string MetricsText(const engine::Snapshot& snapshot, const std::string& version,
                                      const std::string* proxy_stats);

}  // namespace swarmgate::admin
