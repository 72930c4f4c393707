#include "swarmgate/routing/build.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "routing/collect.h"
#include "routing/endpoints.h"
#include "routing/order.h"
#include "routing/routes.h"
#include "routing/shares.h"
#include "routing/tcp.h"
#include "swarmgate/model/names.h"

namespace swarmgate::routing {
namespace {

using model::Backend;
using model::BackendKind;
using model::Diagnostic;
using model::Severity;

BackendKind KindOf(const model::ServiceSpec& spec, const model::DestSpec& dest) {
  if (spec.session == model::Session::kSticky) return BackendKind::kSticky;
  return dest.policy == model::Policy() ? BackendKind::kPlain : BackendKind::kRich;
}

class Builder {
 public:
  explicit Builder(const BuildContext& context) : context_(context), chooser_(context) {}

  Built Run(const Inputs& services) {
    std::vector<ServedService> served = ServeAll(services, diagnostics_);
    SetRawApart(served);
    KeepReachable(served);
    NameBackends(served, diagnostics_);
    BuiltRoutes routes = BuildServed(served);
    Absorb(std::move(routes.diagnostics));
    std::unordered_set<std::string> used;
    for (const model::Route& route : routes.routes) {
      used.insert(route.backend.str());
      for (const model::Share& share : route.shares) used.insert(share.backend.str());
    }
    for (const ServedService& service : served) AddBackends(service, used);
    SettleShares(routes);
    AddTcp(served);
    built_.desired.routes = std::move(routes.routes);
    std::sort(routes.lost.begin(), routes.lost.end(),
              [](const LostRoute& a, const LostRoute& b) { return ComesBefore(a.route, b.route); });
    built_.lost = std::move(routes.lost);
    built_.desired.matches = std::move(routes.matches);
    built_.desired.backends.Sort(
        [](const Backend& a, const Backend& b) { return a.name < b.name; });
    for (const auto& service : services) {
      if (service->facts && service->spec.discovery == model::Discovery::kTasks &&
          IsConverging(*service->facts)) {
        built_.converging.push_back(service->spec.name);
      }
    }
    built_.names_wanted.assign(names_wanted_.begin(), names_wanted_.end());
    NameParameters(services);
    TidyDiagnostics(diagnostics_);
    SetOutcomes(services);
    return std::move(built_);
  }

 private:
  void Absorb(std::vector<Diagnostic> diagnostics) {
    std::move(diagnostics.begin(), diagnostics.end(), std::back_inserter(diagnostics_));
  }

  /// Those that say themselves, in HAProxy's language, what is done with their requests.
  void SetRawApart(std::vector<ServedService>& served) {
    const auto is_raw = [](const ServedService& service) {
      return !service.input->spec.raw.empty();
    };
    std::vector<const model::ServiceSpec*> specs;
    for (const ServedService& service : served) {
      if (is_raw(service)) specs.push_back(&service.input->spec);
    }
    if (specs.empty()) return;
    std::erase_if(served, is_raw);
    std::sort(specs.begin(), specs.end(), [](const auto* a, const auto* b) {
      return std::tie(a->acl_name, a->name) < std::tie(b->acl_name, b->name);
    });
    for (const model::ServiceSpec* spec : specs) {
      built_.desired.raw.push_back({spec->name, spec->raw});
    }
  }

  /// Leaves out the destinations whose tasks cannot be reached from here; finds the way to the
  /// others.
  void KeepReachable(std::vector<ServedService>& served) {
    for (ServedService& service : served) {
      const auto uses_tasks = [&](const ServedDest& dest) {
        return EndpointChooser::UsesTasks(*service.input, *dest.spec);
      };
      if (std::none_of(service.dests.begin(), service.dests.end(), uses_tasks)) continue;
      EndpointChooser::Way way = chooser_.FindWay(*service.input, diagnostics_);
      if (way.reachable) {
        ways_.emplace(service.input, std::move(way));
      } else {
        std::erase_if(service.dests, uses_tasks);
      }
    }
    std::erase_if(served, [](const ServedService& service) { return service.dests.empty(); });
  }

