#include "routing/tcp.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "routing/host.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::routing {
namespace {

using model::Backend;
using model::Diagnostic;
using model::HostMatch;
using model::ReqMode;
using model::Severity;

bool Holds(const std::vector<std::uint16_t>& ports, std::uint16_t port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

/// A destination with its service.
struct Place {
  const ServedService& service;
  const ServedDest& dest;
  [[nodiscard]] const model::ServiceName& name() const { return service.input->spec->name; }
  [[nodiscard]] const model::DestSpec& spec() const { return *dest.spec; }
  [[nodiscard]] std::uint16_t port() const { return spec().src_port.value_or(0); }
};

class TcpBuilder {
  struct Listener {
    ReqMode mode = ReqMode::kTcp;
    std::string group;
    model::ServiceName owner;
    model::TcpListener it;
  };

 public:
  TcpBuilder(const TcpContext& context, model::Desired& desired,
             std::vector<Diagnostic>& diagnostics)
      : context_(context), desired_(desired), diagnostics_(diagnostics) {}

  void Add(const Place& place) {
    if (place.port() == 0 || place.dest.port == 0 || !MayListen(place)) return;
    const std::string& group = place.spec().tcp->group;
    const auto [found, is_new] = listeners_.try_emplace(place.port());
    Listener& listener = found->second;
    if (is_new) {
      listener.mode = place.spec().mode;
      listener.group = group;
      listener.owner = place.name();
      listener.it.port = place.port();
      listener.it.sni = listener.mode == ReqMode::kSni;
      listener.it.tls = place.spec().tcp->tls;
    }
    const bool joins = is_new || (place.spec().mode == listener.mode &&
                                  (listener.it.sni || (!group.empty() && group == listener.group)));
    if (!joins) return TellTaken(place, listener.owner);
    const model::BackendName backend = BackendOf(place);
    if (!is_new && !Agrees(place, listener, backend)) return;
    if (!AddRoutes(place, backend)) return;
    if (!listener.it.timeout_client) listener.it.timeout_client = place.spec().tcp->timeout_client;
    listener.it.client_keepalive =
        listener.it.client_keepalive || place.spec().tcp->client_keepalive;
    AddServers(place, backend);
  }

  void Finish() {
    for (const auto& [port, listener] : listeners_) {
      // All of its names may belong to others.
      const bool used = std::any_of(desired_.tcp_routes.begin(), desired_.tcp_routes.end(),
                                    [p = port](const auto& route) { return route.port == p; });
      if (used) desired_.tcp_listeners.push_back(listener.it);
    }
    std::stable_sort(desired_.tcp_routes.begin(), desired_.tcp_routes.end(),
                     [](const model::TcpRoute& a, const model::TcpRoute& b) {
                       return std::tie(a.port, a.name) < std::tie(b.port, b.name);
                     });
    for (auto& [name, backend] : backends_) {
      std::sort(backend.servers.begin(), backend.servers.end(),
                [](const auto& a, const auto& b) { return a.name < b.name; });
      desired_.backends.push_back(std::move(backend));
    }
  }

 private:
  static std::string Label(const Place& place, const char* name) {
    const int index = place.spec().index;
    return index == 0 ? std::string(name) : std::string(name) + "." + std::to_string(index);
  }

  void Tell(const Place& place, const char* code, const char* label, std::string value,
            std::string message, std::string hint) {
    diagnostics_.push_back(Diagnostic{Severity::kError, code, place.name(), Label(place, label),
                                      std::move(value), std::move(message), std::move(hint)});
  }

  /// Those of a group share a port and a backend: what one of them restricts, none may open.
  bool Agrees(const Place& place, const Listener& listener, const model::BackendName& backend) {
    const std::string others = "service " + listener.owner.str() + " on the same port";
    if (place.spec().tcp->tls != listener.it.tls) {
      Tell(place, "conflict", "srcTls", place.spec().tcp->tls ? "true" : "false",
           "it is not what " + others + " says; this destination is left out",
           "write the same for all of a serviceGroup");
      return false;
    }
    const auto known = backends_.find(backend);
    if (known == backends_.end()) return true;
    const model::Profile& theirs = known->second.profile;
    const model::Profile& own = place.spec().profile;
    if (own.allow_from == theirs.allow_from && own.deny_from == theirs.deny_from &&
        own.condition == theirs.condition && own.raw == theirs.raw) {
      return true;
    }
    Tell(place, "conflict", "serviceGroup", place.spec().tcp->group,
         "who may connect is not what " + others + " says; this destination is left out",
         "write the same allowFrom, denyFrom, aclCondition and backendExtra for all of a group");
    return false;
  }

  bool MayListen(const Place& place) {
    if (place.spec().tcp->tls && !context_.tls) {
      Tell(place, "no-tls", "srcTls", "true",
           "no port of the proxy has TLS, so it has no certificates",
           "give it one with DEFAULT_PORTS or BIND_PORTS, as in 443:ssl");
      return false;
    }
    const bool http = Holds(context_.http_ports, place.port());
    if (!http && !Holds(context_.reserved_ports, place.port())) return true;
    Tell(place, "port-taken", "srcPort", std::to_string(place.port()),
         http ? "the proxy takes HTTP requests on this port"
              : "something else listens on this port already, or the proxy may not",
         "choose another srcPort, or take it out of the proxy's DEFAULT_PORTS and BIND_PORTS");
    return false;
  }

  void TellTaken(const Place& place, const model::ServiceName& owner) {
    Tell(
        place, "conflict", "srcPort", std::to_string(place.port()),
        "port " + std::to_string(place.port()) + " belongs to service " + owner.str() +
            "; this destination is left out",
        "choose another srcPort, give both services one serviceGroup, or use reqMode=sni for both");
  }

  static model::BackendName BackendOf(const Place& place) {
    const std::string& group = place.spec().tcp->group;
    if (group.empty() || place.spec().mode != ReqMode::kTcp) return place.dest.backend;
    return model::BackendName("tcpListen_" + group + "_" + std::to_string(place.port()));
  }

  /// False: nothing is left for it.
  bool AddRoutes(const Place& place, const model::BackendName& backend) {
    std::vector<HostMatch> names = place.spec().tcp->names;
    if (place.spec().mode == ReqMode::kTcp) names = {HostMatch{}};
    bool any = false;
    int ordinal = 0;
    for (const HostMatch& name : names) {
      const int number = ordinal++;
      const auto [owner, is_new] =
          owners_.try_emplace({place.port(), name.kind, name.text}, place.name());
      const bool grouped = place.spec().mode == ReqMode::kTcp;
      if (!is_new && !grouped) {
        Tell(place, "conflict", "servicePath", Printable(name.original),
             "the name belongs to service " + owner->second.str() + " on port " +
                 std::to_string(place.port()) + "; it is left out here",
             "choose another name or srcPort");
        continue;
      }
      model::TcpRoute route;
      route.port = place.port();
      route.name = {name.kind, name.text, {}};
      route.id = model::RouteId(place.name().str() + "/" + std::to_string(place.spec().index) +
                                "/" + std::to_string(number));
      route.service = place.name();
      route.backend = backend;
      desired_.tcp_routes.push_back(std::move(route));
      any = true;
    }
    return any;
  }

  void AddServers(const Place& place, const model::BackendName& name) {
    const auto [found, is_new] = backends_.try_emplace(name);
    Backend& backend = found->second;
    const model::DestSpec& spec = place.spec();
    if (is_new) {
      backend.name = name;
      backend.service = place.name();
      backend.kind = model::BackendKind::kTcp;
      backend.drain_timeout = spec.drain_timeout;
      backend.profile = spec.profile;
      backend.profile.Edit().timeout_server = spec.policy->timeout_server;
      backend.profile.Edit().timeout_tunnel = spec.policy->timeout_tunnel;
    }
    const auto default_balance = model::Balance::Algorithm::kRoundRobin;
    if (spec.tcp->group_balance && backend.profile->balance.algorithm == default_balance) {
      backend.profile.Edit().balance.algorithm = *spec.tcp->group_balance;
    }
    for (model::Server& server : context_.servers(place.service, place.dest)) {
      const bool known =
          std::any_of(backend.servers.begin(), backend.servers.end(), [&](const auto& other) {
            return other.address == server.address && other.port == server.port;
          });
      if (!known) backend.servers.push_back(std::move(server));
    }
  }

  const TcpContext& context_;
  model::Desired& desired_;
  std::vector<Diagnostic>& diagnostics_;
  std::map<std::uint16_t, Listener> listeners_;
  std::map<std::tuple<std::uint16_t, HostMatch::Kind, std::string>, model::ServiceName> owners_;
  std::map<model::BackendName, Backend> backends_;
};

}  // namespace

void BuildTcp(const std::vector<ServedService>& services, const TcpContext& context,
              model::Desired& desired, std::vector<Diagnostic>& diagnostics) {
  TcpBuilder builder(context, desired, diagnostics);
  for (const ServedService& service : services) {
    for (const ServedDest& dest : service.dests) {
      if (dest.spec->mode != ReqMode::kHttp) builder.Add({service, dest});
    }
  }
  builder.Finish();
}

}  // namespace swarmgate::routing
