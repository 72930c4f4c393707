#include "swarmgate/codec/docker_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/strict_reader.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::codec {
namespace {

constexpr std::size_t kMaxMessage = 300;

template <typename T>
void SortUnique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

bool PortBefore(const model::PublishedPort& a, const model::PublishedPort& b) {
  return std::tie(a.target, a.published, a.udp, a.host_mode) <
         std::tie(b.target, b.published, b.udp, b.host_mode);
}

void SortUniquePorts(std::vector<model::PublishedPort>& ports) {
  std::sort(ports.begin(), ports.end(), PortBefore);
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
}

bool IsIpv4(std::string_view text) {
  const auto parts = Split(text, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return ParseUint(part, 255).has_value();
         });
}

bool IsIpv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos) {
    return false;
  }
  std::size_t groups = 0;
  const auto count = [&](std::string_view part) {
    if (part.empty()) return true;
    for (const std::string_view group : Split(part, ':')) {
      const bool hex = std::all_of(group.begin(), group.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      });
      if (group.empty() || group.size() > 4 || !hex) return false;
      ++groups;
    }
    return true;
  };
  if (gap == std::string_view::npos) return count(text) && groups == 8;
  return count(text.substr(0, gap)) && count(text.substr(gap + 2)) && groups < 8;
}

/// Ports of a service's endpoint, or of a task's status: both have one form.
std::vector<model::PublishedPort> ReadPorts(StrictReader& read, const JsonValue& list) {
  std::vector<model::PublishedPort> ports;
  for (const JsonValue& item : list.items()) {
    read.ExpectObject(item, "Ports");
    model::PublishedPort port;
    port.target = read.Port(item, "TargetPort");
    port.published = read.Port(item, "PublishedPort");
    port.host_mode = read.String(item, "PublishMode") == "host";
    port.udp = read.String(item, "Protocol") == "udp";
    if (port.target != 0) ports.push_back(port);
  }
  SortUniquePorts(ports);
  return ports;
}

/// The keys of {"8080/tcp": {}, "53/udp": {}} that are TCP.
std::vector<std::uint16_t> ReadExposed(StrictReader& read, const JsonValue& config) {
  std::vector<std::uint16_t> ports;
  for (const auto& [key, value] : read.Object(config, "ExposedPorts").members()) {
    std::string_view text = key;
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos && text.substr(slash) != "/tcp") continue;
    const auto port = ParseUint(text.substr(0, slash), 65535);
    if (port && *port != 0) ports.push_back(static_cast<std::uint16_t>(*port));
  }
  SortUnique(ports);
  return ports;
}

void ReadMode(StrictReader& read, const JsonValue& spec, model::ServiceFacts* facts) {
  const JsonValue& mode = read.Object(spec, "Mode");
  facts->global =
      !read.Object(mode, "Global").is_null() || !read.Object(mode, "GlobalJob").is_null();
  facts->replicas = read.Uint(read.Object(mode, "Replicated"), "Replicas");
  if (const JsonValue& job = read.Object(mode, "ReplicatedJob"); !job.is_null()) {
    facts->replicas = read.Uint(job, "TotalCompletions");
  }
}

void ReadServiceNetworks(StrictReader& read, const JsonValue& spec, model::ServiceFacts* facts) {
  std::vector<std::string> ids;
  // Before API 1.25 they stood beside the task template.
  for (const JsonValue* where : {&read.Object(spec, "TaskTemplate"), &spec}) {
    for (const JsonValue& network : read.Array(*where, "Networks").items()) {
      read.ExpectObject(network, "Networks");
      if (std::string id = read.String(network, "Target"); !id.empty()) {
        ids.push_back(std::move(id));
      }
    }
    if (!ids.empty()) break;
  }
  SortUnique(ids);
  facts->network_ids = std::move(ids);
}

void ReadAttachments(StrictReader& read, const JsonValue& task, model::TaskFacts* facts) {
  for (const JsonValue& attachment : read.Array(task, "NetworksAttachments").items()) {
    read.ExpectObject(attachment, "NetworksAttachments");
    const std::string network = read.String(read.Object(attachment, "Network"), "ID");
    for (const JsonValue& address : read.Array(attachment, "Addresses").items()) {
      const auto literal = AddressWithoutPrefix(address.StringOr());
      if (!literal) {
        read.Reject("NetworksAttachments.Addresses", "not an address");
      } else if (!network.empty()) {
        (void)facts->addresses.emplace(network, *literal);
      }
    }
  }
}

