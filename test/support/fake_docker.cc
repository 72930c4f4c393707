#include "support/fake_docker.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace swarmgate::testing {

using model::ServiceFacts;

FakeDocker::FakeDocker() {
  facts_.daemon_id = "daemon-1";
  facts_.api_version = "1.41";
  facts_.swarm_manager = true;
  facts_.node_id = "node-1";
  facts_.networks = {{"net1", "web", "overlay", true, false},
                     {"net2", "other", "overlay", true, false}};
  facts_.own_network_ids = {"net1"};
}

void FakeDocker::SetService(ServiceFacts service) {
  const std::lock_guard lock(mutex_);
  std::erase_if(facts_.services, [&](const ServiceFacts& held) { return held.id == service.id; });
  const auto place = std::upper_bound(facts_.services.begin(), facts_.services.end(), service,
                                      [](const ServiceFacts& a, const ServiceFacts& b) {
                                        return std::tie(a.name, a.id) < std::tie(b.name, b.id);
                                      });
  facts_.services.insert(place, std::move(service));
}

void FakeDocker::SetUnlabelled(ServiceFacts service) {
  const std::lock_guard lock(mutex_);
  unlabelled_.push_back(std::move(service));
}

void FakeDocker::RemoveService(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(facts_.services, [&](const ServiceFacts& held) { return held.id == id; });
}

void FakeDocker::SetFacts(model::DockerFacts facts) {
  const std::lock_guard lock(mutex_);
  facts_ = std::move(facts);
}

model::DockerFacts FakeDocker::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

void FakeDocker::Send(ports::DockerEvent event) { told_.Push({false, std::move(event)}); }
void FakeDocker::Disconnect() { told_.Push({true, {}}); }

void FakeDocker::FailNext(Code code, int calls) {
  const std::lock_guard lock(mutex_);
  failures_.insert(failures_.end(), static_cast<std::size_t>(calls), code);
}

void FakeDocker::StopFailing() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
}

void FakeDocker::WatchFails(bool fails) {
  const std::lock_guard lock(mutex_);
  watch_fails_ = fails;
}

std::uint64_t FakeDocker::lists() const {
  const std::lock_guard lock(mutex_);
  return lists_;
}

std::uint64_t FakeDocker::service_lists() const {
  const std::lock_guard lock(mutex_);
  return service_lists_;
}

std::uint64_t FakeDocker::task_lists() const {
  const std::lock_guard lock(mutex_);
  return task_lists_;
}

Status FakeDocker::Enter() {
  if (told_.closed()) return Fail(Code::kCancelled, "cancelled");
  if (failures_.empty()) return Ok();
  const Code code = failures_.front();
  failures_.erase(failures_.begin());
  return Fail(code, "the fake daemon was told to fail: " + std::string(CodeName(code)));
}

Result<model::DockerFacts> FakeDocker::List(SteadyTime) {
  const std::lock_guard lock(mutex_);
  ++lists_;
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  model::DockerFacts facts = facts_;
  for (const ServiceFacts& service : unlabelled_) {
    if (IsIncluded(service)) facts.services.push_back(service);
  }
  return facts;
}

bool FakeDocker::IsIncluded(const ServiceFacts& service) const {
  return std::find(include_.begin(), include_.end(), service.name) != include_.end();
}

Result<FakeDocker::SomeServices> FakeDocker::ListServices(
    const std::vector<std::string>& service_ids, SteadyTime) {
  const std::lock_guard lock(mutex_);
  ++service_lists_;
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  SomeServices some;
  const auto asked = [&](const std::vector<std::string>& ids, const std::string& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  for (const ServiceFacts& service : facts_.services) {
    // The Swarm knows no other kinds.
    if (service.kind != model::ServiceKind::kSwarm || !asked(service_ids, service.id)) continue;
    some.services.push_back(service);
    if (asked(facts_.ports_unknown_ids, service.id)) some.ports_unknown_ids.push_back(service.id);
  }
  for (const ServiceFacts& service : unlabelled_) {
    if (!asked(service_ids, service.id)) continue;
    if (IsIncluded(service)) some.services.push_back(service);
    if (!IsIncluded(service)) some.unlabelled_ids.push_back(service.id);
  }
  for (const std::string& id : facts_.unreadable_service_ids) {
    if (asked(service_ids, id)) some.unreadable_ids.push_back(id);
  }
  some.gateway_addresses = facts_.gateway_addresses;
  return some;
}

void FakeDocker::Include(std::vector<std::string> names) {
  const std::lock_guard lock(mutex_);
  include_ = std::move(names);
}

Result<std::vector<FakeDocker::ServiceTasks>> FakeDocker::ListTasks(
    const std::vector<std::string>& service_ids, SteadyTime) {
  const std::lock_guard lock(mutex_);
  ++task_lists_;
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  std::vector<ServiceTasks> lists;
  for (const ServiceFacts& service : facts_.services) {
    if (std::find(service_ids.begin(), service_ids.end(), service.id) != service_ids.end()) {
      lists.push_back({service.id, service.tasks});
    }
  }
  return lists;
}

void FakeDocker::SetStarted(StartedTask task) {
  const std::lock_guard lock(mutex_);
  started_.push_back(std::move(task));
}

Result<std::optional<FakeDocker::StartedTask>> FakeDocker::LookAt(const std::string& container_id,
                                                                  SteadyTime) {
  const std::lock_guard lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  for (const StartedTask& task : started_) {
    if (task.container_id == container_id) return std::optional(task);
  }
  for (const ServiceFacts& service : facts_.services) {
    for (const model::TaskFacts& task : service.tasks) {
      if (task.container_id != container_id || !task.running) continue;
      return std::optional(StartedTask{task.id, container_id, std::nullopt});
    }
  }
  return std::optional<StartedTask>();
}

Error FakeDocker::Watch(std::int64_t, const std::function<void()>& connected,
                        const std::function<void(const ports::DockerEvent&)>& on_event) {
  {
    const std::lock_guard lock(mutex_);
    if (watch_fails_) return {Code::kUnavailable, "no daemon", "fake"};
  }
  if (told_.closed()) return {Code::kCancelled, "cancelled", "fake"};
  connected();
  for (;;) {
    std::optional<Told> told =
        told_.PopUntil(std::chrono::steady_clock::now() + std::chrono::hours(1));
    if (!told) return {Code::kCancelled, "cancelled", "fake"};
    if (told->disconnect) return {Code::kUnavailable, "the stream ended", "fake"};
    on_event(told->event);
  }
}

void FakeDocker::Cancel() { told_.Close(); }

model::TaskFacts MakeTask(const std::string& id, const std::string& address) {
  model::TaskFacts task;
  task.id = id;
  task.container_id = "c-" + id;
  task.node_id = "node-1";
  task.on_this_node = true;
  task.state = "running";
  task.running = true;
  task.addresses = {{"net1", address}};
  return task;
}

ServiceFacts MakeService(const std::string& name, const std::string& path,
                         std::vector<model::TaskFacts> tasks, std::uint64_t version) {
  ServiceFacts service;
  service.id = "id-" + name;
  service.name = name;
  service.version = version;
  service.created_unix_ns = 1'600'000'000'000'000'000;
  service.labels = {
      {"com.df.notify", "true"}, {"com.df.servicePath", path}, {"com.df.port", "8080"}};
  service.network_ids = std::vector<std::string>{"net1"};
  service.replicas = tasks.size();
  service.tasks = std::move(tasks);
  return service;
}

}  // namespace swarmgate::testing
