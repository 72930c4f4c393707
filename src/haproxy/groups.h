// What a key of the map of routes leads to: a record, or the id of a group of entries that are
// looked at next, in the map of conditions or in that of regexes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "haproxy/records.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::haproxy {

/// Where a candidate's requests go: a record, or "%<id>" where several share them: adds that group.
[[nodiscard]] std::string Target(const model::MatchCandidate& candidate, Records& records,
                                 std::vector<Group>& groups);

/// A record, "@<id>", "~<id>", "^<id>" or "-". Adds the groups that it leads to, each as often as
/// it is named.
[[nodiscard]] std::string EntryValue(const model::MatchEntry& entry, Records& records,
                                     std::vector<Group>& groups);

/// Are its lines regexes? The others stand in the map of conditions.
[[nodiscard]] bool IsRegexGroup(std::string_view id);
/// What all its keys begin with, and no others. In both maps groups stand in the order of these.
[[nodiscard]] std::string GroupPrefix(const std::string& id);

}  // namespace swarmgate::haproxy
