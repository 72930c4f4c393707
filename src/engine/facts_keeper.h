// What Docker said, merged from full lists, lists of some services or of tasks, and events, so that
// neither a lost, a repeated nor a reordered piece of news, nor a daemon that answers nonsense with
// status 200, takes a working route away:
// - A service's Version.Index only grows. A list that shows an older version (a manager that lags)
//   is not believed for this service until it has said so for a minute (a restored backup).
// - An empty list where services were known and no event told of their removal, or a list of
//   another daemon, removes nothing until a second list, at least two seconds later, says the same.
// - A list of some services says of these what a full list would. That one of them is gone is only
//   believed when an event has told so, too; what such a list cannot settle (networks that are not
//   known, whether everything is lost) is left to a full list.
// - A daemon that stops being a Swarm manager (demoted, locked after a restart) cannot know what
//   became of the Swarm's services: they stay as they were last known until it is a manager again.
// - `kill` with a signal that stops, and `die`, are believed at once for the one container: Docker
//   lists a stopping container as running. The mark of a signal stays until the container's `die`
//   or `start`; when neither has come after ten minutes, the container has ignored the signal, and
//   lists are believed again. The mark of `die` only outlives the lists that were under way.
// - A task that was seen running by its node does not start again: a list that still says so is
//   behind, and is not believed for it.
// Thread: owner. No I/O; time is given.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/service_index.h"
#include "swarmgate/base/chunked.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/cow.h"
#include "swarmgate/base/shared.h"
#include "swarmgate/base/text.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/ports/docker_api.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::engine {

using ServicePtr = Shared<model::ServiceFacts>;
/// Sorted by name, then id; ids are unique.
using Services = Chunked<ServicePtr>;
[[nodiscard]] bool ComesBefore(const model::ServiceFacts& a, const model::ServiceFacts& b);
[[nodiscard]] bool ComesBefore(const ServicePtr& a, const ServicePtr& b);
/// The first of this name, or none.
[[nodiscard]] ServicePtr FindByName(const Services& services, std::string_view name);

class FactsKeeper {
 public:
  struct Options {
    Duration mark_lifetime{30000};
    /// How long a container may take to end after its signal. Compose and `docker stop -t` allow
    /// minutes; Docker lists it as running all the while.
    Duration stopping_lifetime{600000};
    Duration confirm_after{2000};
    Duration distrust_for{60000};
    Duration ports_again_after{11000};
  };

  /// Something that the operator should read in the log.
  struct Note {
    const char* id = "";
    std::string text;
    std::string service;
  };

  struct News {
    bool changed = false;
    bool others = false;                    ///< services have come or gone
    std::optional<Duration> list_again_in;  ///< a full list is wanted after this time
    std::vector<std::string> ask_again;     ///< Swarm services that are to be listed now
    std::vector<Note> notes;
    std::vector<std::string> changed_ids;  ///< services
  };

  explicit FactsKeeper(Options options) : options_(options) {}

  /// From the store, before anything else.
  void Restore(model::DockerFacts facts);
  News TakeList(model::DockerFacts list, SteadyTime now);
  /// `ids`: what was asked for.
  News TakeServices(const std::vector<std::string>& ids, ports::DockerApi::SomeServices list,
                    SteadyTime now);
  News TakeTasks(const std::vector<ports::DockerApi::ServiceTasks>& lists, SteadyTime now);
  /// Its node's daemon says that this task serves; the managers may not know yet.
  News TakeStarted(const std::string& service_id, const ports::DockerApi::StartedTask& started);
  News TakeEvent(const ports::DockerEvent& event, SteadyTime now);
  /// Forgets marks that are over.
  News Expire(SteadyTime now);
  [[nodiscard]] std::optional<SteadyTime> NextExpiry() const;

  /// Everything but the services.
  [[nodiscard]] const model::DockerFacts& host() const { return host_; }
  /// Another number for each content of `host`.
  [[nodiscard]] std::uint64_t host_version() const { return host_version_; }
  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] const model::ServiceFacts* FindById(std::string_view id) const;
  /// Does a task of a known service live in this container?
  [[nodiscard]] bool HasContainer(const std::string& container_id) const;
  /// Swarm services' ids.
  [[nodiscard]] std::vector<Text> SwarmIds() const;

  /// What changed since the last call, in the store's terms.
  void MoveChangesTo(ports::AppliedDelta& delta);
  /// It could not be saved: the next delta holds it again.
  void TakeBack(const ports::AppliedDelta& delta);
  /// The store has lost everything: the next delta holds all.
  void SaveAllAgain();

 private:
  enum class MarkKind { kStarted, kStopping, kEnded };
  struct Mark {
    MarkKind kind = MarkKind::kStarted;
    std::int64_t time_ns = 0;
    SteadyTime until;
  };

  /// Running tasks that the list says to be on their way to it stay running, under their addresses.
  void KeepRunning(model::ServiceFacts& service,
                   model::ContainerAddresses* gateway_addresses) const;
  /// True when a task of the service is marked otherwise than it was.
  bool ApplyMarks(model::ServiceFacts& service) const;
  /// Ports that could not be found out stay as they were known.
  void KeepPorts(std::vector<model::ServiceFacts>& services,
                 const std::vector<std::string>& unknown_ids, News& news) const;
  void KeepNewer(model::ServiceFacts& service, SteadyTime now, News& news);
  /// Did events say that it would be gone?
  [[nodiscard]] bool IsExplained(const model::ServiceFacts& service) const;
  void KeepUnconfirmed(model::DockerFacts& list, SteadyTime now, News& news);
  void Install(model::DockerFacts list, News& news);
  /// Nearly all tasks say some of them alike, and what is said anew of a service is mostly as it
  /// was.
  void ShareTexts(model::ServiceFacts& service);
  /// What a list says of one service, if that is news.
  void InstallOne(model::ServiceFacts service, model::ContainerAddresses* gateway_addresses,
                  News& news);
  void Remove(const std::string& id, News& news);
  /// Is it on a network that neither the last full list nor what is held of it knows?
  [[nodiscard]] bool HasNewNetwork(const model::ServiceFacts& service) const;
  /// Addresses on the gateway bridge of containers in which a service's tasks no longer live, and
  /// do now. True: they have changed.
  bool MoveAddresses(const std::vector<model::TaskFacts>& from,
                     const std::vector<model::TaskFacts>& to,
                     const model::ContainerAddresses& known);
  /// In the place of what is held of the same id.
  void Put(model::ServiceFacts service);
  void Drop(const std::string& id);
  void PutChanged(model::ServiceFacts service, News& news);

  Options options_;
  model::DockerFacts host_;  ///< without services
  std::uint64_t host_version_ = 0;
  Services services_;
  TextPool texts_;
  std::set<Cow<std::vector<std::string>>> networks_;  ///< as texts_
  ServiceIndex by_id_;
  ServiceIndex by_container_;             ///< those that have a task there
  std::map<Text, Mark> marks_;            ///< by container id
  std::map<Text, SteadyTime> regressed_;  ///< service id → first seen older
  std::optional<SteadyTime> loss_seen_;
  bool swarm_lost_ = false;
  std::set<std::string> told_removed_;  ///< by events, and listed until now
  std::set<std::string> dirty_;
  std::set<std::string> removed_;
  bool host_dirty_ = false;
};

/// Does a container end by this signal ("15", "SIGTERM")? An empty one counts as yes.
[[nodiscard]] bool IsStopSignal(const std::string& signal);

}  // namespace swarmgate::engine
