#include "routing/backends.h"

#include <algorithm>
#include <utility>

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

Backend Redirect(const ServiceInput& input, const ServedDest& dest) {
  Backend backend;
  backend.name = dest.redirect_backend;
  backend.service = input.spec->name;
  backend.kind = BackendKind::kRich;
  backend.policy.Edit().redirect_host = model::OwnName(dest.spec->hosts.front());
  return backend;
}

}  // namespace

ServiceBackends BackendMaker::Make(const ServedService& service, const EndpointChooser::Way& way,
                                   const std::set<model::BackendName>& used,
                                   std::set<std::string>& names) const {
  const ServiceInput& input = *service.input;
  ServiceBackends made;
  std::size_t unreached = 0;
  const auto add = [&](const ServedDest& dest) {
    Backend backend;
    backend.name = dest.backend;
    backend.service = input.spec->name;
    backend.kind = KindOf(input.spec, *dest.spec);
    backend.policy = dest.spec->policy;
    backend.profile = dest.spec->profile;
    backend.drain_timeout = dest.spec->drain_timeout;
    backend.servers = ServersOf(input, dest, way, names, unreached);
    made.backends.push_back(std::move(backend));
  };
  for (const ServedDest& dest : service.dests) {
    const model::DestSpec& spec = *dest.spec;
    if (used.contains(dest.backend)) {
      add(dest);
      const bool by_port = spec.https_port || spec.src_port;
      if (by_port) {
        TellUnboundPort(input, spec, "srcPort", spec.src_port.value_or(80), made.diagnostics);
      }
    }
    if (used.contains(dest.https_backend)) {
      ServedDest https = dest;
      https.backend = dest.https_backend;
      https.port = dest.https_port;
      add(https);
      TellUnboundPort(input, spec, "srcHttpsPort", spec.src_https_port.value_or(443),
                      made.diagnostics);
    }
    if (used.contains(dest.redirect_backend)) made.backends.push_back(Redirect(input, dest));
  }
  if (unreached > 0) made.diagnostics.push_back(Unreached(input, unreached));
  return made;
}

std::vector<model::Server> BackendMaker::ServersOf(const ServiceInput& input,
                                                   const ServedDest& dest,
                                                   const EndpointChooser::Way& way,
                                                   std::set<std::string>& names,
                                                   std::size_t& unreached) const {
  std::vector<model::Server> servers;
  if (EndpointChooser::UsesTasks(input, *dest.spec)) {
    std::size_t missed = 0;
    servers = chooser_.ByTasks(input, dest, way, missed);
    unreached = std::max(unreached, missed);
  } else {
    servers = chooser_.ByName(input, dest, names);
  }
  for (model::Server& server : servers) server.options = dest.spec->server;
  return servers;
}

void BackendMaker::TellUnboundPort(const ServiceInput& input, const model::DestSpec& dest,
                                   const char* label, std::uint16_t port,
                                   std::vector<Diagnostic>& diagnostics) const {
  const std::vector<std::uint16_t>& bound = context_.bound_ports;
  if (bound.empty() || std::find(bound.begin(), bound.end(), port) != bound.end()) return;
  std::string ports;
  for (const std::uint16_t known : bound) {
    ports += (ports.empty() ? "" : ", ") + std::to_string(known);
  }
  diagnostics.push_back(Diagnostic{Severity::kWarning, "unbound-port", input.spec->name,
                                   Indexed(label, dest.index), std::to_string(port),
                                   "the proxy does not listen on this port, only on " + ports,
                                   "add it to the proxy's BIND_PORTS"});
}

Diagnostic BackendMaker::Unreached(const ServiceInput& input, std::size_t count) const {
  const std::string hint =
      context_.on_host ? "run the proxy as a service on the network of this one, or publish the "
                         "port with mode=host"
                       : "wait for the update of its networks to end, or check the network that "
                         "its labels name";
  return Diagnostic{
      Severity::kWarning,
      "task-unreachable",
      input.spec->name,
      "",
      "",
      std::to_string(count) + " running task(s) cannot be reached from where the proxy runs",
      hint};
}

}  // namespace swarmgate::routing
