#include "docker/lister.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>

#include "docker/assemble.h"
#include "docker/lister_draft.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::docker {
namespace {

using codec::JsonValue;
using model::ServiceFacts;

// The daemon takes some 20 ms for GET /info (it runs `runc --version`).
constexpr std::chrono::minutes kInfoLifetime{5};
constexpr std::chrono::seconds kNodesLifetime{10};
// Up to so many services are asked for by id; for more, all running tasks are read.
constexpr std::size_t kMaxServiceFilter = ports::DockerApi::kMostServices;
constexpr std::size_t kMaxTold = 1000;
// What is left of a list's time when inspections of single objects have taken all they may.
constexpr std::chrono::seconds kKeptForTheRest{8};

bool IsPlain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == '/';
  });
}

/// The id of something that could not be decoded, so that at least this much is known of it.
std::string IdOf(const JsonValue& json, const char* key) {
  const std::string id = json[key].StringOr();
  return IsPlain(id) ? id : std::string();
}

std::string TasksQuery(const std::set<std::string>& service_ids) {
  codec::JsonWriter filters;
  filters.BeginObject().Key("desired-state").BeginArray().String("running").String("ready");
  if (service_ids.size() <= kMaxServiceFilter) {
    // Those that still run although they are to end are told apart from those that have gone. In a
    // large list their absence says enough, and the history of ended tasks would outweigh the rest.
    filters.String("shutdown").EndArray().Key("service").BeginArray();
    for (const std::string& id : service_ids) filters.String(id);
  }
  filters.EndArray().EndObject();
  return "/tasks?filters=" + http::EscapeQuery(std::move(filters).Take());
}

std::string ServicesQuery(const std::set<std::string>& ids) {
  codec::JsonWriter filters;
  filters.BeginObject().Key("id").BeginArray();
  for (const std::string& id : ids) filters.String(id);
  filters.EndArray().EndObject();
  return "/services?filters=" + http::EscapeQuery(std::move(filters).Take());
}

}  // namespace

Lister::Lister(const DockerOptions& options, http::Endpoint endpoint,
               std::vector<std::string> own_candidates, bool local, const Clock& clock)
    : options_(options),
      daemon_(std::move(endpoint)),
      own_candidates_(std::move(own_candidates)),
      local_(local),
      clock_(clock),
      prefix_is_plain_(IsPlain(options.label_prefix)) {}

Result<model::DockerFacts> Lister::List(SteadyTime deadline) {
  auto facts = TryList(deadline);
  if (!facts) {
    // The daemon that answers next may be a new one: nothing about it is taken for known.
    daemon_.Forget();
    info_.reset();
    own_task_.clear();
  }
  return facts;
}

Result<model::DockerFacts> Lister::TryList(SteadyTime deadline) {
  Draft draft;
  draft.deadline = deadline;
  draft.inspect_until = deadline - kKeptForTheRest;
  if (!info_ || clock_.Now() >= info_until_) {
    if (Status status = RefreshInfo(deadline); !status) return Forward(status.error());
  }
  auto version = daemon_.Version(deadline);
  if (!version) return Forward(version.error());
  using Step = Status (Lister::*)(Draft*);
  for (const Step step : {&Lister::ListAllServices, &Lister::ListTasksOf, &Lister::ListNetworks,
                          &Lister::ListContainers, &Lister::FindOwnNetworks, &Lister::ListGateway,
                          &Lister::ListNodes}) {
    if (Status status = (this->*step)(&draft); !status) return Forward(status.error());
  }
  model::DockerFacts& facts = draft.facts;
  facts.api_version = *version;
  facts.daemon_id = info_->id;
  facts.node_id = info_->node_id;
  std::sort(facts.services.begin(), facts.services.end(),
            [](const ServiceFacts& a, const ServiceFacts& b) {
              return std::tie(a.name, a.id) < std::tie(b.name, b.id);
            });
  facts.unreadable_service_ids.assign(draft.unreadable.begin(), draft.unreadable.end());
  facts.ports_unknown_ids.assign(draft.ports_unknown.begin(), draft.ports_unknown.end());
  return std::move(facts);
}

