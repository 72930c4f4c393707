// The part of Lister that finds out where this process stands, and what needs one inspection each.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "docker/assemble.h"
#include "docker/lister.h"
#include "docker/lister_draft.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::docker {
namespace {

using codec::JsonValue;

constexpr std::string_view kGatewayBridge = "docker_gwbridge";
constexpr std::chrono::seconds kImageLifetime{60};
constexpr std::size_t kMaxImages = 20'000;
// One object that the daemon is slow to describe must not take the time of all.
constexpr std::chrono::seconds kInspectTime{2};
constexpr std::chrono::seconds kUnknownLifetime{10};

/// The known full id of a short one, or the id itself.
bool SameContainer(std::string_view full, std::string_view candidate) {
  return !candidate.empty() && full.substr(0, candidate.size()) == candidate;
}

}  // namespace

void Lister::TellOwn(const std::string& text) {
  if (told_own_ == text) return;
  told_own_ = text;
  LogEvent(LogLevel::kInfo, "OWN_PLACE", text);
}

Result<std::optional<std::vector<std::string>>> Lister::NetworksOfContainer(const std::string& name,
                                                                            SteadyTime deadline) {
  const std::string path = "/containers/" + http::EscapeQuery(name) + "/json";
  const auto json = daemon_.Get(path, deadline);
  if (!json) {
    if (json.error().code == Code::kNotFound) return std::optional<std::vector<std::string>>();
    return Forward(json.error());
  }
  auto details = codec::DecodeContainerDetails(*json);
  if (!details) return Forward(details.error(), "docker: GET " + path);
  return std::optional(std::move(details->network_ids));
}

/// Our container runs on another node than this daemon (a socket proxy on a manager): then the
/// Swarm knows it as a task.
Result<std::optional<std::vector<std::string>>> Lister::NetworksOfOwnTask(SteadyTime deadline) {
  std::optional<std::vector<std::string>> networks;
  const auto take = [&](const codec::SwarmTask& task) {
    networks.emplace();
    for (const auto& [id, address] : task.facts.addresses) networks->push_back(id);
    own_task_ = task.facts.id;
  };
  if (!own_task_.empty()) {
    const auto json = daemon_.Get("/tasks/" + own_task_, deadline);
    if (json) {
      if (const auto task = codec::DecodeTask(*json); task && task->facts.running) {
        take(*task);
        return networks;
      }
    } else if (json.error().code != Code::kNotFound) {
      return Forward(json.error());
    }
    own_task_.clear();
  }
  const std::string query =
      "/tasks?filters=" + http::EscapeQuery(R"({"desired-state":["running"]})");
  Status status = daemon_.GetList(query, deadline, [&](std::string_view text) {
    const bool mentioned =
        std::any_of(own_candidates_.begin(), own_candidates_.end(),
                    [&](const std::string& id) { return text.find(id) != std::string_view::npos; });
    if (!mentioned) return Ok();
    const auto json = JsonValue::Parse(text);
    if (!json) return Status(Forward(json.error(), "docker: GET /tasks"));
    const auto task = codec::DecodeTask(*json);
    if (!task) return Ok();
    for (const std::string& candidate : own_candidates_) {
      if (SameContainer(task->facts.container_id.str(), candidate)) take(*task);
    }
    return Ok();
  });
  if (!status) return Forward(status.error());
  return networks;
}

Status Lister::FindOwnNetworks(Draft* draft) {
  model::DockerFacts& facts = draft->facts;
  std::vector<std::string> candidates = own_candidates_;
  if (!options_.own_container.empty()) {
    candidates = {options_.own_container};
  } else if (!own_container_.empty()) {
    candidates.insert(candidates.begin(), own_container_);
  }
  for (const std::string& candidate : candidates) {
    auto networks = NetworksOfContainer(candidate, draft->deadline);
    if (!networks) return Forward(networks.error());
    if (!*networks) continue;
    own_container_ = candidate;
    facts.own_network_ids = **std::move(networks);
    TellOwn(fmt::format("the proxy runs in container {}", Printable(candidate)));
    return Ok();
  }
  own_container_.clear();
  if (!options_.own_container.empty()) {
    return Fail(Code::kNotFound,
                fmt::format("OWN_CONTAINER: the daemon knows no container \"{}\"; write the id or "
                            "name of the container that the proxy runs in, or leave it out",
                            Printable(options_.own_container)));
  }
  if (facts.swarm_manager && !candidates.empty()) {
    auto networks = NetworksOfOwnTask(draft->deadline);
    if (!networks) return Forward(networks.error());
    if (*networks) {
      facts.own_network_ids = **std::move(networks);
      TellOwn(fmt::format("the proxy runs in task {} on another node", own_task_));
      return Ok();
    }
  }
  facts.on_host = local_;
  for (const model::NetworkFacts& network : facts.networks) {
    const bool bridge = network.driver == "bridge" && !network.swarm_scope;
    if (local_ && bridge && network.name != kGatewayBridge) {
      facts.own_network_ids.push_back(network.id);
    }
  }
  std::sort(facts.own_network_ids.begin(), facts.own_network_ids.end());
  TellOwn(local_ ? "the proxy runs on the daemon's host, outside of its containers"
                 : "the proxy runs elsewhere than the daemon, and in no container that it knows: "
                   "only published ports can be reached; set OWN_CONTAINER if that is wrong");
  return Ok();
}

