// "Why": the routes themselves, in order of precedence, held against one request.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "routing/collect.h"
#include "routing/condition.h"
#include "routing/host.h"
#include "routing/order.h"
#include "routing/path.h"
#include "routing/regex.h"
#include "routing/shares.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {
namespace {

using model::HostMatch;
using model::PathMatch;
using model::Route;

constexpr std::size_t kNearMisses = 20;
constexpr std::size_t kLostShown = 20;

bool PathHolds(const PathMatch& path, const std::string& request_path) {
  if (path.kind == PathMatch::Kind::kRegex) return MatchesWhole(path.text, request_path);
  return PathMatches(path, request_path);
}

bool HostHolds(const HostMatch& match, const std::string& host) {
  if (match.kind == HostMatch::Kind::kRegex) return !host.empty() && MatchesWhole(match.text, host);
  return match.kind == HostMatch::Kind::kAny || (!host.empty() && HostMatches(match, host));
}

/// Is `wanted` one of the values (or several in a row) of a header's line?
bool HasValue(std::string_view line, std::string_view wanted) {
  for (std::size_t at = line.find(wanted); at != std::string_view::npos;
       at = line.find(wanted, at + 1)) {
    const std::string_view before = Trim(line.substr(0, at));
    const std::string_view behind = Trim(line.substr(at + wanted.size()));
    if ((before.empty() || before.back() == ',') && (behind.empty() || behind.front() == ',')) {
      return true;
    }
  }
  return false;
}

bool ConditionsHold(const model::Conditions& conditions, const Question& question) {
  const auto any_line = [&question](std::string_view name, const auto& holds) {
    if (name == "host" && holds(std::string_view(question.host))) return true;
    return std::any_of(question.headers.begin(), question.headers.end(), [&](const auto& header) {
      return ToLower(header.first) == name && holds(std::string_view(header.second));
    });
  };
  for (const model::HeaderCondition& header : conditions.headers) {
    const auto holds = [&header](std::string_view line) { return HasValue(line, header.value); };
    if (!any_line(header.name, holds)) return false;
  }
  if (conditions.user_agents.empty()) return true;
  return any_line("user-agent", [&conditions](std::string_view line) {
    const std::string lower = ToLower(line);
    return std::any_of(
        conditions.user_agents.begin(), conditions.user_agents.end(),
        [&lower](const std::string& agent) { return lower.find(agent) != std::string::npos; });
  });
}

/// How a route and a request meet.
struct Verdict {
  bool host = false;
  bool path = false;
  bool port = false;
  bool conditions = false;
  const PathMatch* exclude = nullptr;  ///< only looked at when everything else matches
  [[nodiscard]] bool matches() const {
    return host && path && port && conditions && exclude == nullptr;
  }
};

Verdict Judge(const Route& route, const std::string& host, const Question& question) {
  Verdict verdict;
  verdict.host = HostHolds(route.host, host);
  verdict.path =
      PathHolds(route.path, question.path) && (!question.path.empty() || !HasPathRegex(route));
  verdict.port = !route.port || *route.port == question.port;
  verdict.conditions = ConditionsHold(route.conditions, question);
  if (!verdict.matches()) return verdict;
  for (const PathMatch& exclude : route.excludes) {
    if (!PathHolds(exclude, question.path)) continue;
    verdict.exclude = &exclude;
    break;
  }
  return verdict;
}

/// Worth telling: it would have been this one but for one thing that its owner wrote.
bool IsNear(const Route& route, const Verdict& verdict) {
  if (verdict.exclude != nullptr) return true;
  if (!verdict.port || !verdict.conditions) return verdict.host && verdict.path;
  if (!verdict.host) return verdict.path && !route.path.catch_all();
  return route.host.kind != HostMatch::Kind::kAny;
}

std::string MissReason(const Route& route, const Verdict& verdict) {
  if (verdict.exclude != nullptr) {
    return "excluded by " +
           (verdict.exclude->original.empty() ? verdict.exclude->text : verdict.exclude->original);
  }
  if (!verdict.host) return "host differs: it asks for " + DescribeHost(route.host);
  if (!verdict.path) return "path differs: it asks for " + DescribePath(route.path);
  if (!verdict.port) {
    return "port differs: it asks for " + std::to_string(route.port.value_or(0));
  }
  return "headers differ: it asks for " + DescribeConditions(route.conditions);
}

std::string NothingReason(const Question& question, const std::string& host) {
  return "no route matches " +
         (host.empty() ? std::string("a request without a host") : "host " + Printable(host)) +
         ", path " + Printable(question.path) + ", port " + std::to_string(question.port);
}

void AddLostCandidates(const Chunked<LostRoute>& lost, const std::string& host,
                       const Question& question, Explanation& explanation) {
  std::size_t shown = 0;
  for (const LostRoute& loser : lost) {
    if (!Judge(loser.route, host, question).matches() || ++shown > kLostShown) continue;
    explanation.candidates.push_back(
        {loser.route->id, loser.route->service, true, false, "left out: " + loser.reason});
  }
}

/// What may stand as the host of a request: a name or an address, and perhaps a port.
bool IsRequestHost(std::string_view host) {
  const std::size_t bracket = host.starts_with('[') ? host.find(']') : std::string_view::npos;
  const bool address = bracket != std::string_view::npos;
  const std::size_t end = address ? bracket + 1 : host.find(':');
  const std::string_view name = host.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? "" : host.substr(end);
  if (address) {
    constexpr std::string_view kOfAddresses = "0123456789abcdefABCDEF:.";
    const std::string_view inside = name.substr(1, name.size() - 2);
    if (inside.find_first_not_of(kOfAddresses) != std::string_view::npos) return false;
    if (inside.find(':') == std::string_view::npos) return false;
  } else if (!IsCleanHost(name) || name.find_first_of("[]@#\\\"") != std::string_view::npos) {
    return false;
  }
  if (rest.empty()) return true;
  const auto port = rest[0] == ':' ? ParseUint(rest.substr(1), 65535) : std::nullopt;
  return port && *port != 0;
}

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

}  // namespace