Status Lister::RefreshInfo(SteadyTime deadline) {
  const auto json = daemon_.Get("/info", deadline);
  if (!json) return Forward(json.error());
  auto info = codec::DecodeInfo(*json);
  if (!info) return Forward(info.error(), "docker: GET /info");
  info_ = *std::move(info);
  info_until_ = clock_.Now() + kInfoLifetime;
  return Ok();
}

bool Lister::Selected(const std::string& name, bool labelled) const {
  return labelled || included_.count(name) != 0;
}

bool Lister::WorthParsing(std::string_view element) const {
  if (!prefix_is_plain_ || element.find(options_.label_prefix) != std::string_view::npos) {
    return true;
  }
  return std::any_of(included_.begin(), included_.end(), [&](const std::string& name) {
    return !IsPlain(name) || element.find(name) != std::string_view::npos;
  });
}

void Lister::TellUnreadable(const std::string& what, const std::string& id, const Error& error) {
  if (told_unreadable_.size() >= kMaxTold) told_unreadable_.clear();
  std::string& told = told_unreadable_[what + id];
  if (told == error.message) return;
  told = error.message;
  LogEvent(
      LogLevel::kWarning, "DOCKER_UNREADABLE",
      "Docker describes something in a form that is not understood; what was known of it stays",
      {{"what", what}, {"id", id}, {"error", error.message}});
}

void Lister::TellPortsUnknown(const std::string& what, const std::string& id, const Error& error) {
  if (told_unreadable_.size() >= kMaxTold) told_unreadable_.clear();
  std::string& told = told_unreadable_["ports of " + what + id];
  if (told == error.message) return;
  told = error.message;
  LogEvent(LogLevel::kWarning, "DOCKER_PORTS_UNKNOWN",
           "Docker does not say what this exposes; the ports that were known stay, and it is asked "
           "again",
           {{"what", what}, {"id", id}, {"error", error.ToString()}});
}

Status Lister::TakeService(const JsonValue& json, Draft* draft) {
  auto service = codec::DecodeService(json, options_.label_prefix);
  if (!service) {
    const std::string id = IdOf(json, "ID");
    if (id.empty()) return Forward(service.error(), "docker: GET /services");
    TellUnreadable("service", id, service.error());
    draft->unreadable.insert(id);
    return Ok();
  }
  const ServiceFacts& facts = service->facts;
  if (Selected(facts.name, facts.labels.contains(options_.label_prefix + "notify")) ||
      facts.misplaced_labels.contains(options_.label_prefix + "notify")) {
    draft->services.push_back(*std::move(service));
  }
  return Ok();
}

Status Lister::ListAllServices(Draft* draft) {
  Status listed = daemon_.GetList("/services", draft->deadline, [&](std::string_view text) {
    if (!WorthParsing(text)) return Ok();
    const auto json = JsonValue::Parse(text, {}, &codec::ServiceShape());
    if (!json) return Status(Forward(json.error(), "docker: GET /services"));
    return TakeService(*json, draft);
  });
  if (!listed) return JudgeNoManager(listed.error(), draft);
  if (!info_->manager) {
    if (Status status = RefreshInfo(draft->deadline); !status) return status;
  }
  draft->facts.swarm_manager = true;
  return Ok();
}

/// The daemon would not list services. That may mean "this is no manager", which is a fact, or "not
/// now", which must never look like "there are none".
Status Lister::JudgeNoManager(const Error& error, Draft* draft) {
  if (error.code != Code::kUnavailable && error.code != Code::kRejected &&
      error.code != Code::kNotFound) {
    return Forward(error);
  }
  if (info_->manager || info_->among_managers || info_->swarm_state != "inactive") {
    if (Status status = RefreshInfo(draft->deadline); !status) return status;
  }
  const bool settled = info_->swarm_state.empty() || info_->swarm_state == "inactive" ||
                       info_->swarm_state == "active";
  if (info_->manager || info_->among_managers || !settled) {
    return Forward(error, fmt::format("the Swarm's state is \"{}\"", info_->swarm_state));
  }
  draft->services.clear();
  draft->unreadable.clear();
  return Ok();
}

