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
using model::PathMatch;
using model::Route;
using model::Severity;

std::string PortList(const std::vector<std::uint16_t>& ports) {
  std::string text;
  for (const std::uint16_t port : ports) text += (text.empty() ? "" : ", ") + std::to_string(port);
  return text;
}

}  // namespace

std::string Indexed(const char* label, int index) {
  return index == 0 ? std::string(label) : std::string(label) + "." + std::to_string(index);
}

std::string ShownPath(const PathMatch& path) {
  return Printable(path.original.empty() ? path.text : path.original);
}

Diagnostic DestDiagnostic(Severity severity, const char* code, const ServiceInput& service,
                          std::string label, std::string value, std::string message,
                          std::string hint) {
  return Diagnostic{
      severity,           code,           service.spec->name, std::move(label), std::move(value),
      std::move(message), std::move(hint)};
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
  const std::string_view id = route.id.str();
  const std::size_t end = id.rfind('/');
  const std::size_t begin = id.rfind('/', end - 1);
  const std::string_view index = id.substr(begin + 1, end - begin - 1);
  std::string label = route.fallback ? "isDefaultBackend" : "servicePath";
  if (!route.fallback && index != "0") label.append(".").append(index);
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

ServedService Serve(const ServiceInput& service, std::vector<Diagnostic>& diagnostics) {
  ServedService served;
  served.input = &service;
  for (const model::DestSpec& dest : service.spec->dests) {
    if (const auto port = ResolvePort(service, dest, diagnostics)) {
      served.dests.push_back(ServedDest{&dest, *port, dest.https_port.value_or(0), {}, {}, {}});
    }
  }
  return served;
}

const Text& AclNameOf(const ServiceInput& service) {
  return service.spec->acl_name.empty() ? service.spec->name.text() : service.spec->acl_name;
}

void NameBackends(ServedService& service, const model::ServiceName& owner,
                  std::vector<Diagnostic>& diagnostics) {
  const model::ServiceSpec& spec = service.input->spec;
  const Text& acl = AclNameOf(*service.input);
  const bool first = owner == spec.name;
  const std::string suffix = first ? "" : "~" + spec.name.str();
  if (!first) {
    diagnostics.push_back(DestDiagnostic(
        Severity::kWarning, "duplicate-acl-name", *service.input,
        spec.acl_name_given ? "aclName" : "serviceName", Printable(acl),
        "service " + owner.str() +
            " has this aclName, too; both are served, and the backends of this one end in " +
            suffix,
        "give each service an aclName of its own"));
  }
  for (ServedDest& dest : service.dests) {
    const std::string tail = "_" + std::to_string(dest.spec->index) + suffix;
    dest.backend = model::BackendName(acl + "-be" + std::to_string(dest.port) + tail);
    if (!dest.spec->redirect_from.empty()) {
      dest.redirect_backend = model::BackendName(acl + "-redirect" + tail);
    }
    if (dest.https_port != 0) {
      dest.https_backend =
          model::BackendName("https-" + acl + "-be" + std::to_string(dest.https_port) + tail);
    }
  }
}

}  // namespace swarmgate::routing
