#include "routing/endpoints.h"

#include <arpa/inet.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "swarmgate/base/strings.h"

namespace swarmgate::routing {
namespace {

using model::Diagnostic;
using model::NetworkFacts;
using model::Server;
using model::ServiceFacts;
using model::Severity;
using model::TaskFacts;

constexpr std::size_t kTaskDigits = 12;

/// The name that Docker or the resolver knows a destination by.
std::string NameOf(const ServiceInput& service, const model::DestSpec& dest) {
  if (!dest.outbound_hostname.empty()) return dest.outbound_hostname;
  const bool swarm = service.facts && service.facts->kind == model::ServiceKind::kSwarm;
  if (swarm) return "tasks." + service.facts->name.str();
  return service.spec->name.str();
}

/// By name, and no name twice.
void Finish(std::vector<Server>& servers) {
  std::sort(servers.begin(), servers.end());
  servers.erase(std::unique(servers.begin(), servers.end(),
                            [](const Server& a, const Server& b) { return a.name == b.name; }),
                servers.end());
}

bool SameName(const NetworkFacts& network, const std::string& wanted) {
  return network.name == wanted || network.id == wanted;
}

}  // namespace

bool IsAddress(const std::string& text) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, text.c_str(), buffer) == 1;
}

bool IsServing(const TaskFacts& task) {
  return task.running && task.desired_running &&
         (task.health == model::Health::kNone || task.health == model::Health::kHealthy);
}

bool IsConverging(const ServiceFacts& facts) {
  if (facts.update_state == "updating" || facts.update_state == "rollback_started") return true;
  std::uint64_t serving = 0;
  for (const TaskFacts& task : facts.tasks) {
    if (task.desired_running != task.running) return true;
    if (task.running && task.health == model::Health::kStarting) return true;
    if (IsServing(task)) ++serving;
  }
  return !facts.global && facts.replicas && serving != *facts.replicas;
}

EndpointChooser::EndpointChooser(const BuildContext& context)
    : context_(context), own_(context.own_network_ids.begin(), context.own_network_ids.end()) {
  for (const NetworkFacts& network : context.networks) networks_.emplace(network.id, &network);
}

std::string EndpointChooser::NetworkName(const std::string& id) const {
  const auto found = networks_.find(id);
  return Printable(found == networks_.end() || found->second->name.empty() ? id
                                                                           : found->second->name);
}

