#include "routing/draft.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "routing/host.h"
#include "routing/order.h"
#include "routing/path.h"
#include "routing/shares.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::routing {
namespace {

using model::Diagnostic;
using model::HostMatch;
using model::PathMatch;
using model::Route;
using model::Severity;

bool IsUsable(const HostMatch& host) {
  switch (host.kind) {
    case HostMatch::Kind::kAny:
      return true;
    case HostMatch::Kind::kRegex:
      return !host.text.empty();
    case HostMatch::Kind::kExact:
      return IsCleanHost(host.text) && host.text.front() != '.' && host.text.back() != '.';
    case HostMatch::Kind::kWildcard:
      return IsCleanHost(host.text) && host.text.size() > 1 && host.text.front() == '.' &&
             host.text.back() != '.';
  }
  return false;
}

bool IsUsable(const PathMatch& path) {
  return path.kind == PathMatch::Kind::kRegex ? !path.text.empty() : IsCleanPath(path.text);
}

/// The paths in one way of writing, without repetition and without those that no key can hold.
std::vector<PathMatch> CleanPaths(const ServiceInput& service, int index, const char* label,
                                  const std::vector<PathMatch>& paths,
                                  std::vector<Diagnostic>& diagnostics) {
  std::vector<PathMatch> clean;
  for (const PathMatch& path : paths) {
    if (!IsUsable(path)) {
      diagnostics.push_back(
          DestDiagnostic(Severity::kError, "bad-path", service, Indexed(label, index),
                         ShownPath(path), "the path cannot occur in a request",
                         "write a path that starts with '/', without white space, '?' and '#'"));
      continue;
    }
    PathMatch normal = NormalisePath(path);
    const bool known = std::any_of(clean.begin(), clean.end(), [&](const PathMatch& other) {
      return other.kind == normal.kind && other.text == normal.text;
    });
    if (!known) clean.push_back(std::move(normal));
  }
  return clean;
}

std::vector<HostMatch> CleanHosts(const ServiceInput& service, const std::vector<HostMatch>& hosts,
                                  const char* label, int index,
                                  std::vector<Diagnostic>& diagnostics) {
  if (hosts.empty()) return {HostMatch{}};
  std::vector<HostMatch> clean;
  for (const HostMatch& host : hosts) {
    if (!IsUsable(host)) {
      diagnostics.push_back(DestDiagnostic(
          Severity::kError, "bad-host", service, Indexed(label, index),
          Printable(host.original.empty() ? host.text : host.original),
          "the host cannot occur in a request", "write a host name such as a.com or *.a.com"));
      continue;
    }
    const bool known = std::any_of(clean.begin(), clean.end(), [&](const HostMatch& other) {
      return other.kind == host.kind && other.text == host.text;
    });
    if (!known) clean.push_back(host);
  }
  return clean;
}

/// Gives a destination's routes what they have in common, and numbers them.
class Drafter {
 public:
  Drafter(const ServedService& service, const ServedDest& dest, std::vector<Draft>& drafts)
      : input_(*service.input), dest_(dest), drafts_(drafts) {}

  void Add(const HostMatch& host, const PathMatch& path, const std::vector<PathMatch>& excludes,
           const model::BackendName& backend, std::optional<std::uint16_t> port, bool redirects) {
    const model::DestSpec& spec = *dest_.spec;
    Draft& draft = drafts_.emplace_back();
    Route& route = draft.route.Edit();
    route.id = model::RouteId(input_.spec->name.str() + "/" + std::to_string(spec.index) + "/" +
                              std::to_string(ordinal_++));
    route.service = input_.spec->name;
    route.backend = backend;
    route.host = host;
    route.path = path;
    // One text where it says the same.
    const std::string key = PathKey(path);
    draft.key = key == path.text ? path.text : Text(key);
    route.excludes = excludes;
    route.port = port;
    draft.divisible = !redirects;
    if (!redirects) {
      route.conditions = {spec.headers, spec.user_agents};
      draft.weight = spec.weight;
    }
    route.ranked = input_.spec->acl_name_given && !path.catch_all();
    if (route.ranked) route.rank = input_.spec->acl_name;
    // Without a host it would take everything from everybody.
    if (!path.catch_all() || host.kind != HostMatch::Kind::kAny) route.priority = spec.priority;
    route.created_unix_ns = input_.created_unix_ns;
  }

