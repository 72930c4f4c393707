#include "engine/facts_keeper.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

namespace swarmgate::engine {
namespace {

using model::DockerFacts;
using model::ServiceFacts;
using model::ServiceKind;
using model::TaskFacts;

constexpr const char* kEndedMessage = "its container has ended";

bool HasTaskIn(const ServiceFacts& service, const std::string& container_id) {
  return std::any_of(service.tasks.begin(), service.tasks.end(),
                     [&](const TaskFacts& task) { return task.container_id == container_id; });
}

// All but the services.
bool SameHost(const DockerFacts& a, const DockerFacts& b) {
  return a.daemon_id == b.daemon_id && a.api_version == b.api_version &&
         a.swarm_manager == b.swarm_manager && a.node_id == b.node_id && a.networks == b.networks &&
         a.own_network_ids == b.own_network_ids && a.on_host == b.on_host &&
         a.gateway_addresses == b.gateway_addresses;
}

// The states that a Swarm task goes through before "running"; it never goes back.
bool IsBeforeRunning(std::string_view state) {
  static constexpr std::array<std::string_view, 8> kBefore = {
      "new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"};
  return std::find(kBefore.begin(), kBefore.end(), state) != kBefore.end();
}

std::string_view Verb(const std::string& action) {
  return std::string_view(action).substr(0, action.find(':'));
}

}  // namespace

bool IsStopSignal(const std::string& signal) {
  // Those that Dockerfiles name as STOPSIGNAL: TERM, KILL, INT, QUIT (nginx), WINCH (httpd) and
  // RTMIN+3 (systemd). HUP, USR1 and USR2 mean "reload" or "reopen the log".
  static constexpr std::array<std::string_view, 12> kStop = {
      "15",      "9",       "2",      "3",       "28",       "37",
      "SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT", "SIGWINCH", "SIGRTMIN+3"};
  return signal.empty() || std::find(kStop.begin(), kStop.end(), signal) != kStop.end();
}

bool ComesBefore(const ServiceFacts& a, const ServiceFacts& b) {
  return std::tie(a.name, a.id) < std::tie(b.name, b.id);
}

bool ComesBefore(const ServicePtr& a, const ServicePtr& b) { return ComesBefore(*a, *b); }

ServicePtr FindByName(const Services& services, std::string_view name) {
  const auto found =
      services.PartitionPoint([&](const ServicePtr& service) { return service->name < name; });
  return found != services.end() && (*found)->name == name ? *found : ServicePtr();
}

void FactsKeeper::Restore(DockerFacts facts) {
  // With its capacity.
  for (ServiceFacts& service : std::exchange(facts.services, {})) Put(std::move(service));
  host_ = std::move(facts);
  ++host_version_;
}

const ServiceFacts* FactsKeeper::FindById(std::string_view id) const {
  const ServiceFacts* found = nullptr;
  by_id_.Each(id, [&](const ServiceFacts& service) {
    if (service.id == id) found = &service;
  });
  return found;
}

void FactsKeeper::ShareTexts(ServiceFacts& service) {
  if (const ServiceFacts* held = FindById(service.id)) {
    service.id = held->id;
    if (service.name == held->name) service.name = held->name;
    if (service.labels == held->labels) service.labels = held->labels;
  }
  texts_.Share(service.stack);
  texts_.Share(service.update_state);
  if (networks_.size() >= TextPool::kMost) networks_.clear();
  service.network_ids = *networks_.insert(service.network_ids).first;
  for (TaskFacts& task : service.tasks) {
    for (Text* text : {&task.node_id, &task.state, &task.message, &task.node_address}) {
      texts_.Share(*text);
    }
    task.addresses.ShareNetworks(texts_);
  }
  service.tasks.shrink_to_fit();
}

void FactsKeeper::Put(ServiceFacts service) {
  ShareTexts(service);
  Drop(service.id);
  const ServicePtr fresh(std::move(service));
  const auto place =
      services_.PartitionPoint([&](const ServicePtr& other) { return ComesBefore(other, fresh); });
  services_.insert(place, fresh);
  for (const TaskFacts& task : fresh->tasks) {
    if (!task.container_id.empty()) by_container_.Add(task.container_id, &*fresh);
  }
  by_id_.Add(fresh->id, &*fresh);
}

void FactsKeeper::Drop(const std::string& id) {
  const ServiceFacts* held = FindById(id);
  if (held == nullptr) return;
  by_id_.Erase(id, held);
  for (const TaskFacts& task : held->tasks) {
    if (!task.container_id.empty()) by_container_.Erase(task.container_id, held);
  }
  services_.erase(services_.PartitionPoint(
      [&](const ServicePtr& other) { return ComesBefore(*other, *held); }));
}

void FactsKeeper::PutChanged(ServiceFacts service, News& news) {
  dirty_.insert(service.id);
  news.changed_ids.push_back(service.id);
  Put(std::move(service));
}

std::vector<Text> FactsKeeper::SwarmIds() const {
  std::vector<Text> ids;
  ids.reserve(services_.size());
  for (const ServicePtr& service : services_) {
    if (service->kind == ServiceKind::kSwarm) ids.push_back(service->id);
  }
  return ids;
}

bool FactsKeeper::HasContainer(const std::string& container_id) const {
  bool found = false;
  by_container_.Each(container_id, [&](const ServiceFacts& service) {
    found = found || HasTaskIn(service, container_id);
  });
  return found;
}

bool FactsKeeper::ApplyMarks(ServiceFacts& service) const {
  if (marks_.empty()) return false;
  bool changed = false;
  for (TaskFacts& task : service.tasks) {
    auto mark = marks_.find(task.container_id);
    if (mark == marks_.end() || mark->second.kind == MarkKind::kStarted) continue;
    const bool ended = mark->second.kind == MarkKind::kEnded;
    changed = changed || task.desired_running || (ended && task.running);
    task.desired_running = false;
    if (ended && task.running) {
      task.running = false;
      task.message = kEndedMessage;
    }
  }
  return changed;
}

void FactsKeeper::KeepRunning(ServiceFacts& service,
                              model::ContainerAddresses* gateway_addresses) const {
  if (service.kind != ServiceKind::kSwarm) return;
  for (TaskFacts& task : service.tasks) {
    if (task.running || !task.desired_running || !IsBeforeRunning(task.state.str())) continue;
    const ServiceFacts* held = FindById(service.id);
    if (held == nullptr) return;
    const auto known = std::find_if(held->tasks.begin(), held->tasks.end(),
                                    [&](const TaskFacts& other) { return other.id == task.id; });
    if (known == held->tasks.end() || !known->running) continue;
    task.running = true;
    task.state = known->state;
    task.container_id = known->container_id;
    // A list leaves out the addresses of containers that its tasks do not name.
    const auto address = host_.gateway_addresses.find(task.container_id);
    if (address != host_.gateway_addresses.end()) gateway_addresses->insert(*address);
  }
}

FactsKeeper::News FactsKeeper::TakeStarted(const std::string& service_id,
                                           const ports::DockerApi::StartedTask& started) {
  News news;
  const ServiceFacts* held = FindById(service_id);
  if (held == nullptr) return news;
  ServiceFacts service = *held;
  const auto task = std::find_if(service.tasks.begin(), service.tasks.end(),
                                 [&](const TaskFacts& t) { return t.id == started.task_id; });
  // One that is not listed yet has no address either.
  if (task == service.tasks.end() || task->running || !IsBeforeRunning(task->state.str())) {
    return news;
  }
  task->running = true;
  task->state = "running";
  task->container_id = started.container_id;
  if (started.gateway_address) {
    host_.gateway_addresses[started.container_id] = *started.gateway_address;
    ++host_version_;
    host_dirty_ = true;
  }
  (void)ApplyMarks(service);
  PutChanged(std::move(service), news);
  news.changed = true;
  return news;
}

void FactsKeeper::KeepNewer(ServiceFacts& service, SteadyTime now, News& news) {
  const ServiceFacts* held = FindById(service.id);
  if (held == nullptr || service.version >= held->version) {
    regressed_.erase(service.id);
    return;
  }
  const SteadyTime since = regressed_.try_emplace(service.id, now).first->second;
  if (now - since >= options_.distrust_for) {
    news.notes.push_back({"DOCKER_OLDER_BELIEVED",
                          "Docker has shown an older version of the service for a minute: it is "
                          "believed now",
                          service.name});
    regressed_.erase(service.id);
    return;
  }
  // Its tasks have no version of their own: those are taken as they are.
  std::vector<TaskFacts> tasks = std::move(service.tasks);
  service = *held;
  service.tasks = std::move(tasks);
}

bool FactsKeeper::IsExplained(const ServiceFacts& service) const {
  if (service.kind == ServiceKind::kSwarm) return told_removed_.contains(service.id);
  return std::all_of(service.tasks.begin(), service.tasks.end(), [&](const TaskFacts& task) {
    auto mark = marks_.find(task.container_id);
    return mark != marks_.end() && mark->second.kind == MarkKind::kEnded;
  });
}

void FactsKeeper::KeepUnconfirmed(DockerFacts& list, SteadyTime now, News& news) {
  const bool other_daemon = !host_.daemon_id.empty() && list.daemon_id != host_.daemon_id;
  const bool all_lost =
      list.services.empty() && !std::all_of(services_.begin(), services_.end(),
                                            [&](const auto& held) { return IsExplained(*held); });
  const bool swarm_lost = host_.swarm_manager && !list.swarm_manager && !other_daemon;
  bool keep_all = false;
  if (!services_.empty() && (all_lost || other_daemon) && !swarm_lost) {
    if (!loss_seen_) loss_seen_ = now;
    keep_all = now - *loss_seen_ < options_.confirm_after;
  }
  if (!keep_all) loss_seen_.reset();
  if (keep_all) {
    news.list_again_in = options_.confirm_after;
    news.notes.push_back({"DOCKER_LOSS_UNCONFIRMED",
                          other_daemon ? "another Docker daemon answers: services are kept until "
                                         "it says the same again"
                                       : "Docker lists none of the known services any more: they "
                                         "are kept until it says the same again",
                          ""});
  }
  if (swarm_lost && !swarm_lost_) {
    news.notes.push_back({"SWARM_LOST",
                          "the daemon is no Swarm manager (any more, or not unlocked): the Swarm's "
                          "services are kept as they were last known",
                          ""});
  }
  swarm_lost_ = swarm_lost;
  if (!keep_all && !swarm_lost) return;
  std::set<std::string> listed;
  for (const ServiceFacts& service : list.services) listed.insert(service.id);
  std::set<std::string> networks;
  for (const model::NetworkFacts& network : list.networks) networks.insert(network.id);
  for (const ServicePtr& held : services_) {
    if (listed.contains(held->id)) continue;
    if (keep_all || held->kind == ServiceKind::kSwarm) list.services.push_back(*held);
  }
  for (const model::NetworkFacts& network : host_.networks) {
    if (!networks.contains(network.id)) list.networks.push_back(network);
  }
  // So that the next list is still compared with the manager, or the daemon, that was.
  if (keep_all) list.daemon_id = host_.daemon_id;
  if (swarm_lost) list.swarm_manager = true;
}

void FactsKeeper::InstallOne(ServiceFacts service, model::ContainerAddresses* gateway_addresses,
                             News& news) {
  const ServiceFacts* held = FindById(service.id);
  KeepRunning(service, gateway_addresses);
  (void)ApplyMarks(service);
  if (held != nullptr && *held == service) return;
  news.others = news.others || held == nullptr;
  removed_.erase(service.id);
  PutChanged(std::move(service), news);
}

void FactsKeeper::Remove(const std::string& id, News& news) {
  Drop(id);
  regressed_.erase(id);
  told_removed_.erase(id);
  dirty_.erase(id);
  removed_.insert(id);
  news.changed_ids.push_back(id);
  news.others = true;
}

void FactsKeeper::Install(DockerFacts list, News& news) {
  std::unordered_set<const ServiceFacts*> listed;
  // Moved with its capacity: what is kept of the list has no services.
  std::vector<ServiceFacts> services = std::move(list.services);
  listed.reserve(services.size());
  for (ServiceFacts& service : services) {
    const ServiceFacts* held = FindById(service.id);
    if (held != nullptr && listed.contains(held)) continue;
    const std::string id = service.id;
    InstallOne(std::move(service), &list.gateway_addresses, news);
    listed.insert(FindById(id));
  }
  std::vector<std::string> gone;
  for (const ServicePtr& held : services_) {
    if (!listed.contains(&*held)) gone.push_back(held->id);
  }
  for (const std::string& id : gone) Remove(id, news);
  const bool host_changed = !SameHost(host_, list);
  host_dirty_ = host_dirty_ || host_changed;
  // No route depends on nodes, and they are not kept: but they are shown.
  news.changed = host_changed || !news.changed_ids.empty() || host_.nodes != list.nodes;
  if (!news.changed) return;
  host_ = std::move(list);
  if (host_changed) ++host_version_;
}

void FactsKeeper::KeepPorts(std::vector<ServiceFacts>& services,
                            const std::vector<std::string>& unknown_ids, News& news) const {
  if (unknown_ids.empty()) return;
  const std::set<std::string> unknown(unknown_ids.begin(), unknown_ids.end());
  news.list_again_in = options_.ports_again_after;
  for (ServiceFacts& service : services) {
    if (!unknown.contains(service.id)) continue;
    const ServiceFacts* held = FindById(service.id);
    if (held != nullptr) service.exposed_tcp_ports = held->exposed_tcp_ports;
  }
}

FactsKeeper::News FactsKeeper::TakeList(DockerFacts list, SteadyTime now) {
  News news;
  // What Docker lists in a form that cannot be read is not gone.
  for (const std::string& id : list.unreadable_service_ids) {
    if (const ServiceFacts* held = FindById(id)) list.services.push_back(*held);
  }
  list.unreadable_service_ids.clear();
  KeepPorts(list.services, std::exchange(list.ports_unknown_ids, {}), news);
  for (ServiceFacts& service : list.services) KeepNewer(service, now, news);
  KeepUnconfirmed(list, now, news);
  Install(std::move(list), news);
  return news;
}

FactsKeeper::News FactsKeeper::TakeTasks(const std::vector<ports::DockerApi::ServiceTasks>& lists,
                                         SteadyTime now) {
  (void)now;
  News news;
  for (const ports::DockerApi::ServiceTasks& list : lists) {
    const ServiceFacts* held = FindById(list.service_id);
    if (held == nullptr || held->kind != ServiceKind::kSwarm) continue;
    ServiceFacts fresh = *held;
    fresh.tasks = list.tasks;
    KeepRunning(fresh, &host_.gateway_addresses);
    (void)ApplyMarks(fresh);
    if (fresh == *held) continue;
    PutChanged(fresh, news);
    // From a bare host a task is reached by its address on the gateway bridge, which no list of
    // tasks tells.
    const bool unreachable =
        host_.on_host &&
        std::any_of(fresh.tasks.begin(), fresh.tasks.end(), [&](const TaskFacts& task) {
          return task.running && task.on_this_node && !task.container_id.empty() &&
                 !host_.gateway_addresses.contains(task.container_id);
        });
    if (unreachable) news.ask_again.push_back(fresh.id);
  }
  news.changed = !news.changed_ids.empty();
  return news;
}

FactsKeeper::News FactsKeeper::TakeEvent(const ports::DockerEvent& event, SteadyTime now) {
  News news;
  if (event.type == "service" && event.action == "remove" && FindById(event.id) != nullptr) {
    told_removed_.insert(event.id);
  }
  if (event.type != "container") return news;
  const std::string_view verb = Verb(event.action);
  MarkKind kind = MarkKind::kStarted;
  if (verb == "kill" && IsStopSignal(event.signal)) {
    kind = MarkKind::kStopping;
  } else if (verb == "die") {
    kind = MarkKind::kEnded;
  } else if (verb != "start") {
    return news;
  }
  Mark& mark = marks_[event.id];
  // News that is older than what is known: a repeated or reordered event.
  if (mark.time_ns > event.time_ns) return news;
  if (mark.time_ns == event.time_ns && mark.kind == MarkKind::kEnded) return news;
  const Duration lifetime =
      kind == MarkKind::kStopping ? options_.stopping_lifetime : options_.mark_lifetime;
  mark = Mark{kind, event.time_ns, now + lifetime};
  if (kind == MarkKind::kStarted) return news;
  std::vector<ServiceFacts> concerned;
  by_container_.Each(event.id, [&](const ServiceFacts& service) { concerned.push_back(service); });
  for (ServiceFacts& service : concerned) {
    if (ApplyMarks(service)) PutChanged(std::move(service), news);
  }
  news.changed = !news.changed_ids.empty();
  return news;
}

FactsKeeper::News FactsKeeper::Expire(SteadyTime now) {
  News news;
  for (auto mark = marks_.begin(); mark != marks_.end();) {
    if (mark->second.until > now) {
      ++mark;
      continue;
    }
    // What was marked stays so until a list says what is true.
    if (mark->second.kind != MarkKind::kStarted) {
      by_container_.Each(mark->first, [&](const ServiceFacts& service) {
        if (!HasTaskIn(service, mark->first)) return;
        if (service.kind == ServiceKind::kSwarm) {
          news.ask_again.push_back(service.id);
        } else {
          news.list_again_in = Duration(0);
        }
      });
    }
    mark = marks_.erase(mark);
  }
  return news;
}

std::optional<SteadyTime> FactsKeeper::NextExpiry() const {
  std::optional<SteadyTime> next;
  for (const auto& [id, mark] : marks_) {
    if (!next || mark.until < *next) next = mark.until;
  }
  return next;
}

void FactsKeeper::MoveChangesTo(ports::AppliedDelta& delta) {
  for (const std::string& id : dirty_) {
    const ServiceFacts* service = FindById(id);
    if (service != nullptr) delta.upserts.push_back(*service);
  }
  delta.removals.assign(removed_.begin(), removed_.end());
  if (host_dirty_) {
    delta.host = host_;
  }
  dirty_.clear();
  removed_.clear();
  host_dirty_ = false;
}

void FactsKeeper::SaveAllAgain() {
  for (const ServicePtr& service : services_) dirty_.insert(service->id);
  host_dirty_ = true;
}

void FactsKeeper::TakeBack(const ports::AppliedDelta& delta) {
  for (const ServiceFacts& service : delta.upserts) dirty_.insert(service.id);
  for (const std::string& id : delta.removals) {
    if (FindById(id) == nullptr) removed_.insert(id);
  }
  host_dirty_ = host_dirty_ || delta.host.has_value();
}

}  // namespace swarmgate::engine
