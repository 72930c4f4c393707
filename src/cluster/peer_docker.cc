#include "cluster/peer_docker.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>

#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::cluster {
namespace {

constexpr Duration kIdentifyDeadline{2000};
// How long a question waits for news, and how much longer its answer may take: as many facts as
// there are may come.
constexpr Duration kWait{2000};
constexpr Duration kAnswerTime{10000};
// Who is asked too much answers at once.
constexpr Duration kLeastPause{200};
constexpr Duration kIdentifyAgain{10000};
// How long the first list waits for somebody who tells. Nobody listens where there is none.
constexpr Duration kFirstFacts{3000};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

ports::DockerEvent EventOf(const std::string& action, const std::string& id,
                           const std::string& name) {
  ports::DockerEvent event;
  event.type = "service";
  event.action = action;
  event.id = id;
  event.name = name;
  return event;
}

}  // namespace

Result<std::shared_ptr<const PeerDocker::Facts>> PeerDocker::Known() const {
  if (cancelled_.closed()) return Fail(Code::kCancelled, "cancelled");
  auto facts = facts_.Get();
  if (*facts) return facts;
  return Fail(Code::kUnavailable, "no replica with a Docker socket has told anything yet", "peers");
}

Result<model::DockerFacts> PeerDocker::List(SteadyTime deadline) {
  // A list that fails says that Docker is away, and what is known is all: not before anybody was
  // asked.
  if (!std::exchange(awaited_, true)) {
    (void)heard_.PopUntil(std::min(deadline, Now() + kFirstFacts));
  }
  const auto facts = Known();
  if (!facts) return Forward(facts.error());
  return ***facts;
}

Result<ports::DockerApi::SomeServices> PeerDocker::ListServices(
    const std::vector<std::string>& service_ids, SteadyTime deadline) {
  (void)deadline;
  const auto facts = Known();
  if (!facts) return Forward(facts.error());
  SomeServices some;
  for (const model::ServiceFacts& service : (**facts)->services) {
    if (std::find(service_ids.begin(), service_ids.end(), service.id) != service_ids.end()) {
      some.services.push_back(service);
    }
  }
  some.gateway_addresses = (**facts)->gateway_addresses;
  return some;
}

Result<std::vector<ports::DockerApi::ServiceTasks>> PeerDocker::ListTasks(
    const std::vector<std::string>& service_ids, SteadyTime deadline) {
  (void)deadline;
  const auto facts = Known();
  if (!facts) return Forward(facts.error());
  std::vector<ServiceTasks> all;
  for (const model::ServiceFacts& service : (**facts)->services) {
    if (std::find(service_ids.begin(), service_ids.end(), service.id) != service_ids.end()) {
      all.push_back({service.id, service.tasks});
    }
  }
  return all;
}

Result<std::optional<ports::DockerApi::StartedTask>> PeerDocker::LookAt(
    const std::string& container_id, SteadyTime deadline) {
  (void)container_id;
  (void)deadline;
  return std::optional<StartedTask>();
}

std::vector<ports::DockerEvent> PeerDocker::Take(codec::FactsList list) {
  std::vector<ports::DockerEvent> events;
  const auto before = facts_.Get();
  std::map<std::string, model::ServiceFacts> services;
  if (*before) {
    for (const model::ServiceFacts& service : (*before)->services) services[service.id] = service;
  }
  std::map<std::string, model::ServiceFacts> next;
  if (!list.complete) next = services;
  for (const std::string& id : list.removed) next.erase(id);
  for (model::ServiceFacts& service : list.services) {
    const std::string id = service.id;
    next.insert_or_assign(id, std::move(service));
  }
  for (const auto& [id, service] : next) {
    const auto held = services.find(id);
    if (held == services.end() || held->second != service) {
      events.push_back(EventOf("update", id, service.name));
    }
  }
  for (const auto& [id, service] : services) {
    if (!next.contains(id)) events.push_back(EventOf("remove", id, service.name));
  }
  model::DockerFacts facts = list.host.value_or(*before ? **before : model::DockerFacts());
  // Whoever is followed, it is one Swarm: another replica is no other daemon.
  facts.daemon_id = "replicas of " + self_.cluster;
  facts.services.clear();
  for (auto& [id, service] : next) facts.services.push_back(std::move(service));
  std::sort(facts.services.begin(), facts.services.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  });
  // No service's event, so that everything is listed.
  if (*before && list.host) events.push_back(EventOf("update", "", ""));
  facts_.Set(std::make_shared<const Facts>(std::move(facts)));
  if (!*before) heard_.Push(true);
  return events;
}

