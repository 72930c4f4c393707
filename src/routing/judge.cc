#include "routing/judge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "routing/compile.h"
#include "routing/order.h"

namespace swarmgate::routing {
namespace {

using model::Diagnostic;
using model::Route;
using model::Severity;

/// Drafts that are compiled, by their places in the vector that was given.
using Places = std::vector<std::size_t>;

Diagnostic Refused(const Route& route) {
  return RouteDiagnostic(
      Severity::kError, "bad-regex", route,
      "a regular expression of " + DescribeRoute(route) + " cannot be used; the route is left out",
      "write it as ^…$, without back-references and look-behinds");
}

/// `other`: the one that takes all of its requests; itself where it excludes itself.
Diagnostic Unreached(const Route& route, const Route& other) {
  if (&route == &other) {
    return RouteDiagnostic(Severity::kWarning, "shadowed", route,
                           DescribeRoute(route) + " is wholly taken away by servicePathExclude",
                           "exclude less than servicePath says");
  }
  std::string why;
  CompareRoutes(other, route, &why);
  return RouteDiagnostic(Severity::kWarning, "shadowed", route,
                         (route.fallback ? "the default backend" : DescribeRoute(route)) +
                             " is never reached: " + other.id.str() + " of service " +
                             other.service.str() + " (" + DescribeRoute(other) + ") comes first" +
                             (why.empty() ? "" : ", because " + why),
                         "remove one of the two, or change aclName, domain or path");
}

/// Leaves a draft out for good, and with it those that share its requests. `why`: what the owner of
/// a route is told; nothing where he need not be told.
template <typename Why>
void Drop(const std::vector<const Draft*>& drafts, std::size_t i, Judged& judged, Why why) {
  const auto drop = [&](std::size_t place) {
    DraftOutcome& outcome = judged.outcomes[place];
    outcome.kept = outcome.shares_in = false;
    std::optional<Diagnostic> told = why(drafts[place]->route);
    if (!told) return;
    outcome.lost = told->message;
    outcome.diagnostics.push_back(*std::move(told));
  };
  const std::vector<model::Share> shares = std::exchange(judged.outcomes[i].shares, {});
  if (shares.empty()) return drop(i);
  // Of equal claims: they stand behind it, and in this order.
  std::size_t place = i;
  for (const model::Share& share : shares) {
    while (drafts[place]->route->id != share.route) ++place;
    drop(place);
  }
}

Compiled CompileThese(const std::vector<const Draft*>& drafts, const Places& places,
                      const Judged& judged, std::size_t max_inserted, const std::string* host) {
  std::vector<Placed> routes;
  routes.reserve(places.size());
  for (const std::size_t i : places) {
    routes.push_back({&*drafts[i]->route, &judged.outcomes[i].shares});
  }
  return Compile(routes, max_inserted, host);
}

/// Leaves out those of `places` that no request can reach or whose regexes cannot be used, where
/// `counts(place)`. True: there were some.
template <typename Counts>
bool LeaveOut(const std::vector<const Draft*>& drafts, Places& places, const Compiled& compiled,
              Judged& judged, Counts counts) {
  std::vector<bool> gone(places.size(), false);
  for (const std::size_t place : compiled.refused) {
    if (!counts(places[place])) continue;
    gone[place] = true;
    Drop(drafts, places[place], judged,
         [](const Route& route) { return std::optional(Refused(route)); });
  }
  for (const auto& [place, winner] : compiled.unreachable) {
    if (!counts(places[place])) continue;
    gone[place] = true;
    const bool itself = place == winner;
    const Route& other = drafts[places[winner]]->route;
    Drop(drafts, places[place], judged, [&](const Route& route) -> std::optional<Diagnostic> {
      // A service that takes everything does not need to be told that it is its own default.
      if (route.fallback && route.service == other.service) return std::nullopt;
      return Unreached(route, itself ? route : other);
    });
  }
  std::size_t place = 0;
  return std::erase_if(places, [&](std::size_t) { return gone[place++]; }) > 0;
}

Places Kept(const Judged& judged) {
  Places places;
  places.reserve(judged.outcomes.size());
  for (std::size_t i = 0; i < judged.outcomes.size(); ++i) {
    if (judged.outcomes[i].kept) places.push_back(i);
  }
  return places;
}

bool Names(const model::MatchEntry& entry, const Route& route) {
  return std::any_of(
      entry.candidates.begin(), entry.candidates.end(),
      [&route](const model::MatchCandidate& candidate) { return candidate.route == route.id; });
}

}  // namespace

Judged JudgeAll(const std::vector<const Draft*>& drafts, std::size_t max_inserted) {
  Judged judged;
  judged.outcomes = Decide(drafts);
  Places places = Kept(judged);
  // What no request can reach leaves no trace: the table is made again without it.
  for (;;) {
    Compiled compiled = CompileThese(drafts, places, judged, max_inserted, nullptr);
    judged.inserted_sum = 0;
    for (const std::uint32_t count : compiled.inserted) judged.inserted_sum += count;
    if (compiled.too_large) {
      judged.too_large = true;
      judged.inserted.assign(drafts.size(), 0);
      for (std::size_t place = 0; place < places.size(); ++place) {
        judged.inserted[places[place]] = compiled.inserted[place];
      }
      return judged;
    }
    if (LeaveOut(drafts, places, compiled, judged, [](std::size_t) { return true; })) continue;
    judged.matches = std::move(compiled.matches);
    return judged;
  }
}

JudgedRegion JudgeRegion(const std::vector<const Draft*>& drafts, const Region& region,
                         const Chunked<model::MatchEntry>& held) {
  JudgedRegion result;
  Judged& judged = result.judged;
  judged.outcomes = Decide(drafts);
  const auto own = [&](std::size_t i) { return drafts[i]->route->host.text == region.host; };
  const auto inside = [&](std::size_t i) {
    return own(i) && drafts[i]->key.starts_with(region.key);
  };
  // Of those of other hosts not all equal claims were given.
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (!own(i)) judged.outcomes[i] = drafts[i]->outcome;
  }
  Places places = Kept(judged);
  for (;;) {
    Compiled compiled =
        CompileThese(drafts, places, judged, std::numeric_limits<std::size_t>::max(), &region.host);
    if (LeaveOut(drafts, places, compiled, judged, inside)) continue;
    judged.matches = std::move(compiled.matches);
    break;
  }
  const std::string begin = region.host + region.key;
  const auto& entries = judged.matches.entries;
  const auto names_here = [&begin](const Chunked<model::MatchEntry>& table, const Route& route) {
    auto entry = table.PartitionPoint(
        [&begin](const model::MatchEntry& other) { return other.key < begin; });
    for (; entry != table.end() && entry->key.starts_with(begin); ++entry) {
      if (Names(*entry, route)) return true;
    }
    return false;
  };
  for (const std::size_t i : places) {
    if (!own(i) || inside(i)) continue;
    // A route that opens more than this region: whether it is reached depends on this region only
    // where it is not reached at its own key.
    const Route& route = drafts[i]->route;
    const std::string key = region.host + drafts[i]->key;
    const auto opened =
        entries.PartitionPoint([&key](const model::MatchEntry& entry) { return entry.key < key; });
    if (opened != entries.end() && opened->key == key && Names(*opened, route)) continue;
    // It has lost what may have been its last place, or has got its first one.
    const bool kept = drafts[i]->outcome.kept;
    const bool concerned =
        kept ? names_here(held, route) && !names_here(entries, route) : names_here(entries, route);
    const bool wider = result.wider.empty() || drafts[i]->key.size() < result.wider.size();
    if (concerned && wider) result.wider = drafts[i]->key;
  }
  return result;
}

