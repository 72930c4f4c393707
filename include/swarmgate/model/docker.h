// What a Docker daemon says, checked and typed: the facts that everything is derived from. Filled
// by the docker adapter; lists are facts, events are only hints.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/packed_texts.h"
#include "swarmgate/base/text.h"

namespace swarmgate::model {

/// A network as the daemon lists it.
struct NetworkFacts {
  std::string id;
  std::string name;
  std::string driver;  ///< "overlay", "bridge", "host", …
  bool swarm_scope = false;
  bool ingress = false;
  friend bool operator==(const NetworkFacts&, const NetworkFacts&) = default;
};

/// A machine of the Swarm.
struct NodeFacts {
  std::string id;
  std::string hostname;
  std::string address;  ///< "" when it is not known
  std::uint64_t version = 0;
  std::string state;  ///< Docker's words: "ready", "down", …
  std::string role;
  std::string availability;
  /// Of the node and of its engine: those with the routing labels' prefix, without it.
  std::map<std::string, std::string> labels;
  friend bool operator==(const NodeFacts&, const NodeFacts&) = default;
};

enum class Health { kNone, kStarting, kHealthy, kUnhealthy };

struct PublishedPort {
  std::uint16_t target = 0;
  std::uint16_t published = 0;
  bool host_mode = false;  ///< false: by the ingress mesh
  bool udp = false;
  friend bool operator==(const PublishedPort&, const PublishedPort&) = default;
};

using Addresses = std::map<Text, std::string, std::less<>>;

/// One Swarm task, or one container.
struct TaskFacts {
  Text id;            ///< task id, or container id
  Text container_id;  ///< empty while there is none
  Text node_id;       ///< empty for containers
  bool on_this_node = false;
  Text state;                   ///< Docker's word: "new" … "running", "shutdown", "failed", …
  bool running = false;         ///< state is "running"
  bool desired_running = true;  ///< false as soon as it is to end: drain it
  Health health = Health::kNone;
  Text message;                          ///< Docker's message or error, printable
  Addresses addresses;                   ///< network id → address without prefix length
  std::vector<PublishedPort> published;  ///< host-mode ports of this task
  Text node_address;                     ///< address of its node where known
  friend bool operator==(const TaskFacts&, const TaskFacts&) = default;
};

enum class ServiceKind { kSwarm, kCompose, kContainer };

struct ServiceFacts {
  ServiceKind kind = ServiceKind::kSwarm;
  std::string id;    ///< Swarm: service id; compose: "<project>/<service>"; container: container id
  std::string name;  ///< service name; "<project>_<service>"; container name without slash
  std::uint64_t version = 0;  ///< Version.Index; 0 for containers
  std::int64_t created_unix_ns = 0;
  std::string stack;   ///< com.docker.stack.namespace or compose project
  PackedTexts labels;  ///< service labels (Swarm), container labels otherwise
  /// Routing labels found at the wrong level (container labels of a Swarm service), to tell the
  /// owner.
  std::map<std::string, std::string> misplaced_labels;
  std::vector<std::string> network_ids;
  bool global = false;
  std::optional<std::uint64_t> replicas;
  std::vector<std::uint16_t> exposed_tcp_ports;  ///< image's or service's, where known; sorted
  std::vector<PublishedPort> published;
  std::string update_state;  ///< Docker's UpdateStatus.State; "" when there is none
  std::vector<TaskFacts> tasks;
  friend bool operator==(const ServiceFacts&, const ServiceFacts&) = default;
};

/// One complete, successful listing. An error is never an empty list: a listing that failed is not
/// a DockerFacts.
struct DockerFacts {
  std::string daemon_id;
  std::string api_version;  ///< negotiated
  bool swarm_manager = false;
  std::string node_id;
  std::vector<ServiceFacts>
      services;  ///< only those that carry a routing label; sorted by name, then id
  /// Services (their ids) that the daemon listed in a form that could not be understood: they are
  /// not among `services`, and whoever holds earlier facts about them keeps those.
  std::vector<std::string> unreadable_service_ids;
  /// Services (their ids) among `services` of which it could not be found out now what they expose:
  /// whoever holds earlier facts about them keeps the ports of those.
  std::vector<std::string> ports_unknown_ids;
  std::vector<NetworkFacts> networks;
  std::vector<NodeFacts> nodes;  ///< sorted by id; empty outside of a manager
  /// Networks from which this process can reach tasks: those of our own container, or local bridges
  /// on a bare host.
  std::vector<std::string> own_network_ids;
  bool on_host = false;  ///< we run outside of any container of this daemon
  /// container id → address on docker_gwbridge; only filled on a bare host, where a local overlay
  /// task is reached so.
  std::map<std::string, std::string> gateway_addresses;
  friend bool operator==(const DockerFacts&, const DockerFacts&) = default;
};

}  // namespace swarmgate::model
