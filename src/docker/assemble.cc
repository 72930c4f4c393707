#include "docker/assemble.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace swarmgate::docker {
namespace {

using codec::Container;
using codec::SwarmTask;
using model::ServiceFacts;
using model::ServiceKind;

bool HasEnded(const SwarmTask& task) {
  static constexpr std::array<std::string_view, 6> kEnded = {"complete", "shutdown", "failed",
                                                             "rejected", "remove",   "orphaned"};
  return std::find(kEnded.begin(), kEnded.end(), task.facts.state) != kEnded.end();
}

/// Without having been told to.
bool EndedByItself(const SwarmTask& task) {
  return task.facts.state == "failed" || task.facts.state == "rejected" ||
         task.facts.state == "complete";
}

template <typename T>
void Merge(std::vector<T>* into, const std::vector<T>& from) {
  for (const T& value : from) {
    if (std::find(into->begin(), into->end(), value) == into->end()) into->push_back(value);
  }
}

ServiceFacts ServiceOf(std::vector<Container> containers) {
  std::sort(containers.begin(), containers.end(), [](const Container& a, const Container& b) {
    return std::tie(a.created_unix_ns, a.facts.id) < std::tie(b.created_unix_ns, b.facts.id);
  });
  const Container& newest = containers.back();
  ServiceFacts service;
  service.stack = newest.compose_project();
  service.kind = service.stack.empty() ? ServiceKind::kContainer : ServiceKind::kCompose;
  service.id = ServiceIdOf(newest);
  service.name = ServiceNameOf(newest);
  service.created_unix_ns = containers.front().created_unix_ns;
  service.labels = newest.labels;
  service.exposed_tcp_ports = newest.exposed_tcp_ports;
  std::vector<std::string> networks;
  std::vector<model::PublishedPort> published;
  for (const Container& container : containers) {
    Merge<std::string>(&networks, container.network_ids);
    Merge<model::PublishedPort>(&published, container.facts.published);
    service.tasks.push_back(container.facts);
  }
  std::sort(networks.begin(), networks.end());
  std::sort(published.begin(), published.end(), [](const auto& a, const auto& b) {
    return std::tie(a.target, a.published, a.udp) < std::tie(b.target, b.published, b.udp);
  });
  service.network_ids = std::move(networks);
  service.published = std::move(published);
  std::sort(service.tasks.begin(), service.tasks.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return service;
}

}  // namespace

std::vector<model::TaskFacts> SelectTasks(std::vector<SwarmTask> tasks) {
  std::sort(tasks.begin(), tasks.end(),
            [](const SwarmTask& a, const SwarmTask& b) { return a.facts.id < b.facts.id; });
  const bool any_runs = std::any_of(tasks.begin(), tasks.end(),
                                    [](const SwarmTask& task) { return task.facts.running; });
  const SwarmTask* last_end = nullptr;
  for (const SwarmTask& task : tasks) {
    if (any_runs || !EndedByItself(task)) continue;
    if (last_end == nullptr || task.state_unix_ns > last_end->state_unix_ns) {
      last_end = &task;
    }
  }
  std::vector<model::TaskFacts> selected;
  for (const SwarmTask& task : tasks) {
    if (!HasEnded(task) || &task == last_end) selected.push_back(task.facts);
  }
  return selected;
}

std::string ServiceIdOf(const Container& container) {
  const std::string project = container.compose_project();
  const std::string service = container.compose_service();
  return project.empty() || service.empty() ? container.facts.id.str() : project + "/" + service;
}

std::string ServiceNameOf(const Container& container) {
  const std::string project = container.compose_project();
  const std::string service = container.compose_service();
  return project.empty() || service.empty() ? container.name : project + "_" + service;
}

std::vector<ServiceFacts> GroupContainers(std::vector<Container> containers) {
  std::map<std::string, std::vector<Container>> groups;
  for (Container& container : containers) {
    std::string id = ServiceIdOf(container);
    groups[std::move(id)].push_back(std::move(container));
  }
  std::vector<ServiceFacts> services;
  services.reserve(groups.size());
  for (auto& [id, members] : groups) services.push_back(ServiceOf(std::move(members)));
  std::sort(services.begin(), services.end(), [](const ServiceFacts& a, const ServiceFacts& b) {
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  });
  return services;
}

bool NamesPort(const codec::Labels& labels, std::string_view prefix) {
  const std::string name = std::string(prefix) + "port";
  for (auto it = labels.lower_bound(name); it != labels.end(); ++it) {
    if (it->first.compare(0, name.size(), name) != 0) return false;
    if (it->first.size() == name.size() || it->first[name.size()] == '.') return true;
  }
  return false;
}

bool HasPrefix(const codec::Labels& labels, std::string_view prefix) {
  const auto it = labels.lower_bound(std::string(prefix));
  return it != labels.end() && it->first.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace swarmgate::docker
