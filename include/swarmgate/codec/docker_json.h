// What a Docker daemon answers → checked facts. Unknown members are ignored; absent ones and null
// have a default; a member of another type than Docker documents is an error that names it, never a
// default, because a value that was misread could take a route away.
// Member names: https://docs.docker.com/reference/api/engine/ (1.24 to 1.47).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::codec {

using Labels = std::map<std::string, std::string>;

// All functions: Errors: kCorrupt, naming the member ("Labels: array instead of an object").

/// What DecodeService, DecodeTask, DecodeContainer and DecodeNetwork look at, for JsonValue::Parse.
[[nodiscard]] const JsonShape& ServiceShape();
[[nodiscard]] const JsonShape& TaskShape();
[[nodiscard]] const JsonShape& ContainerShape();
[[nodiscard]] const JsonShape& NetworkShape();

/// GET /version.
struct DaemonVersion {
  std::string api;      ///< "1.41"
  std::string min_api;  ///< "" when the daemon does not say
};
[[nodiscard]] Result<DaemonVersion> DecodeVersion(const JsonValue& json);

/// GET /info.
struct DaemonInfo {
  std::string id;
  std::string node_id;          ///< "" outside of a Swarm
  std::string swarm_state;      ///< "inactive", "pending", "active", "error", "locked"
  bool manager = false;         ///< it answers for the Swarm now
  bool among_managers = false;  ///< the Swarm counts it among its managers
};
[[nodiscard]] Result<DaemonInfo> DecodeInfo(const JsonValue& json);

/// One of GET /services. `misplaced_labels` of the facts: labels of the container spec that begin
/// with the prefix and are not labels of the service too.
struct SwarmService {
  model::ServiceFacts facts;  ///< without tasks
  std::string image;          ///< as given, perhaps with a digest
};
[[nodiscard]] Result<SwarmService> DecodeService(const JsonValue& json,
                                                 std::string_view label_prefix);

/// One of GET /tasks.
struct SwarmTask {
  model::TaskFacts facts;  ///< without on_this_node and node_address
  std::string service_id;
  std::uint64_t slot = 0;          ///< 0 for global services
  std::int64_t state_unix_ns = 0;  ///< since when it is in its state
};
[[nodiscard]] Result<SwarmTask> DecodeTask(const JsonValue& json);

/// One of GET /containers/json.
struct Container {
  model::TaskFacts facts;
  std::string name;  ///< without slash
  std::string image;
  Labels labels;
  std::int64_t created_unix_ns = 0;
  std::vector<std::string> network_ids;  ///< sorted
  /// Networks that are told by name only, as they are before its first start; sorted.
  std::vector<std::string> network_names;
  std::vector<std::uint16_t> exposed_tcp_ports;  ///< sorted; empty unless it runs
  [[nodiscard]] bool swarm_task() const { return labels.count("com.docker.swarm.task.id") != 0; }
  [[nodiscard]] bool one_off() const;
  /// "" when it is not of a compose project.
  [[nodiscard]] std::string compose_project() const;
  [[nodiscard]] std::string compose_service() const;
};
[[nodiscard]] Result<Container> DecodeContainer(const JsonValue& json);

/// GET /containers/{id}/json.
struct ContainerDetails {
  std::string id;
  std::string task_id;     ///< of the Swarm task that lives in it; "" for none
  std::string service_id;  ///< of that task's service
  bool running = false;    ///< its process runs and is not paused
  model::Health health = model::Health::kNone;
  std::vector<std::string> network_ids;          ///< sorted
  std::vector<std::uint16_t> exposed_tcp_ports;  ///< sorted
};
[[nodiscard]] Result<ContainerDetails> DecodeContainerDetails(const JsonValue& json);

/// GET /images/{name}/json: its exposed TCP ports, sorted.
[[nodiscard]] Result<std::vector<std::uint16_t>> DecodeImagePorts(const JsonValue& json);

/// One of GET /networks.
[[nodiscard]] Result<model::NetworkFacts> DecodeNetwork(const JsonValue& json);

/// GET /networks/{id}: the addresses of the containers that are attached to it on this node.
struct NetworkContainers {
  std::string id;
  model::ContainerAddresses addresses;  ///< container id → address
};
[[nodiscard]] Result<NetworkContainers> DecodeNetworkContainers(const JsonValue& json);

/// One of GET /nodes. Its labels, and those of its engine, that begin with the prefix: without it;
/// of two the node's.
[[nodiscard]] Result<model::NodeFacts> DecodeNode(const JsonValue& json,
                                                  std::string_view label_prefix);

/// The text of {"message": "…"}, printable; the beginning of the text itself when it is no such.
[[nodiscard]] std::string DecodeMessage(std::string_view text);

/// The address of "10.0.1.4/24" or "fd00::4", if it is one.
[[nodiscard]] std::optional<std::string> AddressWithoutPrefix(std::string_view text);

}  // namespace swarmgate::codec