/// "Up 3 seconds (health: starting)" → kStarting.
// Of an inspection.
model::Health HealthOfWord(std::string_view word) {
  if (word == "healthy") return model::Health::kHealthy;
  if (word == "unhealthy") return model::Health::kUnhealthy;
  // "none", or no health check at all; a word that is not known is not taken for health.
  return word.empty() || word == "none" ? model::Health::kNone : model::Health::kStarting;
}

model::Health HealthOf(std::string_view status) {
  const auto ends = [&](std::string_view tail) {
    return status.size() >= tail.size() && status.substr(status.size() - tail.size()) == tail;
  };
  if (ends("(healthy)")) return model::Health::kHealthy;
  if (ends("(unhealthy)")) return model::Health::kUnhealthy;
  if (ends("(health: starting)")) return model::Health::kStarting;
  return model::Health::kNone;
}

void ReadContainerNetworks(StrictReader& read, const JsonValue& json, std::vector<std::string>* ids,
                           Container* container) {
  const JsonValue& settings = read.Object(json, "NetworkSettings");
  for (const auto& [name, network] : read.Object(settings, "Networks").members()) {
    if (network.is_null()) continue;
    read.ExpectObject(network, "NetworkSettings.Networks");
    const std::string id = read.String(network, "NetworkID");
    if (id.empty()) {
      if (container != nullptr) container->network_names.push_back(name);
      continue;
    }
    ids->push_back(id);
    for (const char* key : {"IPAddress", "GlobalIPv6Address"}) {
      const std::string address = read.String(network, key);
      if (address.empty()) continue;
      const auto literal = AddressWithoutPrefix(address);
      if (!literal) {
        read.Reject(key, "not an address");
      } else if (container != nullptr) {
        (void)container->facts.addresses.emplace(id, *literal);
      }
    }
  }
  SortUnique(*ids);
  if (container != nullptr) SortUnique(container->network_names);
}

void ReadContainerPorts(StrictReader& read, const JsonValue& json, Container* container) {
  std::vector<model::PublishedPort> ports;
  for (const JsonValue& item : read.Array(json, "Ports").items()) {
    read.ExpectObject(item, "Ports");
    const std::uint16_t target = read.Port(item, "PrivatePort");
    const std::uint16_t published = read.Port(item, "PublicPort");
    const bool udp = read.String(item, "Type") == "udp";
    if (target == 0) continue;
    if (!udp) container->exposed_tcp_ports.push_back(target);
    if (published != 0) ports.push_back({target, published, true, udp});
  }
  SortUnique(container->exposed_tcp_ports);
  SortUniquePorts(ports);
  container->facts.published = std::move(ports);
}

/// The container's own name: links to it from other containers are listed as "/other/alias".
std::string OwnName(StrictReader& read, const JsonValue& json) {
  std::string own;
  for (const JsonValue& item : read.Array(json, "Names").items()) {
    const auto name = item.AsString();
    if (!name) {
      read.Reject("Names", "not a string");
    } else if (name->size() > 1 && name->find('/', 1) == std::string_view::npos) {
      own = std::string(name->substr(name->front() == '/' ? 1 : 0));
    }
  }
  return own;
}

std::string LabelOr(const Labels& labels, const std::string& key) {
  const auto it = labels.find(key);
  return it == labels.end() ? std::string() : it->second;
}

template <typename T>
Result<T> Checked(const StrictReader& read, T value) {
  if (Status status = read.status(); !status) return Forward(status.error());
  return value;
}

}  // namespace

std::optional<std::string> AddressWithoutPrefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && !ParseUint(text.substr(slash + 1), 128)) {
    return std::nullopt;
  }
  const std::string_view address = text.substr(0, slash);
  if (!IsIpv4(address) && !IsIpv6(address)) return std::nullopt;
  return std::string(address);
}

std::string DecodeMessage(std::string_view text) {
  const auto json = JsonValue::Parse(text);
  const std::string message = json ? (*json)["message"].StringOr() : std::string();
  return Printable(Trim(message.empty() ? text : message), kMaxMessage);
}

Result<DaemonVersion> DecodeVersion(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "version");
  DaemonVersion version{read.String(json, "ApiVersion"), read.String(json, "MinAPIVersion")};
  return Checked(read, std::move(version));
}

Result<DaemonInfo> DecodeInfo(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "info");
  DaemonInfo info;
  info.id = read.String(json, "ID");
  const JsonValue& swarm = read.Object(json, "Swarm");
  info.node_id = read.String(swarm, "NodeID");
  info.swarm_state = read.String(swarm, "LocalNodeState");
  info.manager = read.Bool(swarm, "ControlAvailable");
  for (const JsonValue& manager : read.Array(swarm, "RemoteManagers").items()) {
    if (!info.node_id.empty() && read.String(manager, "NodeID") == info.node_id) {
      info.among_managers = true;
    }
  }
  return Checked(read, std::move(info));
}