std::string EndpointChooser::NetworkNames(const std::vector<std::string>& ids) const {
  std::vector<std::string> names;
  for (const std::string& id : ids) {
    const auto found = networks_.find(id);
    if (found == networks_.end() || !found->second->ingress) names.push_back(NetworkName(id));
  }
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

/// What the service says and what its tasks have: a task may be there before the service is listed
/// anew.
std::vector<std::string> EndpointChooser::ServiceNetworks(const ServiceFacts& facts) const {
  std::vector<std::string> ids = facts.network_ids;
  for (const TaskFacts& task : facts.tasks) {
    for (const auto& [id, address] : task.addresses) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::erase_if(ids, [&](const std::string& id) {
    const auto found = networks_.find(id);
    return found != networks_.end() && found->second->ingress;
  });
  return ids;
}

/// On a bare host: by the gateway bridge, a port published on the node, or the host's own network.
/// The tasks decide one by one.
bool EndpointChooser::LocalWay(const ServiceFacts& facts) const {
  if (!context_.on_host) return false;
  if (facts.kind == model::ServiceKind::kSwarm && !facts.network_ids->empty()) return true;
  if (!facts.published.empty()) return true;
  for (const std::string& id : ServiceNetworks(facts)) {
    const auto found = networks_.find(id);
    if (found != networks_.end() && found->second->driver == "host") return true;
  }
  return std::any_of(facts.tasks.begin(), facts.tasks.end(), [&](const TaskFacts& task) {
    return !task.published.empty() || context_.gateway_addresses.contains(task.container_id);
  });
}

Diagnostic EndpointChooser::NoCommonNetwork(const ServiceInput& service,
                                            const std::vector<std::string>& networks) const {
  const bool swarm = service.facts->kind == model::ServiceKind::kSwarm;
  std::vector<std::string> own = context_.own_network_ids;
  std::string example;
  for (const std::string& id : own) {
    const auto found = networks_.find(id);
    if (found == networks_.end() || found->second->ingress ||
        (swarm && found->second->driver != "overlay"))
      continue;
    const std::string name = NetworkName(id);
    if (example.empty() || name < example) example = name;
  }
  const std::string& name = service.facts->name;
  std::string hint;
  if (!example.empty()) {
    hint = (swarm ? "docker service update --network-add " : "docker network connect ") + example +
           " " + name;
  } else if (swarm && context_.on_host) {
    hint =
        "Publish its port on the node (docker service update --publish-add "
        "mode=host,target=PORT,published=PORT " +
        name + "), or put it on an overlay network";
  } else {
    hint = std::string("Put the proxy and the ") +
           (swarm ? "service on one overlay" : "container on one") + " network";
  }
  return Diagnostic{Severity::kError,
                    "no-common-network",
                    service.spec->name,
                    service.spec->network.empty() ? "" : "network",
                    Printable(service.spec->network),
                    "the service and the proxy share no network: the service is on " +
                        NetworkNames(networks) + ", the proxy on " + NetworkNames(own),
                    hint};
}

EndpointChooser::Way EndpointChooser::FindWay(const ServiceInput& service,
                                              std::vector<Diagnostic>& diagnostics) const {
  Way way;
  std::vector<std::string> networks = ServiceNetworks(*service.facts);
  const std::string& wanted = service.spec->network;
  if (!wanted.empty()) {
    const std::string names = NetworkNames(networks);
    std::erase_if(networks, [&](const std::string& id) {
      const auto found = networks_.find(id);
      return found == networks_.end() ? id != wanted : !SameName(*found->second, wanted);
    });
    if (networks.empty()) {
      diagnostics.push_back(Diagnostic{Severity::kError, "unknown-network", service.spec->name,
                                       "network", Printable(wanted),
                                       "the service is not on this network; it is on " + names,
                                       "name one of the service's networks, or leave it out"});
      return way;
    }
  }
  std::vector<std::string> common;
  for (const std::string& id : networks) {
    if (own_.contains(id)) common.push_back(id);
  }
  const auto key = [&](const std::string& id) {
    const auto found = networks_.find(id);
    const bool overlay = found != networks_.end() && found->second->driver == "overlay";
    return std::make_tuple(!overlay, found != networks_.end() ? found->second->name : id, id);
  };
  std::sort(common.begin(), common.end(),
            [&](const std::string& a, const std::string& b) { return key(a) < key(b); });
  const auto& all = service.facts->network_ids;
  way.network_ids = common == *all ? all : Cow(std::move(common));
  way.reachable = !way.network_ids->empty() || LocalWay(*service.facts);
  if (!way.reachable) diagnostics.push_back(NoCommonNetwork(service, networks));
  return way;
}

bool EndpointChooser::UsesTasks(const ServiceInput& service, const model::DestSpec& dest) {
  return service.facts && dest.outbound_hostname.empty() &&
         service.spec->discovery == model::Discovery::kTasks;
}

std::vector<Server> EndpointChooser::ByName(const ServiceInput& service, const ServedDest& dest,
                                            std::set<std::string>& names_wanted) const {
  const std::string name = NameOf(service, *dest.spec);
  std::vector<std::string> addresses;
  if (IsAddress(name)) {
    addresses.push_back(name);
  } else {
    names_wanted.insert(name);
    if (const auto found = context_.names.find(name); found != context_.names.end())
      addresses = found->second;
  }
  std::vector<Server> servers;
  for (const std::string& address : addresses) {
    if (!IsAddress(address)) continue;
    servers.push_back(
        Server{model::ServerName("d-" + HashHex(address)), address, dest.port, "", {}});
  }
  Finish(servers);
  return servers;
}

std::pair<Text, std::uint16_t> EndpointChooser::TaskAddress(const TaskFacts& task, const Way& way,
                                                            std::uint16_t port) const {
  for (const std::string& id : *way.network_ids) {
    // A local bridge is only there on its own node.
    if (context_.on_host && !task.on_this_node) break;
    const auto found = task.addresses.find(id);
    if (found != task.addresses.end() && IsAddress(found->second)) return {found->second, port};
  }
  if (!context_.on_host) return {};
  const auto gateway = context_.gateway_addresses.find(task.container_id);
  if (!task.container_id.empty() && gateway != context_.gateway_addresses.end() &&
      IsAddress(gateway->second)) {
    return {gateway->second, port};
  }
  for (const model::PublishedPort& published : task.published) {
    if (!published.host_mode || published.udp || published.target != port ||
        published.published == 0)
      continue;
    if (IsAddress(task.node_address)) return {task.node_address, published.published};
    if (task.on_this_node) return {"127.0.0.1", published.published};
  }
  for (const auto& [id, address] : task.addresses) {
    const auto found = networks_.find(id);
    if (task.on_this_node && found != networks_.end() && found->second->driver == "host")
      return {"127.0.0.1", port};
  }
  return {};
}

std::vector<Server> EndpointChooser::ByTasks(const ServiceInput& service, const ServedDest& dest,
                                             const Way& way, std::size_t& unreached) const {
  std::vector<Server> servers;
  for (const TaskFacts& task : service.facts->tasks) {
    if (!IsServing(task)) continue;
    const auto [address, port] = TaskAddress(task, way, dest.port);
    if (address.empty()) {
      ++unreached;
      continue;
    }
    servers.push_back(
        Server{model::ServerName(std::string("t-").append(task.id.str().substr(0, kTaskDigits))),
               address,
               port,
               task.id,
               {}});
  }
  Finish(servers);
  return servers;
}

}  // namespace swarmgate::routing
