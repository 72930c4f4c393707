// HAProxy's own counters under the names of services: it knows slots ("sg_plain_00007"), people
// know backends ("web-be8080_0"). Pure.
#pragma once

#include <string>

#include "swarmgate/engine/snapshot.h"

namespace swarmgate::admin {

class Families;

/// The CSV of `show stat` with the backends' names in the place of slots; slots that carry nothing
/// are left out.
[[nodiscard]] std::string StatsCsv(const std::string& stats, const engine::Snapshot& snapshot);

/// haproxy_up and haproxy_{frontend,backend,server}_*, as the predecessor exported them. Bounded:
/// with more than kMostServerRows servers only backends are told, of these the first
/// kMostBackendRows, and how much is missing. `stats` may be null: HAProxy did not answer.
void AddProxyMetrics(Families& families, const engine::Snapshot& snapshot,
                     const std::string* stats);
inline constexpr std::size_t kMostServerRows = 2000;
inline constexpr std::size_t kMostBackendRows = 5000;

}  // namespace swarmgate::admin
