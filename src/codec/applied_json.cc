#include "swarmgate/codec/applied_json.h"

#include <map>
#include <optional>
#include <utility>

#include "swarmgate/codec/json.h"

namespace swarmgate::codec {
namespace {

using model::Health;
using model::NetworkFacts;
using model::PublishedPort;
using model::ServiceFacts;
using model::ServiceKind;
using model::TaskFacts;

// Reads members of an object and remembers whether one had the wrong type.
class Reader {
 public:
  explicit Reader(const JsonValue& object) : object_(object), good_(object.is_object()) {}

  template <typename T>
  void Text(std::string_view key, T& out) {
    Take<std::string_view>(
        key, [](const JsonValue& v) { return v.AsString(); },
        [&](std::string_view text) { out = std::string(text); });
  }
  void Flag(std::string_view key, bool& out) {
    Take<bool>(
        key, [](const JsonValue& v) { return v.AsBool(); }, [&](bool flag) { out = flag; });
  }
  template <typename T>
  void Number(std::string_view key, T& out, std::uint64_t max) {
    Take<std::uint64_t>(
        key, [](const JsonValue& v) { return v.AsUint64(); },
        [&](std::uint64_t number) {
          if (number > max) good_ = false;
          out = static_cast<T>(number);
        });
  }
  void Signed(std::string_view key, std::int64_t& out) {
    Take<std::int64_t>(
        key, [](const JsonValue& v) { return v.AsInt64(); },
        [&](std::int64_t number) { out = number; });
  }
  void Texts(std::string_view key, std::vector<std::string>& out) {
    Each(key, [&](const JsonValue& item) {
      std::optional<std::string_view> text = item.AsString();
      if (text) out.emplace_back(*text);
      return text.has_value();
    });
  }
  std::map<std::string, std::string> TextMap(std::string_view key) {
    std::map<std::string, std::string> map;
    const JsonValue* value = object_.Find(key);
    if (value == nullptr) return map;
    if (!value->is_object()) good_ = false;
    for (const auto& [name, item] : value->members()) {
      if (!item.is_string()) good_ = false;
      map[name] = item.StringOr();
    }
    return map;
  }
  /// `read` answers whether the item was good.
  template <typename Read>
  void Each(std::string_view key, const Read& read) {
    const JsonValue* value = object_.Find(key);
    if (value == nullptr) return;
    if (!value->is_array()) good_ = false;
    for (const JsonValue& item : value->items()) {
      if (!read(item)) good_ = false;
    }
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  template <typename T, typename Get, typename Set>
  void Take(std::string_view key, const Get& get, const Set& set) {
    const JsonValue* value = object_.Find(key);
    if (value == nullptr) return;
    std::optional<T> got = get(*value);
    if (got) {
      set(*got);
    } else {
      good_ = false;
    }
  }

  const JsonValue& object_;
  bool good_;
};

template <typename Map>
void WriteMap(JsonWriter& json, std::string_view key, const Map& map) {
  if (map.empty()) return;
  json.Key(key).BeginObject();
  for (const auto& [name, value] : map) json.Field(static_cast<const std::string&>(name), value);
  json.EndObject();
}

void WriteTexts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.Key(key).BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

void WritePorts(JsonWriter& json, std::string_view key, const std::vector<PublishedPort>& ports) {
  if (ports.empty()) return;
  json.Key(key).BeginArray();
  for (const PublishedPort& port : ports) {
    json.BeginObject()
        .Field("target", unsigned{port.target})
        .Field("published", unsigned{port.published})
        .Field("host", port.host_mode)
        .Field("udp", port.udp)
        .EndObject();
  }
  json.EndArray();
}

bool ReadPort(const JsonValue& value, Few<PublishedPort>& out) {
  Reader reader(value);
  PublishedPort port;
  reader.Number("target", port.target, 65535);
  reader.Number("published", port.published, 65535);
  reader.Flag("host", port.host_mode);
  reader.Flag("udp", port.udp);
  out.push_back(port);
  return reader.good();
}

void WriteTask(JsonWriter& json, const TaskFacts& task) {
  json.BeginObject()
      .Field("id", task.id)
      .Field("container", task.container_id)
      .Field("node", task.node_id)
      .Field("here", task.on_this_node)
      .Field("state", task.state)
      .Field("running", task.running)
      .Field("wanted", task.desired_running)
      .Field("health", static_cast<unsigned>(task.health))
      .Field("message", task.message)
      .Field("node_address", task.node_address);
  WriteMap(json, "addresses", task.addresses);
  WritePorts(json, "published", task.published);
  json.EndObject();
}

bool ReadTask(const JsonValue& value, std::vector<TaskFacts>& out) {
  Reader reader(value);
  TaskFacts task;
  reader.Text("id", task.id);
  reader.Text("container", task.container_id);
  reader.Text("node", task.node_id);
  reader.Flag("here", task.on_this_node);
  reader.Text("state", task.state);
  reader.Flag("running", task.running);
  reader.Flag("wanted", task.desired_running);
  reader.Number("health", task.health, static_cast<unsigned>(Health::kUnhealthy));
  reader.Text("message", task.message);
  reader.Text("node_address", task.node_address);
  for (const auto& [network, address] : reader.TextMap("addresses")) {
    (void)task.addresses.emplace(network, address);
  }
  reader.Each("published", [&](const JsonValue& port) { return ReadPort(port, task.published); });
  out.push_back(std::move(task));
  return reader.good();
}

bool ReadNetwork(const JsonValue& value, std::vector<NetworkFacts>& out) {
  Reader reader(value);
  NetworkFacts network;
  reader.Text("id", network.id);
  reader.Text("name", network.name);
  reader.Text("driver", network.driver);
  reader.Flag("swarm", network.swarm_scope);
  reader.Flag("ingress", network.ingress);
  out.push_back(std::move(network));
  return reader.good();
}

tl::unexpected<Error> Damaged(const char* what) {
  return Fail(Code::kCorrupt, std::string(what) + " in the store have an unexpected form");
}

}  // namespace

std::string EncodeServiceFacts(const ServiceFacts& facts) {
  JsonWriter json;
  json.BeginObject()
      .Field("kind", static_cast<unsigned>(facts.kind))
      .Field("id", facts.id)
      .Field("name", facts.name)
      .Key("version")
      .Uint(facts.version)
      .Key("created")
      .Int(facts.created_unix_ns)
      .Field("stack", facts.stack)
      .Field("global", facts.global)
      .Field("update_state", facts.update_state);
  if (facts.replicas) json.Key("replicas").Uint(*facts.replicas);
  WriteMap(json, "labels", facts.labels.Unpack());
  WriteMap(json, "misplaced", facts.misplaced_labels.Unpack());
  WriteTexts(json, "networks", facts.network_ids);
  WritePorts(json, "published", facts.published);
  json.Key("exposed").BeginArray();
  for (std::uint16_t port : facts.exposed_tcp_ports) json.Uint(port);
  json.EndArray().Key("tasks").BeginArray();
  for (const TaskFacts& task : facts.tasks) WriteTask(json, task);
  json.EndArray().EndObject();
  return std::move(json).Take();
}

Result<ServiceFacts> DecodeServiceFacts(std::string_view text) {
  Result<JsonValue> value = JsonValue::Parse(text);
  if (!value) return Forward(value.error(), "stored service");
  Reader reader(*value);
  ServiceFacts facts;
  reader.Number("kind", facts.kind, static_cast<unsigned>(ServiceKind::kContainer));
  reader.Text("id", facts.id);
  reader.Text("name", facts.name);
  reader.Number("version", facts.version, UINT64_MAX);
  reader.Signed("created", facts.created_unix_ns);
  reader.Text("stack", facts.stack);
  reader.Flag("global", facts.global);
  reader.Text("update_state", facts.update_state);
  if (value->Find("replicas") != nullptr) {
    facts.replicas = 0;
    reader.Number("replicas", *facts.replicas, UINT64_MAX);
  }
  facts.labels = reader.TextMap("labels");
  facts.misplaced_labels = reader.TextMap("misplaced");
  std::vector<std::string> networks;
  reader.Texts("networks", networks);
  facts.network_ids = std::move(networks);
  reader.Each("published", [&](const JsonValue& port) { return ReadPort(port, facts.published); });
  reader.Each("exposed", [&](const JsonValue& item) {
    std::optional<std::uint64_t> port = item.AsUint64();
    if (!port || *port > 65535) return false;
    facts.exposed_tcp_ports.push_back(static_cast<std::uint16_t>(*port));
    return true;
  });
  reader.Each("tasks", [&](const JsonValue& task) { return ReadTask(task, facts.tasks); });
  if (!reader.good() || facts.id.empty()) return Damaged("facts of a service");
  return facts;
}

std::string EncodeHostFacts(const model::DockerFacts& facts) {
  JsonWriter json;
  json.BeginObject()
      .Field("daemon", facts.daemon_id)
      .Field("api", facts.api_version)
      .Field("manager", facts.swarm_manager)
      .Field("node", facts.node_id)
      .Field("on_host", facts.on_host)
      .Key("networks")
      .BeginArray();
  for (const NetworkFacts& network : facts.networks) {
    json.BeginObject()
        .Field("id", network.id)
        .Field("name", network.name)
        .Field("driver", network.driver)
        .Field("swarm", network.swarm_scope)
        .Field("ingress", network.ingress)
        .EndObject();
  }
  json.EndArray();
  WriteTexts(json, "own_networks", facts.own_network_ids);
  WriteMap(json, "gateways", facts.gateway_addresses);
  json.EndObject();
  return std::move(json).Take();
}

Result<model::DockerFacts> DecodeHostFacts(std::string_view text) {
  Result<JsonValue> value = JsonValue::Parse(text);
  if (!value) return Forward(value.error(), "stored host");
  Reader reader(*value);
  model::DockerFacts facts;
  reader.Text("daemon", facts.daemon_id);
  reader.Text("api", facts.api_version);
  reader.Flag("manager", facts.swarm_manager);
  reader.Text("node", facts.node_id);
  reader.Flag("on_host", facts.on_host);
  reader.Each("networks", [&](const JsonValue& item) { return ReadNetwork(item, facts.networks); });
  reader.Texts("own_networks", facts.own_network_ids);
  for (auto& entry : reader.TextMap("gateways")) facts.gateway_addresses.insert(entry);
  if (!reader.good()) return Damaged("facts of the host");
  return facts;
}

std::string EncodeStringMap(const std::map<std::string, std::string>& map) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& [name, value] : map) json.Field(name, value);
  json.EndObject();
  return std::move(json).Take();
}