Status Lister::ReadServices(const std::set<std::string>& wanted, SteadyTime deadline,
                            std::set<std::string>* there,
                            const std::function<Status(const JsonValue&)>& take) {
  return daemon_.GetList(ServicesQuery(wanted), deadline, [&](std::string_view text) -> Status {
    const auto json = JsonValue::Parse(text, {}, &codec::ServiceShape());
    if (!json) return Forward(json.error(), "docker: GET /services");
    const std::string id = IdOf(*json, "ID");
    // The daemon takes what is asked for as the beginnings of ids.
    if (wanted.count(id) == 0) return Ok();
    there->insert(id);
    return take(*json);
  });
}

Status Lister::ReadTasks(const std::set<std::string>& wanted, SteadyTime deadline,
                         std::map<std::string, std::vector<codec::SwarmTask>>* tasks,
                         std::set<std::string>* unreadable) {
  const auto take = [&](std::string_view text) {
    const auto json = JsonValue::Parse(text, {}, &codec::TaskShape());
    if (!json) return Status(Forward(json.error(), "docker: GET /tasks"));
    auto task = codec::DecodeTask(*json);
    if (!task) {
      // A task less would be a server less: better the service as it was.
      const std::string service = IdOf(*json, "ServiceID");
      if (service.empty()) return Status(Forward(task.error(), "docker: GET /tasks"));
      if (wanted.count(service) == 0) return Ok();
      TellUnreadable("task of service", service, task.error());
      unreadable->insert(service);
    } else if (wanted.count(task->service_id) != 0) {
      task->facts.on_this_node = !info_->node_id.empty() && task->facts.node_id == info_->node_id;
      auto& of_service = (*tasks)[task->service_id];
      of_service.push_back(*std::move(task));
    }
    return Ok();
  };
  Status listed = daemon_.GetList(TasksQuery(wanted), deadline, take);
  if (listed || listed.error().code != Code::kNotFound) return listed;
  // One of them was removed a moment ago, which makes the daemon refuse the whole filter. If it was
  // not that, the refusal is no list without tasks.
  std::set<std::string> there;
  Status asked = ReadServices(wanted, deadline, &there, [](const JsonValue&) { return Ok(); });
  if (!asked) return asked;
  if (there.size() == wanted.size()) return listed;
  // Whether one that is not there is gone is for those to judge who hear of it by an event: nothing
  // is known of its tasks.
  std::set_difference(wanted.begin(), wanted.end(), there.begin(), there.end(),
                      std::inserter(*unreadable, unreadable->end()));
  return there.empty() ? Ok() : daemon_.GetList(TasksQuery(there), deadline, take);
}

Status Lister::ListTasksOf(Draft* draft) {
  if (draft->services.empty()) return Ok();
  std::set<std::string> ids;
  for (const codec::SwarmService& service : draft->services) ids.insert(service.facts.id);
  std::map<std::string, std::vector<codec::SwarmTask>> tasks;
  Status status = ReadTasks(ids, draft->deadline, &tasks, &draft->unreadable);
  if (!status) return status;
  std::vector<model::TaskFacts*> placed;
  for (codec::SwarmService& service : draft->services) {
    if (draft->unreadable.count(service.facts.id) != 0) continue;
    service.facts.tasks = SelectTasks(std::move(tasks[service.facts.id]));
    FillServicePorts(draft, &service);
    draft->facts.services.push_back(std::move(service.facts));
  }
  for (ServiceFacts& service : draft->facts.services) {
    for (model::TaskFacts& task : service.tasks) placed.push_back(&task);
  }
  return PlaceOnNodes(std::move(placed), draft->read_nodes, draft->deadline);
}

