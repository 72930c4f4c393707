// When to ask Docker what: hints at once, further ones together, of the services that they name
// alone where they name any; a full list every so often; tasks of converging services in quick
// succession. Decides and asks; what the answers mean is not its business. Thread: owner. Time
// comes from the clock given.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/backoff.h"
#include "engine/message.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/text.h"

namespace swarmgate::engine {

class DockerDesk {
 public:
  /// Without Docker (`enabled` is false) nothing is ever asked.
  DockerDesk(const EngineOptions& options, bool enabled, Sources& sources, const Clock& clock);

  /// A hint. The first one is acted upon at once, further ones within the coalescing time together.
  void WantList();
  void WantListIn(Duration duration);
  /// A hint for these Swarm services only, to be acted upon likewise. A full list that is wanted
  /// takes it in, and so it comes first after the stream of events was lost, or a list has failed.
  void WantServices(const std::vector<std::string>& ids);
  /// A hint for the tasks of these Swarm services only.
  void WantTasks(const std::vector<std::string>& ids);
  /// Services (by Swarm id) whose tasks are about to change: polled, the quicker the newer the set.
  void SetConverging(std::set<std::string> ids);
  /// Their tasks did change: poll quickly again.
  void QuickenPolls();
  /// A container of this service has just started: its task runs any moment. The service, and no
  /// other, is polled as fast as the daemon can until it has converged, for a second at most.
  void SprintPolls(const std::string& id);
  /// An event told of these services, and the orchestrator may write what it means for their tasks
  /// only after they were asked for: they are polled for some seconds, whatever they are listed as.
  void Follow(const std::vector<std::string>& ids);
  /// The same of all, where an event told of a node.
  void FollowAll();
  /// Names for the next list's DockerApi::Include. A new one wants a list.
  void SetInclude(std::vector<std::string> names);
  void SetAllIds(std::vector<Text> ids) { all_ids_ = std::move(ids); }

  /// The generation of the first list that starts from now on; one is wanted.
  std::uint64_t ForceList();
  void ListDone(bool good);
  void ServicesDone(bool good);
  void TasksDone(bool good);

  void RunDue();
  [[nodiscard]] SteadyTime Next() const;
  [[nodiscard]] bool idle() const {
    return !list_wanted_ && !list_in_flight_ && services_wanted_.empty() && !services_in_flight_ &&
           tasks_wanted_.empty() && !tasks_in_flight_;
  }

 private:
  /// Notes what time alone makes wanted.
  void RunTimes(SteadyTime now);
  void RunSprints(SteadyTime now);
  [[nodiscard]] Duration NextPollPause(SteadyTime now);
  [[nodiscard]] bool polls() const { return !converging_.empty() || !followed_.empty(); }
  /// Are some services to be listed, and has no full list to come first?
  [[nodiscard]] bool ServicesAreNext() const {
    return !services_wanted_.empty() && !services_in_flight_ && !list_wanted_ && !list_in_flight_;
  }
  /// The interval, or a longer one where there are very many services.
  [[nodiscard]] Duration Seldom(Duration interval) const;

  const EngineOptions& options_;
  bool enabled_;
  Sources& sources_;
  const Clock& clock_;

  bool list_wanted_ = false;
  bool list_in_flight_ = false;
  std::uint64_t generation_ = 0;
  SteadyTime list_started_;
  SteadyTime list_not_before_;
  SteadyTime full_due_;
  std::optional<SteadyTime> list_at_;
  Backoff list_backoff_{Duration(100), Duration(2000)};
  std::vector<std::string> include_;

  std::set<std::string> services_wanted_;
  bool services_in_flight_ = false;
  SteadyTime services_started_;
  SteadyTime services_not_before_;

  std::set<std::string> tasks_wanted_;
  bool tasks_in_flight_ = false;
  SteadyTime tasks_started_;
  SteadyTime tasks_not_before_;
  std::set<std::string> converging_;
  std::map<std::string, SteadyTime> followed_;  ///< service → until when
  SteadyTime poll_due_;
  SteadyTime patient_until_;  ///< one minute from when a service began to converge
  Backoff poll_backoff_;
  std::map<std::string, SteadyTime> sprints_;  ///< service → end of its sprint
  SteadyTime sprint_due_ = SteadyTime::max();
  SteadyTime all_due_;
  std::optional<Duration> all_soon_;  ///< before the next time, where that is less than usual
  std::vector<Text> all_ids_;
};

}  // namespace swarmgate::engine