Result<SwarmService> DecodeService(const JsonValue& json, std::string_view label_prefix) {
  StrictReader read;
  read.ExpectObject(json, "service");
  SwarmService service;
  model::ServiceFacts& facts = service.facts;
  facts.kind = model::ServiceKind::kSwarm;
  facts.id = read.Id(json, "ID");
  facts.version = read.Uint(read.Object(json, "Version"), "Index").value_or(0);
  facts.created_unix_ns = read.Time(json, "CreatedAt");
  const JsonValue& spec = read.Object(json, "Spec");
  facts.name = read.String(spec, "Name");
  if (facts.name.empty()) read.Reject("Spec.Name", "missing");
  const Labels labels = read.StringMap(spec, "Labels");
  facts.labels = labels;
  facts.stack = LabelOr(labels, "com.docker.stack.namespace");
  const JsonValue& container = read.Object(read.Object(spec, "TaskTemplate"), "ContainerSpec");
  service.image = read.String(container, "Image");
  Labels misplaced = read.StringMap(container, "Labels");
  std::erase_if(misplaced, [&](const auto& label) {
    return !label.first.starts_with(label_prefix) || labels.contains(label.first);
  });
  facts.misplaced_labels = misplaced;
  ReadServiceNetworks(read, spec, &facts);
  ReadMode(read, spec, &facts);
  const JsonValue& endpoint = read.Object(json, "Endpoint");
  facts.published = ReadPorts(read, read.Array(endpoint, "Ports"));
  std::vector<std::uint16_t> exposed;
  for (const model::PublishedPort& port : facts.published) {
    if (!port.udp) exposed.push_back(port.target);
  }
  SortUnique(exposed);
  facts.exposed_tcp_ports = std::move(exposed);
  facts.update_state = read.String(read.Object(json, "UpdateStatus"), "State");
  return Checked(read, std::move(service));
}

Result<SwarmTask> DecodeTask(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "task");
  SwarmTask task;
  model::TaskFacts& facts = task.facts;
  facts.id = read.Id(json, "ID");
  task.service_id = read.String(json, "ServiceID");
  task.slot = read.Uint(json, "Slot").value_or(0);
  facts.node_id = read.String(json, "NodeID");
  const JsonValue& status = read.Object(json, "Status");
  task.state_unix_ns = read.Time(status, "Timestamp");
  facts.state = read.String(status, "State");
  facts.running = facts.state == "running";
  const std::string desired = read.String(json, "DesiredState");
  // "ready" and "accepted" are on their way up, "complete" is a job that runs.
  static constexpr std::array<std::string_view, 5> kEnding = {"shutdown", "remove", "orphaned",
                                                              "failed", "rejected"};
  facts.desired_running = std::find(kEnding.begin(), kEnding.end(), desired) == kEnding.end();
  const std::string error = read.String(status, "Err");
  const std::string message = read.String(status, "Message");
  facts.message = Printable(error.empty() ? message : error, kMaxMessage);
  facts.container_id = read.String(read.Object(status, "ContainerStatus"), "ContainerID");
  std::vector<model::PublishedPort> ports =
      ReadPorts(read, read.Array(read.Object(status, "PortStatus"), "Ports"));
  for (model::PublishedPort& port : ports) port.host_mode = true;
  facts.published = std::move(ports);
  ReadAttachments(read, json, &facts);
  return Checked(read, std::move(task));
}

bool Container::one_off() const {
  return ToLower(LabelOr(labels, "com.docker.compose.oneoff")) == "true";
}
std::string Container::compose_project() const {
  return LabelOr(labels, "com.docker.compose.project");
}
std::string Container::compose_service() const {
  return LabelOr(labels, "com.docker.compose.service");
}