Error PeerDocker::Follow(PeerLink& link, const std::string& address,
                         const std::function<void()>& connected,
                         const std::function<void(const ports::DockerEvent&)>& on_event) {
  std::optional<model::ReplicaIdentity> peer;
  SteadyTime identify_at;
  std::string epoch;
  std::uint64_t revision = 0;
  while (!cancelled_.closed()) {
    const SteadyTime asked = Now();
    if (asked >= identify_at) {
      auto identity = link.Identify({}, asked + kIdentifyDeadline);
      if (!identity) return identity.error();
      if (identity->run == self_.run || identity->role == "proxy") {
        return {Code::kNotFound, "it has no Docker socket either", address};
      }
      peer = *std::move(identity);
      identify_at = Now() + kIdentifyAgain;
    }
    auto list = link.Facts(*peer, epoch, revision, kWait, Now() + kWait + kAnswerTime);
    if (!list) return list.error();
    if (epoch.empty()) {
      LogEvent(LogLevel::kInfo, "PEER_FOLLOWED", "what Docker says is heard from another replica",
               {{"address", address}, {"instance", peer->instance}});
      followed_ = address;
    }
    const bool first = epoch.empty();
    const bool news = list->epoch != epoch || list->revision != revision;
    epoch = list->epoch;
    revision = list->revision;
    std::vector<ports::DockerEvent> events;
    if (news) events = Take(*std::move(list));
    if (first) connected();
    for (const ports::DockerEvent& event : events) on_event(event);
    if (!news) (void)cancelled_.PopUntil(asked + kLeastPause);
  }
  return {Code::kCancelled, "cancelled", {}};
}

void PeerDocker::Cancel() {
  cancelled_.Close();
  heard_.Close();
  MutexLock lock(mutex_);
  if (link_ != nullptr) link_->Cancel();
}

Error PeerDocker::Watch(std::int64_t since_ns, const std::function<void()>& connected,
                        const std::function<void(const ports::DockerEvent&)>& on_event) {
  (void)since_ns;
  std::vector<std::string> addresses = directory_.Addresses();
  if (!addresses.empty()) {
    // Not all of them to the same one; and not back at once to one that was just lost.
    const auto first = static_cast<std::ptrdiff_t>(Hash64(self_.instance) % addresses.size());
    std::rotate(addresses.begin(), addresses.begin() + first, addresses.end());
    std::stable_partition(addresses.begin(), addresses.end(),
                          [&](const std::string& address) { return address != followed_; });
  }
  Error last{Code::kUnavailable, "no other replica is known", "peers"};
  for (const std::string& address : addresses) {
    PeerLink link(self_, address);
    bool heard = false;
    const auto note = [&] {
      heard = true;
      connected();
    };
    const auto show = [this](PeerLink* shown) {
      MutexLock lock(mutex_);
      link_ = shown;
    };
    show(&link);
    const Error error = Follow(link, address, note, on_event);
    show(nullptr);
    if (heard || error.code == Code::kCancelled || cancelled_.closed()) return error;
    if (error.code != Code::kNotFound) last = error;
  }
  last.code = Code::kUnavailable;
  return last;
}

}  // namespace swarmgate::cluster
