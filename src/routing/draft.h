// A route that a service asks for, and what becomes of it among the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "routing/collect.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/routes.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// What became of a draft.
struct DraftOutcome {
  bool kept = false;                   ///< it is a route, and stands in the table
  bool shares_in = false;              ///< gets a part of the requests of an equal claim
  std::vector<model::Share> shares;    ///< kept, and of several: the parts as asked for
  Few<model::Diagnostic> diagnostics;  ///< about it
  Text lost;                           ///< why it is left out; empty: it is not
  friend bool operator==(const DraftOutcome&, const DraftOutcome&) = default;
};

struct Draft {
  Cow<model::Route> route;  ///< without shares
  Text key;                 ///< that opens the region of its path
  std::optional<model::Weight> weight;
  bool divisible = true;  ///< may share its requests with equal claims
  DraftOutcome outcome;
};

/// The routes that a service asks for, in the order in which it does. REQUIRES: it is named.
[[nodiscard]] std::vector<Draft> MakeDrafts(const ServedService& service,
                                            std::vector<model::Diagnostic>& diagnostics);

/// Claims that are wholly equal are decided: they share the requests where one of them has a
/// weight, else the loser is left out. REQUIRES: in order of precedence, all of equal claims.
[[nodiscard]] std::vector<DraftOutcome> Decide(const std::vector<const Draft*>& drafts);

}  // namespace swarmgate::routing