Status Lister::ListGateway(Draft* draft) {
  model::DockerFacts& facts = draft->facts;
  const bool bridged =
      std::any_of(facts.networks.begin(), facts.networks.end(),
                  [](const model::NetworkFacts& net) { return net.name == kGatewayBridge; });
  on_host_ = facts.on_host;
  if (!facts.on_host || !bridged) return Ok();
  const auto addresses = GatewayAddresses(draft->deadline);
  if (!addresses) return Forward(addresses.error());
  for (const model::ServiceFacts& service : facts.services) {
    for (const model::TaskFacts& task : service.tasks) {
      const auto address = addresses->find(task.container_id);
      if (address != addresses->end()) facts.gateway_addresses.insert(*address);
    }
  }
  return Ok();
}

Result<model::ContainerAddresses> Lister::GatewayAddresses(SteadyTime deadline) {
  const auto json = daemon_.Get("/networks/" + std::string(kGatewayBridge), deadline);
  if (!json) {
    if (json.error().code == Code::kNotFound) return model::ContainerAddresses();
    return Forward(json.error());
  }
  auto network = codec::DecodeNetworkContainers(*json);
  if (!network) return Forward(network.error(), "docker: GET /networks/docker_gwbridge");
  return std::move(network->addresses);
}

Result<std::optional<ports::DockerApi::StartedTask>> Lister::LookAt(const std::string& container_id,
                                                                    SteadyTime deadline) {
  using Started = std::optional<ports::DockerApi::StartedTask>;
  const std::string path = "/containers/" + http::EscapeQuery(container_id) + "/json";
  // Nobody else waits for one that the daemon is slow to describe.
  deadline = std::min(deadline, SteadyTime(std::chrono::steady_clock::now() + kInspectTime));
  const auto json = daemon_.Get(path, deadline);
  if (!json) {
    if (json.error().code == Code::kNotFound) return Started();
    return Forward(json.error());
  }
  auto details = codec::DecodeContainerDetails(*json);
  if (!details) return Forward(details.error(), "docker: GET " + path);
  const bool healthy =
      details->health == model::Health::kNone || details->health == model::Health::kHealthy;
  if (!details->running || !healthy || details->task_id.empty()) return Started();
  ports::DockerApi::StartedTask task{std::move(details->task_id), std::move(details->id), {}};
  if (on_host_) {
    const auto addresses = GatewayAddresses(deadline);
    if (!addresses) return Forward(addresses.error());
    const auto address = addresses->find(task.container_id);
    if (address != addresses->end()) task.gateway_address = address->second;
  }
  return Started(std::move(task));
}

void Lister::FillServicePorts(Draft* draft, codec::SwarmService* service) {
  model::ServiceFacts& facts = service->facts;
  if (!facts.exposed_tcp_ports.empty() || NamesPort(facts.labels.Unpack(), options_.label_prefix))
    return;
  if (auto ports = ImagePorts(service->image, *draft)) {
    facts.exposed_tcp_ports = *std::move(ports);
  } else {
    draft->ports_unknown.insert(facts.id);
  }
}

std::optional<Lister::Ports> Lister::ImagePorts(const std::string& image, const Draft& draft) {
  const SteadyTime now = clock_.Now();
  if (image.empty()) return Ports();
  if (images_.size() >= kMaxImages && images_.count(image) == 0) images_.clear();
  PortsEntry& entry = images_[image];
  if (now < entry.until) return entry.ports;
  const SteadyTime begun = std::chrono::steady_clock::now();
  if (begun >= draft.inspect_until) return entry.ports;
  // Slashes and colons of an image's name stand in the path as they are.
  std::string name;
  for (const char c : image) {
    name += c == '/' || c == ':' || c == '@' ? std::string(1, c)
                                             : http::EscapeQuery(std::string_view(&c, 1));
  }
  const auto json =
      daemon_.Get("/images/" + name + "/json", std::min(draft.inspect_until, begun + kInspectTime));
  Result<Ports> ports =
      json ? codec::DecodeImagePorts(*json) : Result<Ports>(Forward(json.error()));
  entry.until = now + kImageLifetime;
  if (ports) {
    entry.ports = *std::move(ports);
  } else if (!json &&
             (json.error().code == Code::kNotFound || json.error().code == Code::kRejected)) {
    // Not on this node (any more): what it was known to expose, it still does elsewhere.
    if (!entry.ports) entry.ports.emplace();
  } else {
    TellPortsUnknown("image", image, ports.error());
    entry.until = now + kUnknownLifetime;
  }
  return entry.ports;
}

bool Lister::FillContainerPorts(Draft* draft, codec::Container* container) {
  const std::string& id = container->facts.id;
  const SteadyTime now = clock_.Now();
  const SteadyTime begun = std::chrono::steady_clock::now();
  PortsEntry& entry = container_ports_[id];
  if (!entry.ports && now >= entry.until && begun < draft->inspect_until) {
    const auto json = daemon_.Get("/containers/" + id + "/json",
                                  std::min(draft->inspect_until, begun + kInspectTime));
    if (!json && json.error().code == Code::kNotFound) return false;
    auto details = json ? codec::DecodeContainerDetails(*json)
                        : Result<codec::ContainerDetails>(Forward(json.error()));
    if (details) {
      entry.ports = std::move(details->exposed_tcp_ports);
    } else {
      TellPortsUnknown("container", id, details.error());
      entry.until = now + kUnknownLifetime;
    }
  }
  if (entry.ports) {
    container->exposed_tcp_ports = *entry.ports;
  } else {
    draft->ports_unknown.insert(ServiceIdOf(*container));
  }
  return true;
}

}  // namespace swarmgate::docker
