// Routes in order of precedence → the lookup table that gives the same answers.
//
// HAProxy asks host by host: the exact name, its wildcards, host regexes, no host; and finds the
// most specific key of each. The order of precedence knows routes (/.well-known, ranked ones) that
// come before more specific hosts and longer paths. So an entry's candidates are all routes that
// cover its region, in order, up to the first without a condition; and where a route of a less
// specific host comes before one of this host, it is entered under this host, too (or leaves a hole
// there, which sends the search on, when it takes the whole region). A host regex cannot be entered
// under a wildcard (a candidate has no condition on the host): there the wildcard's route moves to
// the list of host regexes, as a regex.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "swarmgate/model/routes.h"

namespace swarmgate::routing {

/// A route, and who shares its requests.
struct Placed {
  const model::Route* route;
  const std::vector<model::Share>* shares;
};

struct Unreachable {
  std::size_t route = 0;   ///< index
  std::size_t winner = 0;  ///< index of the route that takes all of its requests; its own index
                           ///< when it excludes itself
};

struct Compiled {
  model::MatchTable matches;
  std::vector<Unreachable> unreachable;  ///< routes that no request can reach
  std::vector<std::size_t> refused;  ///< routes with a regex that cannot be used: not in the table
  /// By route: under how many more specific hosts it has to be entered, as it comes before routes
  /// of theirs.
  std::vector<std::uint32_t> inserted;
  bool too_large = false;  ///< `inserted` adds up to more than the limit: there is no table
};

/// `only_host`: entries and unreachable routes of this host alone ("": any host); the others are
/// there because they may come before its own. REQUIRES: `routes` is sorted by CompareRoutes, their
/// texts are clean; with `only_host`, no route of it moves to the list of host regexes.
[[nodiscard]] Compiled Compile(const std::vector<Placed>& routes, std::size_t max_inserted,
                               const std::string* only_host = nullptr);

}  // namespace swarmgate::routing
