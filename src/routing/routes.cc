#include "routing/routes.h"

#include <algorithm>
#include <map>
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
                 std::vector<Diagnostic>& diagnostics) {
  for (const std::size_t i : compiled.refused) {
    diagnostics.push_back(
        RouteDiagnostic(Severity::kError, "bad-regex", routes[i],
                        "a regular expression of " + DescribeRoute(routes[i]) +
                            " cannot be used; the route is left out",
                        "write it as ^…$, without back-references and look-behinds"));
  }
}

void TellUnreachable(const std::vector<Route>& routes, const Compiled& compiled,
                     std::vector<Diagnostic>& diagnostics) {
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
  }
}

void Drop(std::vector<Route>& routes, const Compiled& compiled) {
  std::vector<bool> gone(routes.size(), false);
  for (const std::size_t i : compiled.refused) gone[i] = true;
  for (const Unreachable& unreachable : compiled.unreachable) gone[unreachable.route] = true;
  std::size_t i = 0;
  std::erase_if(routes, [&](const Route&) { return gone[i++]; });
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

BuiltRoutes BuildServed(const std::vector<ServedService>& services) {
  BuiltRoutes built;
  built.routes = CollectRoutes(services, built.diagnostics);
  // What no request can reach leaves no trace: the table is made again without it.
  for (int pass = 0;; ++pass) {
    Compiled compiled = Compile(built.routes);
    TellRefused(built.routes, compiled, built.diagnostics);
    TellUnreachable(built.routes, compiled, built.diagnostics);
    if ((compiled.refused.empty() && compiled.unreachable.empty()) || pass == kPasses) {
      built.matches = std::move(compiled.matches);
      break;
    }
    Drop(built.routes, compiled);
  }
  TidyDiagnostics(built.diagnostics);
  return built;
}

BuiltRoutes BuildRoutes(const std::vector<ServiceInput>& services) {
  std::vector<Diagnostic> diagnostics;
  std::vector<ServedService> served = ServeAll(services, diagnostics);
  NameBackends(served, diagnostics);
  BuiltRoutes built = BuildServed(served);
  built.diagnostics.insert(built.diagnostics.end(), diagnostics.begin(), diagnostics.end());
  TidyDiagnostics(built.diagnostics);
  return built;
}

}  // namespace swarmgate::routing
