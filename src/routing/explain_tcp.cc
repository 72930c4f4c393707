// "Why" for what is not decided by routes of requests: ports that do not speak HTTP, and services
// that decide by a template of their own.
#include <algorithm>
#include <string>
#include <string_view>

#include "routing/host.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;
using model::TcpListener;
using model::TcpRoute;

bool NameHolds(const HostMatch& match, const std::string& name) {
  // On such a port a regex is the beginning of a name.
  if (match.kind == HostMatch::Kind::kRegex) return name.starts_with(match.text);
  return match.kind == HostMatch::Kind::kAny || (!name.empty() && HostMatches(match, name));
}

/// The longest key of the name itself, then its nearest parent, as HAProxy looks them up.
std::pair<int, std::size_t> Rank(const HostMatch& match) {
  const bool parent = match.kind == HostMatch::Kind::kWildcard;
  const std::size_t end = match.kind == HostMatch::Kind::kExact ? 1 : 0;
  return {parent ? 0 : 1, match.text.size() + end};
}

std::string Describe(const HostMatch& match, std::uint16_t port) {
  std::string text = "connections to port " + std::to_string(port);
  if (match.kind == HostMatch::Kind::kAny) return text;
  if (match.kind == HostMatch::Kind::kRegex) return text + " for names that begin " + match.text;
  return text + " for " + DescribeHost(match);
}

Explanation ExplainConnection(const model::Desired& desired, const TcpListener& listener,
                              const std::string& name) {
  Explanation explanation;
  const TcpRoute* winner = nullptr;
  for (const TcpRoute& route : desired.tcp_routes) {
    if (route.port != listener.port || !NameHolds(route.name, name)) continue;
    if (winner == nullptr || Rank(winner->name) < Rank(route.name)) winner = &route;
  }
  for (const TcpRoute& route : desired.tcp_routes) {
    if (route.port != listener.port) continue;
    const bool matches = NameHolds(route.name, name);
    std::string reason = Describe(route.name, route.port);
    if (!matches) reason = "name differs: it asks for " + DescribeHost(route.name);
    if (matches && &route != winner) {
      reason += route.backend == winner->backend ? "; in the same serviceGroup"
                                                 : "; " + winner->id.str() + " is more specific";
    }
    explanation.candidates.push_back(
        {route.id, route.service, matches, &route == winner, std::move(reason)});
  }
  const std::string port = std::to_string(listener.port);
  if (winner == nullptr) {
    explanation.reason = "port " + port + " tells services apart by the name that a client's TLS " +
                         "asks for, and nobody has " +
                         (name.empty() ? "connections without one" : Printable(name)) +
                         ": the connection is closed";
    return explanation;
  }
  explanation.winner = winner->id;
  explanation.service = winner->service;
  explanation.backend = winner->backend;
  explanation.reason =
      Describe(winner->name, winner->port) + ", which does not speak HTTP: no path, no headers";
  return explanation;
}

}  // namespace

Explanation Explain(const model::Desired& desired, const Question& question,
                    const Chunked<LostRoute>& lost) {
  for (const TcpListener& listener : desired.tcp_listeners) {
    if (listener.port != question.port) continue;
    return ExplainConnection(desired, listener, NormaliseHost(question.host));
  }
  Explanation explanation = Explain(desired.routes, question, lost);
  std::string names;
  std::vector<Candidate> asked_first;
  for (const model::RawRoutes& raw : desired.raw) {
    names += (names.empty() ? "" : ", ") + raw.service.str();
    asked_first.push_back({model::RouteId(raw.service.str() + "/template"), raw.service, false,
                           false,
                           "its template is asked before all routes; whether it takes this request "
                           "only HAProxy can say"});
  }
  if (names.empty()) return explanation;
  explanation.reason += "; unless a rule in the template of " + names + " takes it before";
  explanation.candidates.insert(explanation.candidates.begin(), asked_first.begin(),
                                asked_first.end());
  return explanation;
}

}  // namespace swarmgate::routing
