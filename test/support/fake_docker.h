// A Docker daemon in memory: what it would list, the events that it streams, and the ways in which
// it can fail.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "swarmgate/base/inbox.h"
#include "swarmgate/ports/docker_api.h"

namespace swarmgate::testing {

/// Thread: any.
class FakeDocker final : public ports::DockerApi {
 public:
  FakeDocker();

  // --- what is true ---
  /// Replaces or adds a service (by id). Lists show it from now on; no event is sent.
  void SetService(model::ServiceFacts service);
  /// One that carries no label: listed only when it is included by name.
  void SetUnlabelled(model::ServiceFacts service);
  void RemoveService(const std::string& id);
  void SetFacts(model::DockerFacts facts);
  [[nodiscard]] model::DockerFacts facts() const;
  /// The container serves already; lists still say that its task is starting.
  void SetStarted(StartedTask task);

  // --- what it tells ---
  void Send(ports::DockerEvent event);
  /// Ends the stream that stands; the next Watch stands again unless WatchFails.
  void Disconnect();

  // --- faults ---
  /// The next `calls` of List, ListServices and ListTasks fail so.
  void FailNext(Code code, int calls = 1);
  /// Ends what FailNext began.
  void StopFailing();
  /// Every Watch fails at once while this is set.
  void WatchFails(bool fails);

  [[nodiscard]] std::uint64_t lists() const;
  [[nodiscard]] std::uint64_t service_lists() const;
  [[nodiscard]] std::uint64_t task_lists() const;

  // --- ports::DockerApi ---
  Result<model::DockerFacts> List(SteadyTime deadline) override;
  void Include(std::vector<std::string> names) override;
  Result<SomeServices> ListServices(const std::vector<std::string>& service_ids,
                                    SteadyTime deadline) override;
  Result<std::vector<ServiceTasks>> ListTasks(const std::vector<std::string>& service_ids,
                                              SteadyTime deadline) override;
  /// A task that runs, or one that SetStarted has told of.
  Result<std::optional<StartedTask>> LookAt(const std::string& container_id,
                                            SteadyTime deadline) override;
  Error Watch(std::int64_t since_ns, const std::function<void()>& connected,
              const std::function<void(const ports::DockerEvent&)>& on_event) override;
  void Cancel() override;

 private:
  struct Told {
    bool disconnect = false;
    ports::DockerEvent event;
  };
  [[nodiscard]] Status Enter();
  [[nodiscard]] bool IsIncluded(const model::ServiceFacts& service) const;

  mutable std::mutex mutex_;
  model::DockerFacts facts_;
  std::vector<model::ServiceFacts> unlabelled_;
  std::vector<std::string> include_;
  std::vector<StartedTask> started_;
  std::vector<Code> failures_;
  bool watch_fails_ = false;
  std::uint64_t lists_ = 0;
  std::uint64_t service_lists_ = 0;
  std::uint64_t task_lists_ = 0;
  Inbox<Told> told_;
};

/// A running task with one address on network "net1".
[[nodiscard]] model::TaskFacts MakeTask(const std::string& id, const std::string& address);
/// A labelled Swarm service: notify, the path and port given, and its tasks.
[[nodiscard]] model::ServiceFacts MakeService(const std::string& name, const std::string& path,
                                              std::vector<model::TaskFacts> tasks,
                                              std::uint64_t version = 1);

}  // namespace swarmgate::testing