Result<std::map<std::string, std::string>> DecodeStringMap(std::string_view text) {
  Result<JsonValue> value = JsonValue::Parse(text);
  if (!value) return Forward(value.error(), "stored parameters");
  std::map<std::string, std::string> map;
  for (const auto& [name, item] : value->members()) {
    if (!item.is_string()) return Damaged("parameters");
    map[name] = item.StringOr();
  }
  if (!value->is_object()) return Damaged("parameters");
  return map;
}

std::string EncodeStringLists(const std::map<std::string, std::vector<std::string>>& lists) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& [name, list] : lists) {
    json.Key(name).BeginArray();
    for (const std::string& text : list) json.String(text);
    json.EndArray();
  }
  json.EndObject();
  return std::move(json).Take();
}

Result<std::map<std::string, std::vector<std::string>>> DecodeStringLists(std::string_view text) {
  Result<JsonValue> value = JsonValue::Parse(text);
  if (!value) return Forward(value.error(), "stored names");
  if (!value->is_object()) return Damaged("names");
  Reader reader(*value);
  std::map<std::string, std::vector<std::string>> lists;
  for (const auto& member : value->members()) reader.Texts(member.first, lists[member.first]);
  if (!reader.good()) return Damaged("names");
  return lists;
}

}  // namespace swarmgate::codec