  void AddBackends(const ServedService& service, const std::unordered_set<std::string>& used) {
    const ServiceInput& input = *service.input;
    std::size_t unreached = 0;
    for (const ServedDest& dest : service.dests) {
      const model::DestSpec& spec = *dest.spec;
      if (used.contains(dest.backend.str())) {
        AddBackend(input, dest, unreached);
        const bool by_port = spec.https_port || spec.src_port;
        if (by_port) TellUnboundPort(input, spec, "srcPort", spec.src_port.value_or(80));
      }
      if (used.contains(dest.https_backend.str())) {
        ServedDest https = dest;
        https.backend = dest.https_backend;
        https.port = dest.https_port;
        AddBackend(input, https, unreached);
        TellUnboundPort(input, spec, "srcHttpsPort", spec.src_https_port.value_or(443));
      }
      if (used.contains(dest.redirect_backend.str())) AddRedirect(input, dest);
    }
    if (unreached > 0) TellUnreached(input, unreached);
  }

  void AddBackend(const ServiceInput& input, const ServedDest& dest, std::size_t& unreached) {
    Backend backend;
    backend.name = dest.backend;
    backend.service = input.spec.name;
    backend.kind = KindOf(input.spec, *dest.spec);
    backend.policy = dest.spec->policy;
    backend.profile = dest.spec->profile;
    backend.drain_timeout = dest.spec->drain_timeout;
    backend.servers = ServersOf(input, dest, unreached);
    built_.desired.backends.push_back(std::move(backend));
  }

  std::vector<model::Server> ServersOf(const ServiceInput& input, const ServedDest& dest,
                                       std::size_t& unreached) {
    std::vector<model::Server> servers;
    if (EndpointChooser::UsesTasks(input, *dest.spec)) {
      std::size_t missed = 0;
      servers = chooser_.ByTasks(input, dest, ways_[&input], missed);
      unreached = std::max(unreached, missed);
    } else {
      servers = chooser_.ByName(input, dest, names_wanted_);
    }
    for (model::Server& server : servers) server.options = dest.spec->server;
    return servers;
  }

  void AddTcp(const std::vector<ServedService>& served) {
    TcpContext context;
    context.http_ports = context_.bound_ports;
    context.reserved_ports = context_.reserved_ports;
    context.tls = context_.tls;
    context.servers = [this](const ServedService& service, const ServedDest& dest) {
      std::size_t unreached = 0;
      std::vector<model::Server> servers = ServersOf(*service.input, dest, unreached);
      if (unreached > 0) TellUnreached(*service.input, unreached);
      return servers;
    };
    BuildTcp(served, context, built_.desired, diagnostics_);
  }

  void AddRedirect(const ServiceInput& input, const ServedDest& dest) {
    Backend backend;
    backend.name = dest.redirect_backend;
    backend.service = input.spec.name;
    backend.kind = BackendKind::kRich;
    backend.policy.redirect_host = dest.spec->hosts.front().text;
    built_.desired.backends.push_back(std::move(backend));
  }

  /// A service without a server leaves its part of the requests to the others.
  void SettleShares(BuiltRoutes& routes) const {
    std::unordered_set<std::string_view> serving;
    const auto settle = [&serving](std::vector<model::Share>& shares) {
      Settle(shares, [&serving](const model::Share& share) {
        return serving.contains(share.backend.str());
      });
    };
    for (const Backend& backend : built_.desired.backends) {
      if (!backend.servers.empty()) serving.insert(backend.name.str());
    }
    for (model::Route& route : routes.routes) settle(route.shares);
    Chunked<model::MatchEntry>& entries = routes.matches.entries;
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
      const bool shared =
          std::any_of(entry->candidates.begin(), entry->candidates.end(),
                      [](const auto& candidate) { return !candidate.shares.empty(); });
      if (!shared) continue;
      for (model::MatchCandidate& candidate : entries.Edit(entry).candidates) {
        settle(candidate.shares);
      }
    }
    for (model::HostRegexEntry& entry : routes.matches.host_regexes) {
      settle(entry.candidate.shares);
    }
  }