/// Only who publishes ports of single tasks needs to know the nodes' addresses.
Status Lister::PlaceOnNodes(std::vector<model::TaskFacts*> tasks, bool refresh,
                            SteadyTime deadline) {
  std::erase_if(tasks, [](const model::TaskFacts* task) { return task->published.empty(); });
  if (tasks.empty()) return Ok();
  const auto find = [this](const std::string& id) {
    return std::find_if(nodes_.begin(), nodes_.end(),
                        [&id](const model::NodeFacts& node) { return node.id == id; });
  };
  const bool unknown = std::any_of(tasks.begin(), tasks.end(), [&](const model::TaskFacts* task) {
    return find(task->node_id) == nodes_.end();
  });
  if (refresh || unknown) {
    if (Status status = ReadNodes(deadline); !status) return status;
  }
  for (model::TaskFacts* task : tasks) {
    const auto node = find(task->node_id);
    if (node != nodes_.end()) task->node_address = node->address;
  }
  return Ok();
}

Status Lister::ReadNodes(SteadyTime deadline) {
  std::vector<model::NodeFacts> nodes;
  Status status = daemon_.GetList("/nodes", deadline, [&](std::string_view text) {
    const auto json = JsonValue::Parse(text);
    if (!json) return Status(Forward(json.error(), "docker: GET /nodes"));
    auto node = codec::DecodeNode(*json, options_.label_prefix);
    if (!node) return Status(Forward(node.error(), "docker: GET /nodes"));
    nodes.push_back(*std::move(node));
    return Ok();
  });
  if (!status) return status;
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  nodes_ = std::move(nodes);
  return Ok();
}

/// They are shown, and no route depends on them: so not with every list, and a failure is none of
/// the list's.
Status Lister::ListNodes(Draft* draft) {
  if (!draft->facts.swarm_manager) {
    nodes_.clear();
    return Ok();
  }
  if (clock_.Now() >= nodes_until_) {
    // A failure is not repeated with every list.
    nodes_until_ = clock_.Now() + kNodesLifetime;
    const SteadyTime soon = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    const Status status = ReadNodes(std::min(draft->deadline, soon));
    if (!status && status.error().code == Code::kCancelled) return status;
  }
  draft->facts.nodes = nodes_;
  return Ok();
}

Result<ports::DockerApi::SomeServices> Lister::ListServices(
    const std::vector<std::string>& service_ids, SteadyTime deadline) {
  auto answer = TryListServices({service_ids.begin(), service_ids.end()}, deadline);
  if (!answer) daemon_.Forget();
  return answer;
}

Result<ports::DockerApi::SomeServices> Lister::TryListServices(const std::set<std::string>& wanted,
                                                               SteadyTime deadline) {
  ports::DockerApi::SomeServices answer;
  if (wanted.empty()) return answer;
  if (!info_) {
    if (Status status = RefreshInfo(deadline); !status) return Forward(status.error());
  }
  Draft draft;
  draft.deadline = deadline;
  draft.inspect_until = deadline - kKeptForTheRest;
  draft.read_nodes = false;  // a node that changes is an event of its own
  std::set<std::string> there;
  Status status = ReadServices(wanted, deadline, &there,
                               [&](const JsonValue& json) { return TakeService(json, &draft); });
  if (!status) return Forward(status.error());
  for (const codec::SwarmService& service : draft.services) there.erase(service.facts.id);
  for (const std::string& id : draft.unreadable) there.erase(id);
  answer.unlabelled_ids.assign(there.begin(), there.end());
  if (status = ListTasksOf(&draft); !status) return Forward(status.error());
  answer.services = std::move(draft.facts.services);
  answer.unreadable_ids.assign(draft.unreadable.begin(), draft.unreadable.end());
  answer.ports_unknown_ids.assign(draft.ports_unknown.begin(), draft.ports_unknown.end());
  if (on_host_ && !answer.services.empty()) {
    auto addresses = GatewayAddresses(deadline);
    if (!addresses) return Forward(addresses.error());
    answer.gateway_addresses = *std::move(addresses);
  }
  return answer;
}

