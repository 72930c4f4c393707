// The part of FactsKeeper that hears of some services alone.
#include <algorithm>
#include <set>
#include <utility>

#include "engine/facts_keeper.h"

namespace swarmgate::engine {

using model::ServiceFacts;
using model::TaskFacts;

bool FactsKeeper::HasNewNetwork(const ServiceFacts& service) const {
  const ServiceFacts* held = FindById(service.id);
  return std::any_of(
      service.network_ids->begin(), service.network_ids->end(), [&](const std::string& id) {
        const auto is_it = [&](const model::NetworkFacts& network) { return network.id == id; };
        if (std::any_of(host_.networks.begin(), host_.networks.end(), is_it)) return false;
        if (held == nullptr) return true;
        const std::vector<std::string>& known = *held->network_ids;
        return std::find(known.begin(), known.end(), id) == known.end();
      });
}

bool FactsKeeper::MoveAddresses(const std::vector<TaskFacts>& from,
                                const std::vector<TaskFacts>& to,
                                const model::ContainerAddresses& known) {
  if (host_.gateway_addresses.empty() && known.empty()) return false;
  model::ContainerAddresses addresses = host_.gateway_addresses;
  for (const TaskFacts& task : from) addresses.erase(task.container_id);
  for (const TaskFacts& task : to) {
    const auto address = known.find(task.container_id);
    if (address != known.end()) addresses.insert(*address);
  }
  if (addresses == host_.gateway_addresses) return false;
  host_.gateway_addresses = std::move(addresses);
  ++host_version_;
  host_dirty_ = true;
  return true;
}

FactsKeeper::News FactsKeeper::TakeServices(const std::vector<std::string>& ids,
                                            ports::DockerApi::SomeServices list, SteadyTime now) {
  News news;
  if (loss_seen_ || swarm_lost_) {
    news.list_again_in = Duration(0);
    return news;
  }
  const auto tasks_of = [this](const std::string& id) {
    const ServiceFacts* held = FindById(id);
    return held == nullptr ? std::vector<TaskFacts>() : held->tasks;
  };
  std::set<std::string> settled(list.unreadable_ids.begin(), list.unreadable_ids.end());
  KeepPorts(list.services, list.ports_unknown_ids, news);
  for (ServiceFacts& service : list.services) {
    const std::string id = service.id;
    settled.insert(id);
    KeepNewer(service, now, news);
    if (HasNewNetwork(service)) {
      news.list_again_in = Duration(0);
      continue;
    }
    const std::vector<TaskFacts> before = tasks_of(id);
    InstallOne(std::move(service), &list.gateway_addresses, news);
    news.changed |= MoveAddresses(before, tasks_of(id), list.gateway_addresses);
  }
  const std::set<std::string> unlabelled(list.unlabelled_ids.begin(), list.unlabelled_ids.end());
  for (const std::string& id : ids) {
    const ServiceFacts* held = FindById(id);
    if (held == nullptr || settled.contains(id)) continue;
    if (!unlabelled.contains(id) && !IsExplained(*held)) {
      news.list_again_in = Duration(0);
      continue;
    }
    const std::vector<TaskFacts> before = held->tasks;
    Remove(id, news);
    news.changed |= MoveAddresses(before, {}, {});
  }
  news.changed |= !news.changed_ids.empty();
  return news;
}

}  // namespace swarmgate::engine
