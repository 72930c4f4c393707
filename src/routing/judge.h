// Drafts → which of them are routes, and the lookup table that these make.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "routing/draft.h"
#include "swarmgate/base/chunked.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::routing {

/// What a lookup table is made of.
struct Judged {
  std::vector<DraftOutcome> outcomes;   ///< of the drafts that were given, in their order
  model::MatchTable matches;            ///< with the shares as asked for
  bool too_large = false;               ///< there is no table
  std::vector<std::uint32_t> inserted;  ///< as Compiled::inserted, where it is too large
  std::size_t inserted_sum = 0;
};

/// Decides all, and leaves out what no request can reach.
[[nodiscard]] Judged JudgeAll(const std::vector<const Draft*>& drafts, std::size_t max_inserted);

/// What stands under one host ("": any) at keys that begin so.
struct Region {
  std::string host;
  std::string key;
  friend auto operator<=>(const Region&, const Region&) = default;
};

/// The same for a region. `drafts`: in order of precedence, all of its host whose key begins with
/// the region's, or that the region's key begins with; and, as `outcome` says, those of other
/// hosts that may come before. `held`: the table as it is. Entries and outcomes of drafts outside
/// of the region mean nothing.
/// `wider`: not empty: the answer is not to be used; ask for the region that this key opens.
struct JudgedRegion {
  Judged judged;
  std::string wider;
};
[[nodiscard]] JudgedRegion JudgeRegion(const std::vector<const Draft*>& drafts,
                                       const Region& region,
                                       const Chunked<model::MatchEntry>& held);

/// The youngest services without whose ranks the table is small enough. The older ones keep theirs,
/// so that a new service changes nothing for them.
[[nodiscard]] std::set<model::ServiceName> YoungestRanked(const std::vector<const Draft*>& drafts,
                                                          const Judged& judged,
                                                          std::size_t max_inserted);
/// As if it had neither aclName nor priority.
void Unrank(Draft& draft);
[[nodiscard]] model::Diagnostic RankIgnored(const model::ServiceName& service);

}  // namespace swarmgate::routing
