#include "engine/docker_desk.h"

#include <algorithm>
#include <utility>

namespace swarmgate::engine {
namespace {

// Beyond this a list of tasks by service costs the daemon more than listing everything.
constexpr std::size_t kMostIdsPerCall = 100;
// So long one call about some services waits for what else is to be asked.
constexpr Duration kCallsCoalesce{10};
// What is asked for only to find what no event has told costs some 20 us a service and time: with
// more than so many services it is asked for less often, so that it takes less than a hundredth of
// a core.
constexpr std::size_t kOftenUpTo = 4000;
constexpr Duration kSeldomest{60'000};
// From the start of a container to the state "running" at the manager it takes some 100 ms.
constexpr Duration kSprint{1000};
constexpr Duration kSprintPause{12};
// With more of them at once, quick lists would cost the daemon more than they gain.
constexpr std::size_t kMostSprints = 16;
// An image that is pulled, or a start that is slow: nothing tells of its end but where it happens,
// and on the other nodes a quarter of a second is not to be missed. For as long as that may take,
// few services are asked for so often whatever the pauses have grown to.
constexpr Duration kPatient{60'000};
constexpr Duration kPatientPause{150};
constexpr std::size_t kMostPatient = 16;
// Swarm tells of a changed service or node first, and changes its tasks then.
constexpr Duration kFollow{3000};
constexpr Duration kFollowAllFirst{250};

}  // namespace

DockerDesk::DockerDesk(const EngineOptions& options, bool enabled, Sources& sources,
                       const Clock& clock)
    : options_(options),
      enabled_(enabled),
      sources_(sources),
      clock_(clock),
      poll_backoff_(options.poll_fast, options.poll_slow) {
  const SteadyTime now = clock_.Now();
  list_started_ = list_not_before_ = tasks_started_ = tasks_not_before_ = now;
  services_started_ = services_not_before_ = now;
  full_due_ = now;
  all_due_ = now + options.poll_all;
  poll_due_ = SteadyTime::max();
}

void DockerDesk::WantList() { list_wanted_ = enabled_; }

void DockerDesk::WantListIn(Duration duration) {
  const SteadyTime at = clock_.Now() + duration;
  if (!list_at_ || at < *list_at_) list_at_ = at;
}

void DockerDesk::WantServices(const std::vector<std::string>& ids) {
  if (enabled_) services_wanted_.insert(ids.begin(), ids.end());
}

void DockerDesk::WantTasks(const std::vector<std::string>& ids) {
  if (enabled_) tasks_wanted_.insert(ids.begin(), ids.end());
}

void DockerDesk::SetConverging(std::set<std::string> ids) {
  const bool grown = !std::includes(converging_.begin(), converging_.end(), ids.begin(), ids.end());
  std::erase_if(sprints_, [&](const auto& sprint) {
    return converging_.contains(sprint.first) && !ids.contains(sprint.first);
  });
  converging_ = std::move(ids);
  if (grown) patient_until_ = clock_.Now() + kPatient;
  if (!polls()) {
    poll_due_ = SteadyTime::max();
  } else if (grown || poll_due_ == SteadyTime::max()) {
    QuickenPolls();
  }
}

void DockerDesk::QuickenPolls() {
  poll_backoff_.Reset();
  if (polls()) poll_due_ = std::min(poll_due_, clock_.Now() + poll_backoff_.Next());
}

void DockerDesk::Follow(const std::vector<std::string>& ids) {
  if (!enabled_) return;
  const SteadyTime until = clock_.Now() + kFollow;
  for (const std::string& id : ids) {
    if (followed_.size() < kMostPatient || followed_.contains(id)) followed_[id] = until;
  }
  QuickenPolls();
}

void DockerDesk::FollowAll() {
  all_soon_ = kFollowAllFirst;
  all_due_ = std::min(all_due_, clock_.Now() + *all_soon_);
}

Duration DockerDesk::NextPollPause(SteadyTime now) {
  const Duration pause = poll_backoff_.Next();
  const bool patient =
      (now < patient_until_ || !followed_.empty()) && converging_.size() <= kMostPatient;
  return patient ? std::min(pause, kPatientPause) : pause;
}

void DockerDesk::SprintPolls(const std::string& id) {
  if (sprints_.size() >= kMostSprints && !sprints_.contains(id)) return;
  const SteadyTime now = clock_.Now();
  sprints_[id] = now + kSprint;
  sprint_due_ = std::min(sprint_due_, now + kSprintPause);
}

void DockerDesk::RunSprints(SteadyTime now) {
  if (sprint_due_ > now) return;
  std::erase_if(sprints_, [&](const auto& sprint) { return sprint.second <= now; });
  sprint_due_ = sprints_.empty() ? SteadyTime::max() : now + kSprintPause;
  for (const auto& [id, until] : sprints_) {
    if (converging_.contains(id)) WantTasks({id});
  }
}

void DockerDesk::SetInclude(std::vector<std::string> names) {
  const bool grown = !std::includes(include_.begin(), include_.end(), names.begin(), names.end());
  include_ = std::move(names);
  if (grown) WantList();
}

std::uint64_t DockerDesk::ForceList() {
  list_wanted_ = true;
  list_not_before_ = clock_.Now();
  return generation_ + 1;
}

void DockerDesk::ListDone(bool good) {
  const SteadyTime now = clock_.Now();
  list_in_flight_ = false;
  if (!good) {
    list_wanted_ = true;
    list_not_before_ = now + list_backoff_.Next();
    return;
  }
  list_backoff_.Reset();
  // A daemon that needs long for a list is left in peace for half as long.
  list_not_before_ = std::max(list_started_ + options_.coalesce, now + (now - list_started_) / 2);
}

void DockerDesk::ServicesDone(bool good) {
  const SteadyTime now = clock_.Now();
  services_in_flight_ = false;
  services_not_before_ =
      std::max(services_started_ + kCallsCoalesce, now + (now - services_started_) / 2);
  // A full list tells whether Docker is lost, and what was asked for once it is back.
  if (!good) list_wanted_ = true;
}

void DockerDesk::TasksDone(bool good) {
  const SteadyTime now = clock_.Now();
  tasks_in_flight_ = false;
  tasks_not_before_ = std::max(tasks_started_ + kCallsCoalesce, now + (now - tasks_started_) / 2);
  if (!good) tasks_not_before_ = now + options_.poll_slow;
}

Duration DockerDesk::Seldom(Duration interval) const {
  const auto times = static_cast<double>(all_ids_.size()) / static_cast<double>(kOftenUpTo);
  if (times <= 1) return interval;
  const Duration seldom(static_cast<Duration::rep>(static_cast<double>(interval.count()) * times));
  return std::max(interval, std::min(seldom, kSeldomest));
}

void DockerDesk::RunTimes(SteadyTime now) {
  if (list_at_ && *list_at_ <= now) {
    list_at_.reset();
    list_wanted_ = true;
  }
  if (full_due_ <= now) {
    full_due_ = now + Seldom(options_.full_list_interval);
    list_wanted_ = true;
  }
  if (all_due_ <= now) {
    const Duration usual = Seldom(options_.poll_all);
    if (all_soon_) *all_soon_ *= 2;
    if (all_soon_ && *all_soon_ >= usual) all_soon_.reset();
    all_due_ = now + all_soon_.value_or(usual);
    WantTasks({all_ids_.begin(), all_ids_.end()});
  }
  if (poll_due_ <= now) {
    std::erase_if(followed_, [&](const auto& service) { return service.second <= now; });
    for (const auto& [id, until] : followed_) WantTasks({id});
    WantTasks({converging_.begin(), converging_.end()});
    poll_due_ = polls() ? now + NextPollPause(now) : SteadyTime::max();
  }
  RunSprints(now);
}

void DockerDesk::RunDue() {
  if (!enabled_) return;
  const SteadyTime now = clock_.Now();
  RunTimes(now);
  const auto limit = [this](std::set<std::string>& wanted, std::size_t most) {
    if (wanted.size() <= most) return;
    wanted.clear();
    list_wanted_ = true;
  };
  limit(services_wanted_, ports::DockerApi::kMostServices);
  limit(tasks_wanted_, kMostIdsPerCall);
  if (list_wanted_ && !list_in_flight_ && list_not_before_ <= now) {
    list_wanted_ = false;
    list_in_flight_ = true;
    list_started_ = now;
    full_due_ = now + Seldom(options_.full_list_interval);
    // It tells all that a list of some services or of tasks would.
    services_wanted_.clear();
    tasks_wanted_.clear();
    sources_.List(++generation_, include_);
  }
  if (ServicesAreNext() && services_not_before_ <= now) {
    services_in_flight_ = true;
    services_started_ = now;
    // Their tasks are told with them.
    for (const std::string& id : services_wanted_) tasks_wanted_.erase(id);
    sources_.ListServices({services_wanted_.begin(), services_wanted_.end()});
    services_wanted_.clear();
  }
  if (!tasks_wanted_.empty() && !tasks_in_flight_ && tasks_not_before_ <= now) {
    tasks_in_flight_ = true;
    tasks_started_ = now;
    sources_.ListTasks({tasks_wanted_.begin(), tasks_wanted_.end()});
    tasks_wanted_.clear();
  }
}

SteadyTime DockerDesk::Next() const {
  if (!enabled_) return SteadyTime::max();
  SteadyTime next = std::min({full_due_, all_due_, poll_due_, sprint_due_});
  if (list_at_) next = std::min(next, *list_at_);
  // What is in flight ends with a message.
  if (list_wanted_ && !list_in_flight_) next = std::min(next, list_not_before_);
  if (ServicesAreNext()) next = std::min(next, services_not_before_);
  if (!tasks_wanted_.empty() && !tasks_in_flight_) next = std::min(next, tasks_not_before_);
  return next;
}

}  // namespace swarmgate::engine
