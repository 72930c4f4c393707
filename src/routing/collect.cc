#include "routing/collect.h"

#include <algorithm>
#include <map>
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

std::string Indexed(const char* label, int index) {
  return index == 0 ? std::string(label) : std::string(label) + "." + std::to_string(index);
}

std::string PortList(const std::vector<std::uint16_t>& ports) {
  std::string text;
  for (const std::uint16_t port : ports) text += (text.empty() ? "" : ", ") + std::to_string(port);
  return text;
}

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

std::string ShownPath(const PathMatch& path) {
  return Printable(path.original.empty() ? path.text : path.original);
}

Diagnostic DestDiagnostic(Severity severity, const char* code, const ServiceInput& service,
                          std::string label, std::string value, std::string message,
                          std::string hint) {
  return Diagnostic{
      severity,           code,           service.spec.name, std::move(label), std::move(value),
      std::move(message), std::move(hint)};
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

/// A route with what is needed of its destination until conflicts are decided.
struct Drafted {
  Route route;
  std::optional<model::Weight> weight;
  bool divisible = true;  ///< may share its requests with equal claims
};

/// Gives a destination's routes what they have in common, and numbers them.
class Drafter {
 public:
  Drafter(const ServedService& service, const ServedDest& dest, std::vector<Drafted>& drafts)
      : input_(*service.input), dest_(dest), drafts_(drafts) {}

  void Add(const HostMatch& host, const PathMatch& path, const std::vector<PathMatch>& excludes,
           const model::BackendName& backend, std::optional<std::uint16_t> port, bool redirects) {
    const model::DestSpec& spec = *dest_.spec;
    Drafted& draft = drafts_.emplace_back();
    Route& route = draft.route;
    route.id = model::RouteId(input_.spec.name.str() + "/" + std::to_string(spec.index) + "/" +
                              std::to_string(ordinal_++));
    route.service = input_.spec.name;
    route.backend = backend;
    route.host = host;
    route.path = path;
    route.excludes = excludes;
    route.port = port;
    draft.divisible = !redirects;
    if (!redirects) {
      route.conditions = {spec.headers, spec.user_agents};
      draft.weight = spec.weight;
    }
    route.ranked = input_.spec.acl_name_given && !path.catch_all();
    if (route.ranked) route.rank = input_.spec.acl_name;
    // Without a host it would take everything from everybody.
    if (!path.catch_all() || host.kind != HostMatch::Kind::kAny) route.priority = spec.priority;
    route.created_unix_ns = input_.created_unix_ns;
  }

 private:
  const ServiceInput& input_;
  const ServedDest& dest_;
  std::vector<Drafted>& drafts_;
  int ordinal_ = 0;
};

void AddRoutes(const ServedService& service, const ServedDest& dest, std::vector<Drafted>& drafts,
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

Drafted FallbackRoute(const ServedService& service, const ServedDest& dest) {
  Drafted draft;
  Route& route = draft.route;
  route.id = model::RouteId(service.input->spec.name.str() + "/" +
                            std::to_string(dest.spec->index) + "/default");
  route.service = service.input->spec.name;
  route.backend = dest.port != 0 ? dest.backend : dest.https_backend;
  route.path = PathMatch{PathMatch::Kind::kPrefix, "/", "isDefaultBackend"};
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
    const std::hash<std::string> hash;
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

/// Who shares a claim: the first of them stands for all.
using Sharers = std::unordered_map<Drafted*, std::vector<const Drafted*>>;

/// Joins the holder's sharers where either has a weight and both claim exactly the same.
bool JoinShares(Drafted& holder, const Drafted& draft, Sharers& sharers) {
  constexpr std::size_t kMostSharers = 32;
  const auto known = sharers.find(&holder);
  if (known == sharers.end() && !holder.weight && !draft.weight) return false;
  if (!holder.divisible || !draft.divisible) return false;
  if (LeavesSomething(draft.route, holder.route)) return false;
  std::vector<const Drafted*>& all = known != sharers.end() ? known->second : sharers[&holder];
  if (all.empty()) all.push_back(&holder);
  if (all.size() == kMostSharers) return false;
  all.push_back(&draft);
  return true;
}

void GiveShares(const Sharers& sharers) {
  for (const auto& [holder, all] : sharers) {
    if (all.size() < 2) continue;
    std::vector<std::optional<model::Weight>> weights;
    for (const Drafted* draft : all) weights.push_back(draft->weight);
    const std::vector<std::uint32_t> thousandths = Thousandths(weights);
    std::vector<model::Share> shares;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Route& route = all[i]->route;
      shares.push_back({route.id, route.service, route.backend, thousandths[i]});
    }
    holder->route.shares = std::move(shares);
  }
}

/// Of equal claims one is kept, by which the others that share it are known.
Collected Decide(const std::vector<Drafted*>& sorted, std::vector<Diagnostic>& diagnostics) {
  Collected collected;
  std::unordered_map<Claim, std::vector<Drafted*>, ClaimHash> holders;
  holders.reserve(sorted.size());
  Sharers sharers;
  std::vector<Drafted*> kept;
  kept.reserve(sorted.size());
  for (Drafted* draft : sorted) {
    const Route& route = draft->route;
    std::vector<Drafted*>& earlier = holders[Claim{&route}];
    Drafted* winner = nullptr;
    bool partial = true;
    for (Drafted* other : earlier) {
      if (winner == nullptr) winner = other;
      if (!LeavesSomething(other->route, route)) {
        winner = other;
        partial = false;
        break;
      }
    }
    if (winner != nullptr && !partial && JoinShares(*winner, *draft, sharers)) continue;
    if (winner != nullptr && (winner->route.service != route.service || !partial)) {
      diagnostics.push_back(ConflictDiagnostic(winner->route, route, partial));
      if (!partial) AddLost(collected.lost, route, diagnostics.back().message);
    }
    if (!partial) continue;
    earlier.push_back(draft);
    kept.push_back(draft);
  }
  GiveShares(sharers);
  collected.routes.reserve(kept.size());
  for (Drafted* draft : kept) collected.routes.push_back(std::move(draft->route));
  return collected;
}

}  // namespace

void AddLost(std::vector<LostRoute>& lost, const Route& route, std::string reason) {
  lost.push_back({route, std::move(reason)});
}

std::string DescribeConditions(const model::Conditions& conditions) {
  std::string text;
  for (const model::HeaderCondition& header : conditions.headers) {
    text += (text.empty() ? "header " : ", header ") + header.name + ": " + header.value;
  }
  std::string agents;
  for (const std::string& agent : conditions.user_agents) {
    agents += (agents.empty() ? "" : " or ") + agent;
  }
  if (!agents.empty()) text += (text.empty() ? "user agent " : ", user agent ") + agents;
  return text;
}

std::string DescribeRoute(const Route& route) {
  std::string text = DescribeHost(route.host) + ", " + DescribePath(route.path);
  if (!route.conditions.empty()) text += ", " + DescribeConditions(route.conditions);
  if (route.port) text += ", port " + std::to_string(*route.port);
  return text;
}

Diagnostic RouteDiagnostic(Severity severity, const char* code, const Route& route,
                           std::string message, std::string hint) {
  const std::string& id = route.id.str();
  const std::size_t end = id.rfind('/');
  const std::size_t begin = id.rfind('/', end - 1);
  const std::string index = id.substr(begin + 1, end - begin - 1);
  std::string label = route.fallback ? "isDefaultBackend" : "servicePath";
  if (!route.fallback && index != "0") label += "." + index;
  return Diagnostic{severity,
                    code,
                    route.service,
                    std::move(label),
                    route.fallback ? "true" : ShownPath(route.path),
                    std::move(message),
                    std::move(hint)};
}

std::optional<std::uint16_t> ResolvePort(const ServiceInput& service, const model::DestSpec& dest,
                                         std::vector<Diagnostic>& diagnostics) {
  if (dest.port) return dest.port;
  // Only what comes in by srcHttpsPort, then.
  if (dest.https_port) return 0;
  const bool own_tasks = dest.outbound_hostname.empty() && service.facts.has_value();
  std::vector<std::uint16_t> ports;
  if (own_tasks) ports = service.facts->exposed_tcp_ports;
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  if (ports.size() == 1) return ports.front();
  std::string message = "When MODE is set to \"service\" or \"swarm\", the port query is mandatory";
  if (ports.size() > 1) {
    message += ": the service exposes several ports (" + PortList(ports) + ")";
  } else if (own_tasks) {
    message += ": the service exposes no port from which it could be guessed";
  }
  const std::string label = Indexed("port", dest.index);
  diagnostics.push_back(DestDiagnostic(Severity::kError, "missing-port", service, label, "",
                                       std::move(message),
                                       "write the port that the service listens on"));
  return std::nullopt;
}

std::vector<ServedService> ServeAll(const Inputs& services, std::vector<Diagnostic>& diagnostics) {
  std::vector<ServedService> served;
  served.reserve(services.size());
  for (const auto& service : services) {
    ServedService entry;
    entry.input = service.get();
    for (const model::DestSpec& dest : service->spec.dests) {
      if (const auto port = ResolvePort(*service, dest, diagnostics)) {
        entry.dests.push_back(ServedDest{&dest, *port, dest.https_port.value_or(0), {}, {}, {}});
      }
    }
    if (!entry.dests.empty()) served.push_back(std::move(entry));
  }
  std::sort(served.begin(), served.end(), [](const ServedService& a, const ServedService& b) {
    return std::tie(a.input->created_unix_ns, a.input->spec.name) <
           std::tie(b.input->created_unix_ns, b.input->spec.name);
  });
  return served;
}

void NameBackends(std::vector<ServedService>& services, std::vector<Diagnostic>& diagnostics) {
  std::unordered_map<std::string, const ServiceInput*> owners;
  for (ServedService& service : services) {
    const model::ServiceSpec& spec = service.input->spec;
    const std::string& acl = spec.acl_name.empty() ? spec.name.str() : spec.acl_name;
    const auto [owner, first] = owners.try_emplace(acl, service.input);
    const std::string suffix = first ? "" : "~" + spec.name.str();
    if (!first) {
      diagnostics.push_back(DestDiagnostic(
          Severity::kWarning, "duplicate-acl-name", *service.input,
          spec.acl_name_given ? "aclName" : "serviceName", Printable(acl),
          "service " + owner->second->spec.name.str() +
              " has this aclName, too; both are served, and the backends of this one end in " +
              suffix,
          "give each service an aclName of its own"));
    }
    for (ServedDest& dest : service.dests) {
      const std::string tail = "_" + std::to_string(dest.spec->index) + suffix;
      dest.backend = model::BackendName(acl + "-be" + std::to_string(dest.port) + tail);
      dest.redirect_backend = model::BackendName(acl + "-redirect" + tail);
      dest.https_backend =
          model::BackendName("https-" + acl + "-be" + std::to_string(dest.https_port) + tail);
    }
  }
}

Collected CollectRoutes(const std::vector<ServedService>& services,
                        const std::set<model::ServiceName>& unranked,
                        std::vector<Diagnostic>& diagnostics) {
  std::vector<Drafted> all;
  all.reserve(services.size());
  for (const ServedService& service : services) {
    const ServedDest* first = nullptr;
    for (const ServedDest& dest : service.dests) {
      if (dest.spec->mode != model::ReqMode::kHttp) continue;
      if (first == nullptr) first = &dest;
      AddRoutes(service, dest, all, diagnostics);
    }
    if (first != nullptr && service.input->spec.default_backend) {
      all.push_back(FallbackRoute(service, *first));
    }
  }
  if (!unranked.empty()) {
    for (Drafted& draft : all) {
      if (!unranked.contains(draft.route.service)) continue;
      draft.route.ranked = false;
      draft.route.rank.clear();
      draft.route.priority = 0;
    }
  }
  std::vector<Drafted*> sorted;
  sorted.reserve(all.size());
  for (Drafted& draft : all) sorted.push_back(&draft);
  // Inside a service they stand by index and ordinal already.
  std::stable_sort(sorted.begin(), sorted.end(), [](const Drafted* a, const Drafted* b) {
    return CompareRoutes(a->route, b->route) < 0;
  });
  return Decide(sorted, diagnostics);
}

}  // namespace swarmgate::routing