 private:
  const ServiceInput& input_;
  const ServedDest& dest_;
  std::vector<Draft>& drafts_;
  int ordinal_ = 0;
};

void AddRoutes(const ServedService& service, const ServedDest& dest, std::vector<Draft>& drafts,
               std::vector<Diagnostic>& diagnostics) {
  constexpr std::uint16_t kHttp = 80;
  constexpr std::uint16_t kHttps = 443;
  const ServiceInput& input = *service.input;
  const model::DestSpec& spec = *dest.spec;
  const std::vector<PathMatch> paths =
      CleanPaths(input, spec.index, "servicePath", spec.paths, diagnostics);
  const std::vector<PathMatch> excludes =
      CleanPaths(input, spec.index, "servicePathExclude", spec.path_excludes, diagnostics);
  std::optional<std::uint16_t> port = spec.src_port;
  if (dest.https_port != 0 && !port) port = kHttp;
  const std::vector<HostMatch> hosts =
      CleanHosts(input, spec.hosts, "serviceDomain", spec.index, diagnostics);
  Drafter drafter(service, dest, drafts);
  const auto for_each = [&paths](const std::vector<HostMatch>& list, const auto& add) {
    for (const HostMatch& host : list) {
      for (const PathMatch& path : paths) add(host, path);
    }
  };
  if (dest.port != 0) {
    for_each(hosts, [&](const HostMatch& host, const PathMatch& path) {
      drafter.Add(host, path, excludes, dest.backend, port, false);
    });
  }
  if (dest.https_port != 0) {
    for_each(hosts, [&](const HostMatch& host, const PathMatch& path) {
      drafter.Add(host, path, excludes, dest.https_backend, spec.src_https_port.value_or(kHttps),
                  false);
    });
  }
  if (spec.redirect_from.empty()) return;
  for_each(CleanHosts(input, spec.redirect_from, "redirectFromDomain", spec.index, diagnostics),
           [&](const HostMatch& host, const PathMatch& path) {
             drafter.Add(host, path, excludes, dest.redirect_backend, std::nullopt, true);
           });
}

Draft FallbackRoute(const ServedService& service, const ServedDest& dest) {
  Draft draft;
  Route& route = draft.route.Edit();
  route.id = model::RouteId(service.input->spec->name.str() + "/" +
                            std::to_string(dest.spec->index) + "/default");
  route.service = service.input->spec->name;
  route.backend = dest.port != 0 ? dest.backend : dest.https_backend;
  route.path = PathMatch{PathMatch::Kind::kPrefix, "/", "isDefaultBackend"};
  draft.key = PathKey(route.path);
  route.fallback = true;
  route.created_unix_ns = service.input->created_unix_ns;
  draft.weight = dest.spec->weight;
  return draft;
}

struct Claim {
  const Route* route;
  friend bool operator==(const Claim& a, const Claim& b) {
    const auto fields = [](const Route& r) {
      return std::tie(r.fallback, r.port, r.host.kind, r.path.kind, r.host.text, r.path.text,
                      r.conditions.headers, r.conditions.user_agents);
    };
    return fields(*a.route) == fields(*b.route);
  }
};
struct ClaimHash {
  std::size_t operator()(const Claim& claim) const {
    const std::hash<Text> hash;
    return hash(claim.route->host.text) * 31 + hash(claim.route->path.text) +
           claim.route->port.value_or(0);
  }
};

/// What the winner leaves to others, it does not claim: then the loser stays for that part.
bool LeavesSomething(const Route& winner, const Route& loser) {
  return std::any_of(winner.excludes.begin(), winner.excludes.end(), [&](const PathMatch& exclude) {
    return std::none_of(loser.excludes.begin(), loser.excludes.end(), [&](const PathMatch& other) {
      return other.kind == exclude.kind && other.text == exclude.text;
    });
  });
}

Diagnostic ConflictDiagnostic(const Route& winner, const Route& loser, bool partial) {
  if (winner.service == loser.service) {
    return RouteDiagnostic(
        Severity::kWarning, "shadowed", loser,
        DescribeRoute(loser) + " is said twice; " + winner.id.str() + " comes first",
        "remove one of the two");
  }
  std::string why;
  CompareRoutes(winner, loser, &why);
  std::string message = DescribeRoute(loser) + " belongs to service " + winner.service.str();
  if (winner.fallback)
    message = "service " + winner.service.str() + " is the default backend already";
  message += why.empty() ? "" : " (" + why + ")";
  message += partial ? "; only what that one excludes comes here" : "; this route is left out";
  return RouteDiagnostic(
      partial ? Severity::kWarning : Severity::kError, "conflict", loser, std::move(message),
      loser.fallback ? "leave isDefaultBackend to one service"
                     : "choose another path or domain, or remove one of the two services");
}

/// Decides equal claims one after the other, in order of precedence.
class Decider {
 public:
  explicit Decider(const std::vector<const Draft*>& drafts)
      : drafts_(drafts), outcomes_(drafts.size()) {}

