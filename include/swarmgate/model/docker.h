// What a Docker daemon says, checked and typed: the facts that everything is derived from. Filled
// by the docker adapter; lists are facts, events are only hints.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/base/cow.h"
#include "swarmgate/base/few.h"
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

enum class Health : std::uint8_t { kNone, kStarting, kHealthy, kUnhealthy };

struct PublishedPort {
  std::uint16_t target = 0;
  std::uint16_t published = 0;
  bool host_mode = false;  ///< false: by the ingress mesh
  bool udp = false;
  friend bool operator==(const PublishedPort&, const PublishedPort&) = default;
};

/// Network id → address without prefix length, sorted. One for nearly every one
/// of very many tasks: that one stands here by itself.
class Addresses {
 public:
  using value_type = std::pair<Text, Text>;
  using const_iterator = const value_type*;

  Addresses() = default;
  Addresses(std::initializer_list<value_type> items) {
    for (const value_type& item : items) (void)emplace(item.first, item.second);
  }

  [[nodiscard]] const_iterator begin() const { return more_.empty() ? &one_ : &more_.front(); }
  [[nodiscard]] const_iterator end() const { return begin() + size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const {
    return !more_.empty() ? more_.size() : one_.first.empty() ? 0 : 1;
  }
  [[nodiscard]] const_iterator find(std::string_view network) const {
    const const_iterator at = Place(network);
    return at != end() && at->first == network ? at : end();
  }
  /// REQUIRES: it is there.
  [[nodiscard]] const Text& at(std::string_view network) const { return find(network)->second; }
  /// False, and nothing is changed: there is one of this network, or it has no id.
  bool emplace(Text network, Text address) {
    if (network.empty()) return false;
    const const_iterator at = Place(network.str());
    if (at != end() && at->first == network) return false;
    value_type item(std::move(network), std::move(address));
    if (empty()) {
      one_ = std::move(item);
      return true;
    }
    const std::ptrdiff_t index = at - begin();
    std::vector<value_type>& all = more_.Edit();
    if (all.empty()) all.push_back(std::exchange(one_, {}));
    all.insert(all.begin() + index, std::move(item));
    return true;
  }
  /// Makes networks other objects of the same content.
  void ShareNetworks(TextPool& pool) {
    pool.Share(one_.first);
    if (more_.empty()) return;
    for (value_type& item : more_.Edit()) pool.Share(item.first);
  }

  friend bool operator==(const Addresses& a, const Addresses& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  [[nodiscard]] const_iterator Place(std::string_view network) const {
    return std::partition_point(begin(), end(), [network](const value_type& item) {
      return std::string_view(item.first.str()) < network;
    });
  }
  value_type one_;        ///< empty: there is none, or `more_` has all
  Few<value_type> more_;  ///< all, when there are several
};

/// One Swarm task, or one container.
struct TaskFacts {
  Text id;            ///< task id, or container id
  Text container_id;  ///< empty while there is none
  Text node_id;       ///< empty for containers
  Text state;         ///< Docker's word: "new" … "running", "shutdown", "failed", …
  Text message;       ///< Docker's message or error, printable
  Text node_address;  ///< address of its node where known
  Addresses addresses;
  Few<PublishedPort> published;  ///< host-mode ports of this task
  bool on_this_node = false;
  bool running = false;         ///< state is "running"
  bool desired_running = true;  ///< false as soon as it is to end: drain it
  Health health = Health::kNone;
  friend bool operator==(const TaskFacts&, const TaskFacts&) = default;
};

enum class ServiceKind : std::uint8_t { kSwarm, kCompose, kContainer };

struct ServiceFacts {
  Text id;    ///< Swarm: service id; compose: "<project>/<service>"; container: container id
  Text name;  ///< service name; "<project>_<service>"; container name without slash
  std::uint64_t version = 0;  ///< Version.Index; 0 for containers
  std::int64_t created_unix_ns = 0;
  Text stack;          ///< com.docker.stack.namespace or compose project
  PackedTexts labels;  ///< service labels (Swarm), container labels otherwise
  /// Routing labels found at the wrong level (container labels of a Swarm service), to tell the
  /// owner.
  PackedTexts misplaced_labels;
  Cow<std::vector<std::string>> network_ids;  ///< nearly all are on the same
  std::optional<std::uint64_t> replicas;
  Few<std::uint16_t> exposed_tcp_ports;  ///< image's or service's, where known; sorted
  Few<PublishedPort> published;
  Text update_state;  ///< Docker's UpdateStatus.State; "" when there is none
  std::vector<TaskFacts> tasks;
  ServiceKind kind = ServiceKind::kSwarm;
  bool global = false;
  friend bool operator==(const ServiceFacts&, const ServiceFacts&) = default;
};

/// Container id → its address on a network of this node.
using ContainerAddresses = std::map<std::string, std::string, std::less<>>;

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
  ContainerAddresses gateway_addresses;
  friend bool operator==(const DockerFacts&, const DockerFacts&) = default;
};

}  // namespace swarmgate::model