Result<std::vector<ports::DockerApi::ServiceTasks>> Lister::ListTasks(
    const std::vector<std::string>& service_ids, SteadyTime deadline) {
  std::vector<ports::DockerApi::ServiceTasks> answer;
  if (service_ids.empty()) return answer;
  if (!info_) {
    if (Status status = RefreshInfo(deadline); !status) return Forward(status.error());
  }
  std::map<std::string, std::vector<codec::SwarmTask>> tasks;
  std::set<std::string> unreadable;
  const std::set<std::string> wanted(service_ids.begin(), service_ids.end());
  Status status = ReadTasks(wanted, deadline, &tasks, &unreadable);
  if (!status) {
    daemon_.Forget();
    return Forward(status.error());
  }
  std::vector<model::TaskFacts*> placed;
  for (const std::string& id : wanted) {
    if (unreadable.count(id) == 0) answer.push_back({id, SelectTasks(std::move(tasks[id]))});
  }
  for (ports::DockerApi::ServiceTasks& service : answer) {
    for (model::TaskFacts& task : service.tasks) placed.push_back(&task);
  }
  status = PlaceOnNodes(std::move(placed), /*refresh=*/false, deadline);
  if (!status) return Forward(status.error());
  return answer;
}

Status Lister::ListContainers(Draft* draft) {
  std::string query = "/containers/json?all=1";
  if (included_.empty()) {
    codec::JsonWriter filters;
    filters.BeginObject().Key("label").BeginArray().String(options_.label_prefix + "notify");
    filters.EndArray().EndObject();
    query += "&filters=" + http::EscapeQuery(std::move(filters).Take());
  }
  std::vector<codec::Container> containers;
  std::set<std::string> seen;
  Status status = daemon_.GetList(query, draft->deadline, [&](std::string_view text) {
    const auto json = JsonValue::Parse(text, {}, &codec::ContainerShape());
    if (!json) return Status(Forward(json.error(), "docker: GET /containers/json"));
    auto container = codec::DecodeContainer(*json);
    if (!container) {
      const std::string id = IdOf(*json, "Id");
      if (id.empty()) return Status(Forward(container.error(), "docker: GET /containers/json"));
      TellUnreadable("container", id, container.error());
      const JsonValue& labels = (*json)["Labels"];
      const std::string project = labels["com.docker.compose.project"].StringOr();
      const std::string service = labels["com.docker.compose.service"].StringOr();
      draft->unreadable.insert(project.empty() || service.empty() ? id : project + "/" + service);
      return Ok();
    }
    if (container->swarm_task() || container->one_off()) return Ok();
    if (!Selected(ServiceNameOf(*container),
                  container->labels.count(options_.label_prefix + "notify") != 0))
      return Ok();
    seen.insert(container->facts.id);
    containers.push_back(*std::move(container));
    return Ok();
  });
  if (!status) return status;
  std::erase_if(container_ports_, [&](const auto& entry) { return seen.count(entry.first) == 0; });
  std::vector<codec::Container> there;
  for (codec::Container& container : containers) {
    for (const model::NetworkFacts& network : draft->facts.networks) {
      const auto& names = container.network_names;
      if (std::binary_search(names.begin(), names.end(), network.name)) {
        container.network_ids.push_back(network.id);
      }
    }
    std::sort(container.network_ids.begin(), container.network_ids.end());
    if (container.exposed_tcp_ports.empty() &&
        !NamesPort(container.labels, options_.label_prefix)) {
      if (!FillContainerPorts(draft, &container)) continue;
    }
    there.push_back(std::move(container));
  }
  for (ServiceFacts& service : GroupContainers(std::move(there))) {
    if (draft->unreadable.count(service.id) == 0) {
      draft->facts.services.push_back(std::move(service));
    }
  }
  return Ok();
}

Status Lister::ListNetworks(Draft* draft) {
  Status status = daemon_.GetList("/networks", draft->deadline, [&](std::string_view text) {
    // "Containers", "Peers" and "Services" can be long, but only an inspection fills them.
    const auto json = JsonValue::Parse(text, {}, &codec::NetworkShape());
    if (!json) return Status(Forward(json.error(), "docker: GET /networks"));
    auto network = codec::DecodeNetwork(*json);
    if (!network) return Status(Forward(network.error(), "docker: GET /networks"));
    draft->facts.networks.push_back(*std::move(network));
    return Ok();
  });
  std::sort(
      draft->facts.networks.begin(), draft->facts.networks.end(),
      [](const auto& a, const auto& b) { return std::tie(a.name, a.id) < std::tie(b.name, b.id); });
  return status;
}

}  // namespace swarmgate::docker