  void TellUnboundPort(const ServiceInput& input, const model::DestSpec& dest, std::string label,
                       std::uint16_t port) {
    const std::vector<std::uint16_t>& bound = context_.bound_ports;
    if (bound.empty() || std::find(bound.begin(), bound.end(), port) != bound.end()) return;
    if (dest.index != 0) label += "." + std::to_string(dest.index);
    std::string ports;
    for (const std::uint16_t known : bound)
      ports += (ports.empty() ? "" : ", ") + std::to_string(known);
    diagnostics_.push_back(Diagnostic{Severity::kWarning, "unbound-port", input.spec.name, label,
                                      std::to_string(port),
                                      "the proxy does not listen on this port, only on " + ports,
                                      "add it to the proxy's BIND_PORTS"});
  }

  /// Until here a diagnostic names a parameter as the table of labels does; its owner wrote it as
  /// the origin of his service demands.
  void NameParameters(const Inputs& services) {
    if (diagnostics_.empty()) return;
    std::map<model::ServiceName, model::Origin> origins;
    for (const auto& service : services) origins.emplace(service->spec.name, service->origin);
    for (Diagnostic& diagnostic : diagnostics_) {
      const auto origin = origins.find(diagnostic.service);
      if (diagnostic.label.empty() || origin == origins.end()) continue;
      diagnostic.label =
          model::ShownParameter(origin->second, context_.label_prefix, diagnostic.label);
    }
  }

  void SetOutcomes(const Inputs& services) {
    std::map<model::ServiceName, ServiceOutcome> outcomes;
    for (const auto& service : services) outcomes[service->spec.name];
    for (Diagnostic& diagnostic : diagnostics_) {
      outcomes[diagnostic.service].diagnostics.push_back(std::move(diagnostic));
    }
    for (const Backend& backend : built_.desired.backends) {
      outcomes[backend.service].backends.push_back(backend.name);
    }
    for (const model::Route& route : built_.desired.routes) {
      if (route.shares.empty()) ++outcomes[route.service].routes;
      for (const model::Share& share : route.shares) ++outcomes[share.service].routes;
    }
    for (const model::TcpRoute& route : built_.desired.tcp_routes) {
      outcomes[route.service].listens = true;
    }
    for (const model::RawRoutes& raw : built_.desired.raw) outcomes[raw.service].raw = true;
    built_.services = {outcomes.begin(), outcomes.end()};
  }

  void TellUnreached(const ServiceInput& input, std::size_t count) {
    const std::string hint =
        context_.on_host ? "run the proxy as a service on the network of this one, or publish the "
                           "port with mode=host"
                         : "wait for the update of its networks to end, or check the network that "
                           "its labels name";
    diagnostics_.push_back(Diagnostic{
        Severity::kWarning, "task-unreachable", input.spec.name, "", "",
        std::to_string(count) + " running task(s) cannot be reached from where the proxy runs",
        hint});
  }

  const BuildContext& context_;
  EndpointChooser chooser_;
  std::map<const ServiceInput*, EndpointChooser::Way> ways_;
  std::set<std::string> names_wanted_;
  std::vector<Diagnostic> diagnostics_;
  Built built_;
};

}  // namespace

Built Build(const Inputs& services, const BuildContext& context) {
  return Builder(context).Run(services);
}

class Router::Impl {
 public:
  Built built;
};

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;
const Built& Router::Update(const Inputs& services, const BuildContext& context) {
  impl_->built = Build(services, context);
  return impl_->built;
}

Inputs MakeInputs(std::vector<ServiceInput> services) {
  std::sort(services.begin(), services.end(),
            [](const ServiceInput& a, const ServiceInput& b) { return a.spec.name < b.spec.name; });
  Inputs inputs;
  for (ServiceInput& service : services) {
    inputs.push_back(std::make_shared<const ServiceInput>(std::move(service)));
  }
  return inputs;
}

std::vector<Diagnostic> AllDiagnostics(const Built& built) {
  std::vector<Diagnostic> all;
  for (const auto& [name, outcome] : built.services) {
    all.insert(all.end(), outcome.diagnostics.begin(), outcome.diagnostics.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace swarmgate::routing
