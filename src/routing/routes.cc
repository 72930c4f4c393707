#include "routing/routes.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "routing/compile.h"
#include "routing/order.h"

namespace swarmgate::routing {
namespace {

using model::Diagnostic;
using model::Route;
using model::Severity;

constexpr int kPasses = 4;         ///< one is enough but for odd cases
constexpr std::size_t kTold = 20;  ///< diagnostics of one code for one service

void TellRefused(const std::vector<Route>& routes, const Compiled& compiled,
                 std::vector<LostRoute>& lost, std::vector<Diagnostic>& diagnostics) {
  for (const std::size_t i : compiled.refused) {
    diagnostics.push_back(
        RouteDiagnostic(Severity::kError, "bad-regex", routes[i],
                        "a regular expression of " + DescribeRoute(routes[i]) +
                            " cannot be used; the route is left out",
                        "write it as ^…$, without back-references and look-behinds"));
    AddLost(lost, routes[i], diagnostics.back().message);
  }
}

void TellUnreachable(const std::vector<Route>& routes, const Compiled& compiled,
                     std::vector<LostRoute>& lost, std::vector<Diagnostic>& diagnostics) {
  for (const auto& [loser, winner] : compiled.unreachable) {
    const Route& route = routes[loser];
    const Route& other = routes[winner];
    // A service that takes everything does not need to be told that it is its own default.
    if (route.fallback && route.service == other.service) continue;
    std::string why;
    CompareRoutes(other, route, &why);
    diagnostics.push_back(
        loser == winner
            ? RouteDiagnostic(Severity::kWarning, "shadowed", route,
                              DescribeRoute(route) + " is wholly taken away by servicePathExclude",
                              "exclude less than servicePath says")
            : RouteDiagnostic(Severity::kWarning, "shadowed", route,
                              (route.fallback ? "the default backend" : DescribeRoute(route)) +
                                  " is never reached: " + other.id.str() + " of service " +
                                  other.service.str() + " (" + DescribeRoute(other) +
                                  ") comes first" + (why.empty() ? "" : ", because " + why),
                              "remove one of the two, or change aclName, domain or path"));
    AddLost(lost, route, diagnostics.back().message);
  }
}

void Drop(std::vector<Route>& routes, const Compiled& compiled) {
  std::vector<bool> gone(routes.size(), false);
  for (const std::size_t i : compiled.refused) gone[i] = true;
  for (const Unreachable& unreachable : compiled.unreachable) gone[unreachable.route] = true;
  std::size_t i = 0;
  std::erase_if(routes, [&](const Route&) { return gone[i++]; });
}

/// The youngest services without whose ranks the table is small enough. The older ones keep theirs,
/// so that a new service changes nothing for them.
std::set<model::ServiceName> YoungestRanked(const std::vector<Route>& routes,
                                            const Compiled& compiled, std::size_t max_inserted) {
  std::map<std::pair<std::int64_t, model::ServiceName>, std::size_t> by_age;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    sum += compiled.inserted[i];
    const bool ranked = routes[i].ranked || routes[i].priority != 0;
    if (!ranked || compiled.inserted[i] == 0) continue;
    by_age[{routes[i].created_unix_ns, routes[i].service}] += compiled.inserted[i];
  }
  std::set<model::ServiceName> youngest;
  for (auto it = by_age.rbegin(); it != by_age.rend() && sum > max_inserted; ++it) {
    sum -= it->second;
    youngest.insert(it->first.second);
  }
  return youngest;
}

}  // namespace

void TidyDiagnostics(std::vector<Diagnostic>& diagnostics) {
  std::sort(diagnostics.begin(), diagnostics.end());
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end()), diagnostics.end());
  std::map<std::pair<model::ServiceName, std::string>, std::size_t> told;
  for (const Diagnostic& diagnostic : diagnostics) ++told[{diagnostic.service, diagnostic.code}];
  std::erase_if(told, [](const auto& entry) { return entry.second <= kTold; });
  if (told.empty()) return;
  std::map<std::pair<model::ServiceName, std::string>, std::size_t> seen;
  std::erase_if(diagnostics, [&](Diagnostic& diagnostic) {
    const auto many = told.find({diagnostic.service, diagnostic.code});
    if (many == told.end()) return false;
    const std::size_t nth = ++seen[many->first];
    if (nth == kTold)
      diagnostic.message += " (and " + std::to_string(many->second - kTold) + " more like this)";
    return nth > kTold;
  });
}

BuiltRoutes BuildServed(const std::vector<ServedService>& services, std::size_t max_inserted) {
  BuiltRoutes built;
  std::set<model::ServiceName> unranked;
  const auto collect = [&] {
    Collected collected = CollectRoutes(services, unranked, built.diagnostics);
    built.routes = std::move(collected.routes);
    built.lost = std::move(collected.lost);
  };
  collect();
  // What no request can reach leaves no trace: the table is made again without it.
  for (int pass = 0;; ++pass) {
    Compiled compiled = Compile(built.routes, max_inserted);
    if (compiled.too_large && unranked.empty()) {
      unranked = YoungestRanked(built.routes, compiled, max_inserted);
      built.diagnostics.clear();
      collect();
      max_inserted = std::numeric_limits<std::size_t>::max();
      continue;
    }
    TellRefused(built.routes, compiled, built.lost, built.diagnostics);
    TellUnreachable(built.routes, compiled, built.lost, built.diagnostics);
    if ((compiled.refused.empty() && compiled.unreachable.empty()) || pass >= kPasses) {
      built.matches = std::move(compiled.matches);
      break;
    }
    Drop(built.routes, compiled);
  }
  for (const model::ServiceName& service : unranked) {
    built.diagnostics.push_back(Diagnostic{
        Severity::kWarning, "rank-ignored", service, "aclName", "",
        "the aclName or priority does not order the routes: too many services with one stand "
        "before too many domains",
        "leave it out where the more specific domain or the longer path is to win anyway"});
  }
  TidyDiagnostics(built.diagnostics);
  return built;
}

BuiltRoutes BuildRoutes(const std::vector<ServiceInput>& services) {
  const Inputs inputs = MakeInputs(services);
  std::vector<Diagnostic> diagnostics;
  std::vector<ServedService> served = ServeAll(inputs, diagnostics);
  NameBackends(served, diagnostics);
  BuiltRoutes built = BuildServed(served);
  built.diagnostics.insert(built.diagnostics.end(), diagnostics.begin(), diagnostics.end());
  TidyDiagnostics(built.diagnostics);
  return built;
}

}  // namespace swarmgate::routing