  std::vector<DraftOutcome> Run() {
    std::unordered_map<Claim, std::vector<std::size_t>, ClaimHash> holders;
    holders.reserve(drafts_.size());
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      Place(i, holders[Claim{&*drafts_[i]->route}]);
    }
    for (const auto& [holder, all] : sharers_) GiveShares(holder, all);
    return std::move(outcomes_);
  }

 private:
  void Place(std::size_t i, std::vector<std::size_t>& earlier) {
    const Route& route = drafts_[i]->route;
    std::optional<std::size_t> winner;
    bool partial = true;
    for (const std::size_t other : earlier) {
      if (!winner) winner = other;
      if (LeavesSomething(drafts_[other]->route, route)) continue;
      winner = other;
      partial = false;
      break;
    }
    if (winner && !partial && JoinShares(*winner, i)) return;
    if (winner && (drafts_[*winner]->route->service != route.service || !partial)) {
      Diagnostic conflict = ConflictDiagnostic(drafts_[*winner]->route, route, partial);
      if (!partial) outcomes_[i].lost = conflict.message;
      outcomes_[i].diagnostics.push_back(std::move(conflict));
    }
    if (!partial) return;
    earlier.push_back(i);
    outcomes_[i].kept = true;
  }

  /// Joins the holder's sharers where either has a weight and both claim exactly the same.
  bool JoinShares(std::size_t holder, std::size_t i) {
    constexpr std::size_t kMostSharers = 32;
    const Draft& first = *drafts_[holder];
    const Draft& draft = *drafts_[i];
    const auto known = sharers_.find(holder);
    if (known == sharers_.end() && !first.weight && !draft.weight) return false;
    if (!first.divisible || !draft.divisible) return false;
    if (LeavesSomething(draft.route, first.route)) return false;
    std::vector<std::size_t>& all = sharers_[holder];
    if (all.empty()) all.push_back(holder);
    if (all.size() == kMostSharers) return false;
    all.push_back(i);
    return true;
  }

  void GiveShares(std::size_t holder, const std::vector<std::size_t>& all) {
    if (all.size() < 2) return;
    std::vector<std::optional<model::Weight>> weights;
    weights.reserve(all.size());
    for (const std::size_t i : all) weights.push_back(drafts_[i]->weight);
    const std::vector<std::uint32_t> thousandths = Thousandths(weights);
    std::vector<model::Share> shares;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Route& route = drafts_[all[i]]->route;
      shares.push_back({route.id, route.service, route.backend, thousandths[i]});
      outcomes_[all[i]].shares_in = true;
    }
    outcomes_[holder].shares = std::move(shares);
  }

  const std::vector<const Draft*>& drafts_;
  std::vector<DraftOutcome> outcomes_;
  /// The first of those who share a claim stands for all.
  std::unordered_map<std::size_t, std::vector<std::size_t>> sharers_;
};

}  // namespace

std::vector<DraftOutcome> Decide(const std::vector<const Draft*>& drafts) {
  return Decider(drafts).Run();
}

std::vector<Draft> MakeDrafts(const ServedService& service, std::vector<Diagnostic>& diagnostics) {
  std::vector<Draft> drafts;
  const ServedDest* first = nullptr;
  for (const ServedDest& dest : service.dests) {
    if (dest.spec->mode != model::ReqMode::kHttp) continue;
    if (first == nullptr) first = &dest;
    AddRoutes(service, dest, drafts, diagnostics);
  }
  if (first != nullptr && service.input->spec->default_backend) {
    drafts.push_back(FallbackRoute(service, *first));
  }
  return drafts;
}

}  // namespace swarmgate::routing
