#include "routing/collect.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "routing/host.h"
#include "routing/order.h"
#include "routing/path.h"
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

std::vector<HostMatch> CleanHosts(const ServiceInput& service, const model::DestSpec& dest,
                                  std::vector<Diagnostic>& diagnostics) {
  if (dest.hosts.empty()) return {HostMatch{}};
  std::vector<HostMatch> clean;
  for (const HostMatch& host : dest.hosts) {
    if (!IsUsable(host)) {
      diagnostics.push_back(DestDiagnostic(
          Severity::kError, "bad-host", service, Indexed("serviceDomain", dest.index),
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

void AddRoutes(const ServedService& service, const ServedDest& dest, std::vector<Route>& routes,
               std::vector<Diagnostic>& diagnostics) {
  const ServiceInput& input = *service.input;
  const std::string id = input.spec.name.str() + "/" + std::to_string(dest.spec->index) + "/";
  const std::vector<PathMatch> paths =
      CleanPaths(input, dest.spec->index, "servicePath", dest.spec->paths, diagnostics);
  const std::vector<PathMatch> excludes = CleanPaths(input, dest.spec->index, "servicePathExclude",
                                                     dest.spec->path_excludes, diagnostics);
  int ordinal = 0;
  for (const HostMatch& host : CleanHosts(input, *dest.spec, diagnostics)) {
    for (const PathMatch& path : paths) {
      Route route;
      route.id = model::RouteId(id + std::to_string(ordinal++));
      route.service = input.spec.name;
      route.backend = dest.backend;
      route.host = host;
      route.path = path;
      route.excludes = excludes;
      route.port = dest.spec->src_port;
      route.ranked = input.spec.acl_name_given && !path.catch_all();
      if (route.ranked) route.rank = input.spec.acl_name;
      route.created_unix_ns = input.created_unix_ns;
      routes.push_back(std::move(route));
    }
  }
}

Route FallbackRoute(const ServedService& service) {
  Route route;
  route.id = model::RouteId(service.input->spec.name.str() + "/" +
                            std::to_string(service.dests.front().spec->index) + "/default");
  route.service = service.input->spec.name;
  route.backend = service.dests.front().backend;
  route.path = PathMatch{PathMatch::Kind::kPrefix, "/", "isDefaultBackend"};
  route.fallback = true;
  route.created_unix_ns = service.input->created_unix_ns;
  return route;
}

struct Claim {
  const Route* route;
  friend bool operator==(const Claim& a, const Claim& b) {
    const auto fields = [](const Route& r) {
      return std::tie(r.fallback, r.port, r.host.kind, r.path.kind, r.host.text, r.path.text);
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

}  // namespace

std::string DescribeRoute(const Route& route) {
  std::string text = DescribeHost(route.host) + ", " + DescribePath(route.path);
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

std::vector<ServedService> ServeAll(const std::vector<ServiceInput>& services,
                                    std::vector<Diagnostic>& diagnostics) {
  std::vector<ServedService> served;
  served.reserve(services.size());
  for (const ServiceInput& service : services) {
    ServedService entry;
    entry.input = &service;
    for (const model::DestSpec& dest : service.spec.dests) {
      if (const auto port = ResolvePort(service, dest, diagnostics)) {
        entry.dests.push_back(ServedDest{&dest, *port, {}});
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
      dest.backend = model::BackendName(acl + "-be" + std::to_string(dest.port) + "_" +
                                        std::to_string(dest.spec->index) + suffix);
    }
  }
}

void AddLost(std::vector<LostRoute>& lost, const Route& route, std::string reason) {
  if (lost.size() < kMaxLostRoutes) lost.push_back({route, std::move(reason)});
}

Collected CollectRoutes(const std::vector<ServedService>& services,
                        const std::set<model::ServiceName>& unranked,
                        std::vector<Diagnostic>& diagnostics) {
  Collected collected;
  std::vector<Route> all;
  all.reserve(services.size());
  for (const ServedService& service : services) {
    for (const ServedDest& dest : service.dests) AddRoutes(service, dest, all, diagnostics);
    if (service.input->spec.default_backend) all.push_back(FallbackRoute(service));
  }
  if (!unranked.empty()) {
    for (Route& route : all) {
      if (!unranked.contains(route.service)) continue;
      route.ranked = false;
      route.rank.clear();
    }
  }
  std::vector<Route*> sorted;
  sorted.reserve(all.size());
  for (Route& route : all) sorted.push_back(&route);
  // Inside a service they stand by index and ordinal already.
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Route* a, const Route* b) { return CompareRoutes(*a, *b) < 0; });
  std::unordered_map<Claim, std::vector<const Route*>, ClaimHash> holders;
  holders.reserve(all.size());
  std::vector<Route*> kept;
  kept.reserve(all.size());
  for (Route* route : sorted) {
    std::vector<const Route*>& earlier = holders[Claim{route}];
    const Route* winner = nullptr;
    bool partial = true;
    for (const Route* other : earlier) {
      if (winner == nullptr) winner = other;
      if (!LeavesSomething(*other, *route)) {
        winner = other;
        partial = false;
        break;
      }
    }
    if (winner != nullptr && (winner->service != route->service || !partial)) {
      diagnostics.push_back(ConflictDiagnostic(*winner, *route, partial));
      if (!partial) AddLost(collected.lost, *route, diagnostics.back().message);
    }
    if (!partial) continue;
    earlier.push_back(route);
    kept.push_back(route);
  }
  collected.routes.reserve(kept.size());
  for (Route* route : kept) collected.routes.push_back(std::move(*route));
  return collected;
}

}  // namespace swarmgate::routing