Status CheckQuestion(const Question& question) {
  // A client of HTTP/1.0, or of TLS without SNI, names no host.
  if (!question.host.empty() && !IsRequestHost(question.host)) {
    return Fail(Code::kInvalidArgument, "'" + Printable(question.host, 100) +
                                            "' is no host; write for example a.com or [::1]");
  }
  if (!IsCleanPath(question.path)) {
    return Fail(Code::kInvalidArgument,
                "'" + Printable(question.path, 100) +
                    "' is no path; write for example /demo (a blank is %20, and what stands behind "
                    "? or # is no part of it)");
  }
  for (const auto& [name, value] : question.headers) {
    if (IsHeaderName(name)) continue;
    return Fail(Code::kInvalidArgument, "'" + Printable(name, 100) +
                                            "' is no name of a header; write for example "
                                            "X-Version: 3");
  }
  return Ok();
}

Explanation Explain(const Chunked<Cow<Route>>& routes, const Question& question,
                    const Chunked<LostRoute>& lost) {
  Explanation explanation;
  const std::string host = NormaliseHost(question.host);
  const Route* winner = nullptr;
  const Route* second = nullptr;
  std::size_t misses = 0;
  for (const Route& route : routes) {
    const Verdict verdict = Judge(route, host, question);
    if (!verdict.matches() && (misses >= kNearMisses || !IsNear(route, verdict))) continue;
    Candidate candidate{route.id, route.service, verdict.matches(), false, {}};
    if (!verdict.matches()) {
      ++misses;
      candidate.reason = MissReason(route, verdict);
    } else {
      candidate.wins = winner == nullptr;
      candidate.reason = route.fallback ? "default backend" : DescribeRoute(route);
      if (winner == nullptr) {
        winner = &route;
      } else {
        std::string why;
        CompareRoutes(*winner, route, &why);
        candidate.reason +=
            "; " + winner->id.str() + " comes first" + (why.empty() ? "" : " (" + why + ")");
        if (second == nullptr) second = &route;
      }
    }
    explanation.candidates.push_back(std::move(candidate));
  }
  AddLostCandidates(lost, host, question, explanation);
  if (winner == nullptr) {
    explanation.reason = NothingReason(question, host);
    return explanation;
  }
  explanation.winner = winner->id;
  explanation.service = winner->service;
  explanation.backend = winner->backend;
  explanation.shares = winner->shares;
  explanation.reason =
      winner->fallback ? "default backend: nothing else matches" : DescribeRoute(*winner);
  if (second != nullptr) {
    std::string why;
    CompareRoutes(*winner, *second, &why);
    explanation.reason += "; before " + second->id.str() + (why.empty() ? "" : " because " + why);
  }
  if (!winner->shares.empty()) {
    explanation.reason += "; shared by weight: " + DescribeShares(winner->shares);
  }
  return explanation;
}

}  // namespace swarmgate::routing
