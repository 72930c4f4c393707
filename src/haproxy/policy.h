// What a policy becomes in a route's record and in the map of policies, and the fixed rules that
// read both. A policy's id follows from its content: a changed policy is another one, complete in
// the map before a record names it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/treatment.h"

namespace swarmgate::haproxy {

/// The end of a record, and what it refers to in the map of policies.
struct RecordEnd {
  std::string tail;
  std::string policy;  ///< the id; empty: it refers to nothing
  std::vector<std::pair<std::string, std::string>> entries;  ///< what the id stands for
};
/// The part of a record behind the route: "|<server ms>|<tunnel ms>|<n>|<rewrite id>|<flags>|
/// <policy id>", cut behind the last field that says something. `rewrites` is "<n>|<rewrite id>" or
/// empty.
/// Of `profile` two things matter: where it answers CORS preflights, which carry no credentials and
/// no method of their own, users and methods are not asked for; where it has a condition, it
/// rewrites the path itself (RewritePath), behind that.
[[nodiscard]] RecordEnd RecordTail(const model::Policy& policy, const model::Profile& profile,
                                   const std::string& rewrites, const Settings& settings);

/// The rule that gives a request the path that was worked out for it; `further`: "", or words of a
/// further condition.
[[nodiscard]] std::string RewritePath(const std::string& further = "");

/// Has the record the flag of a profile that rewrites the path itself? As words of a condition.
[[nodiscard]] std::string RewritesItself();

/// Between a policy's id and the digest of a user in the map of policies: not shown to anybody.
inline constexpr std::string_view kUserEntry = ":u:";

/// Words of a condition: but for its flags, a record asks for nothing of the fixed rules, and the
/// section of its backend has none of its own.
[[nodiscard]] std::string NoFurtherRules();

/// The rule that puts the host that is asked for into txn.host, as the keys of maps have it: in
/// small letters, without port and final dot. What follows a '/' would forge a key, and is cut.
[[nodiscard]] std::string NormalizeHost();

/// Conditions that a CORS preflight meets, and nothing else.
[[nodiscard]] std::string Preflight();

/// An answer 401 that asks for a user of the service, without a condition.
[[nodiscard]] std::string Unauthorized();

/// The sections that hold the counters of rate limits, one per period; complete lines.
[[nodiscard]] std::vector<std::string> RateTables();

/// The rules, for every backend that looks at records. They read txn.r, the record,
/// and txn.f, its flags; each asks for a flag. They are skipped where a record has no flags.
[[nodiscard]] std::vector<std::string> PolicyRules(const Extras& extras);

}  // namespace swarmgate::haproxy
