// What a policy becomes in a route's record and in the map of policies, and the fixed rules that
// read both. A policy's id follows from its content: a changed policy is another one, complete in
// the map before a record names it.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/treatment.h"

namespace swarmgate::haproxy {

/// The part of a record behind the route: "|<server ms>|<tunnel ms>|<n>|<rewrite id>|<flags>|
/// <policy id>", cut behind the last field that says something. Adds to image.policies what the id
/// stands for. `rewrites` is "<n>|<rewrite id>" or empty.
[[nodiscard]] std::string RecordTail(const model::Policy& policy, const std::string& rewrites,
                                     const Settings& settings, Image& image);

/// The rules, for every backend that looks at records. They read txn.r, the record.
[[nodiscard]] std::vector<std::string> PolicyRules();

}  // namespace swarmgate::haproxy