std::set<model::ServiceName> YoungestRanked(const std::vector<const Draft*>& drafts,
                                            const Judged& judged, std::size_t max_inserted) {
  std::map<std::pair<std::int64_t, model::ServiceName>, std::size_t> by_age;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const Route& route = drafts[i]->route;
    sum += judged.inserted[i];
    const bool ranked = route.ranked || route.priority != 0;
    if (!ranked || judged.inserted[i] == 0) continue;
    by_age[{route.created_unix_ns, route.service}] += judged.inserted[i];
  }
  std::set<model::ServiceName> youngest;
  for (auto it = by_age.rbegin(); it != by_age.rend() && sum > max_inserted; ++it) {
    sum -= it->second;
    youngest.insert(it->first.second);
  }
  return youngest;
}

void Unrank(Draft& draft) {
  Route& route = draft.route.Edit();
  route.ranked = false;
  route.rank = {};
  route.priority = 0;
}

Diagnostic RankIgnored(const model::ServiceName& service) {
  return Diagnostic{Severity::kWarning,
                    "rank-ignored",
                    service,
                    "aclName",
                    "",
                    "the aclName or priority does not order the routes: too many services with one "
                    "stand before too many domains",
                    "leave it out where the more specific domain or the longer path is to win "
                    "anyway"};
}

}  // namespace swarmgate::routing