Result<Container> DecodeContainer(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "container");
  Container container;
  model::TaskFacts& facts = container.facts;
  facts.id = read.Id(json, "Id");
  facts.container_id = facts.id;
  facts.on_this_node = true;
  container.name = OwnName(read, json);
  container.image = read.String(json, "Image");
  container.labels = read.StringMap(json, "Labels");
  constexpr std::int64_t kLatest = 9'000'000'000;
  container.created_unix_ns =
      std::clamp<std::int64_t>(read.Int(json, "Created"), 0, kLatest) * 1'000'000'000;
  facts.state = read.String(json, "State");
  facts.running = facts.state == "running";
  facts.desired_running = facts.state != "removing" && facts.state != "dead";
  const std::string status = read.String(json, "Status");
  facts.health = HealthOf(status);
  // "Exited (1) 5 minutes ago", without what changes by itself.
  const std::size_t end = status.find(')');
  if (end != std::string::npos && status.compare(0, 8, "Exited (") == 0) {
    facts.message = Printable(status.substr(0, end + 1), kMaxMessage);
  }
  ReadContainerNetworks(read, json, &container.network_ids, &container);
  ReadContainerPorts(read, json, &container);
  return Checked(read, std::move(container));
}

Result<ContainerDetails> DecodeContainerDetails(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "container");
  ContainerDetails details;
  details.id = read.Id(json, "Id");
  ReadContainerNetworks(read, json, &details.network_ids, nullptr);
  const JsonValue& config = read.Object(json, "Config");
  details.exposed_tcp_ports = ReadExposed(read, config);
  const Labels labels = read.StringMap(config, "Labels");
  if (const auto task = labels.find("com.docker.swarm.task.id"); task != labels.end()) {
    details.task_id = task->second;
  }
  // It is asked about again: what stands in a query is an id.
  if (const auto service = labels.find("com.docker.swarm.service.id");
      service != labels.end() && IsDockerId(service->second)) {
    details.service_id = service->second;
  }
  const JsonValue& state = read.Object(json, "State");
  details.running = read.Bool(state, "Running") && !read.Bool(state, "Paused");
  details.health = HealthOfWord(read.String(read.Object(state, "Health"), "Status"));
  return Checked(read, std::move(details));
}

Result<std::vector<std::uint16_t>> DecodeImagePorts(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "image");
  return Checked(read, ReadExposed(read, read.Object(json, "Config")));
}

Result<model::NetworkFacts> DecodeNetwork(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "network");
  model::NetworkFacts network;
  network.id = read.Id(json, "Id");
  network.name = read.String(json, "Name");
  network.driver = read.String(json, "Driver");
  network.swarm_scope = read.String(json, "Scope") == "swarm";
  network.ingress = read.Bool(json, "Ingress");
  return Checked(read, std::move(network));
}

Result<NetworkContainers> DecodeNetworkContainers(const JsonValue& json) {
  StrictReader read;
  read.ExpectObject(json, "network");
  NetworkContainers network;
  network.id = read.Id(json, "Id");
  for (const auto& [id, container] : read.Object(json, "Containers").members()) {
    if (id.size() != 64 || !IsDockerId(id)) continue;  // "ingress-sbox", "lb-web": no containers
    read.ExpectObject(container, "Containers");
    std::string address = read.String(container, "IPv4Address");
    if (address.empty()) address = read.String(container, "IPv6Address");
    if (const auto literal = AddressWithoutPrefix(address)) network.addresses.emplace(id, *literal);
  }
  return Checked(read, std::move(network));
}

Result<model::NodeFacts> DecodeNode(const JsonValue& json, std::string_view label_prefix) {
  StrictReader read;
  read.ExpectObject(json, "node");
  model::NodeFacts node;
  node.id = read.Id(json, "ID");
  const JsonValue& spec = read.Object(json, "Spec");
  const JsonValue& description = read.Object(json, "Description");
  node.version = read.Uint(read.Object(json, "Version"), "Index").value_or(0);
  node.hostname = read.String(description, "Hostname");
  node.state = read.String(read.Object(json, "Status"), "State");
  node.role = read.String(spec, "Role");
  node.availability = read.String(spec, "Availability");
  for (const JsonValue* holder : {&read.Object(description, "Engine"), &spec}) {
    for (const auto& [name, value] : read.StringMap(*holder, "Labels")) {
      if (name.size() <= label_prefix.size() || !name.starts_with(label_prefix)) continue;
      node.labels[name.substr(label_prefix.size())] = value;
    }
  }
  node.address = read.String(read.Object(json, "Status"), "Addr");
  // Managers are known to report 0.0.0.0 for themselves.
  if (node.address.empty() || node.address == "0.0.0.0") {
    const std::string manager = read.String(read.Object(json, "ManagerStatus"), "Addr");
    node.address = manager.substr(0, manager.rfind(':'));
    if (node.address.size() > 1 && node.address.front() == '[') {
      node.address = node.address.substr(1, node.address.size() - 2);
    }
  }
  if (!AddressWithoutPrefix(node.address)) node.address.clear();
  return Checked(read, std::move(node));
}

}  // namespace swarmgate::codec
