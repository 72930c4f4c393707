// What the engine needs of a Docker daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::ports {

/// A hint that something may have changed. Losing, repeating or reordering hints never changes the
/// end state.
struct DockerEvent {
  std::string type;    ///< "service", "container", "network", "node", "secret", "config"
  std::string action;  ///< "create", "update", "kill", "die", "health_status: healthy", …
  std::string id;
  std::string name;        ///< service or container name where the event has one
  std::string service_id;  ///< the Swarm service of a container event; may be empty
  std::string signal;      ///< for "kill": "15", …
  /// Of a network's event: the container that was connected or disconnected; may be empty.
  std::string container_id;
  std::int64_t time_ns = 0;
};

/// Thread: the lists and LookAt from one thread at a time; Watch from another; Cancel from any.
class DockerApi {
 public:
  virtual ~DockerApi() = default;

  /// Everything that carries a routing label, complete, or an error: never a part.
  /// Errors: kUnavailable, kDeadlineExceeded, kCorrupt, kRejected, kCancelled.
  virtual Result<model::DockerFacts> List(SteadyTime deadline) = 0;

  /// Names of Swarm services and containers that lists shall tell although they carry no routing
  /// label: the API may define routes for any service that Docker knows. Replaces the former set.
  /// Thread: that of List.
  virtual void Include(std::vector<std::string> names) { (void)names; }

  /// Some of the Swarm's services.
  struct SomeServices {
    std::vector<model::ServiceFacts> services;  ///< as List would tell them now
    /// Those that are there, and that List would not tell: they carry no routing label (any more).
    std::vector<std::string> unlabelled_ids;
    std::vector<std::string> unreadable_ids;     ///< as DockerFacts::unreadable_service_ids
    std::vector<std::string> ports_unknown_ids;  ///< as in DockerFacts
    /// Has at least what DockerFacts::gateway_addresses would have of these services' containers.
    model::ContainerAddresses gateway_addresses;
  };
  /// For more than so many services, List costs less.
  static constexpr std::size_t kMostServices = 40;
  /// What List would tell of these Swarm services (by service id), for the price of these: for
  /// kMostServices at most. One that is nowhere in the answer is not there. Errors: as List.
  virtual Result<SomeServices> ListServices(const std::vector<std::string>& service_ids,
                                            SteadyTime deadline) = 0;

  /// The tasks of these Swarm services (by service id) only: the quick look at a converging
  /// service. Every task returned carries its service's id in `service_id`.
  struct ServiceTasks {
    std::string service_id;
    std::vector<model::TaskFacts> tasks;
  };
  virtual Result<std::vector<ServiceTasks>> ListTasks(const std::vector<std::string>& service_ids,
                                                      SteadyTime deadline) = 0;

  /// A container of this daemon in which a task of a Swarm service serves.
  struct StartedTask {
    std::string task_id;
    std::string container_id;
    /// On docker_gwbridge; only on a bare host, as DockerFacts::gateway_addresses.
    std::optional<std::string> gateway_address;
  };
  /// Does a Swarm task serve in this container: does its process run, and is it healthy where it
  /// has a health check? The managers, and so ListTasks, know some 100 ms later than its node.
  /// Nothing: not yet, not any more, or no task. Errors: as List.
  virtual Result<std::optional<StartedTask>> LookAt(const std::string& container_id,
                                                    SteadyTime deadline) = 0;

  /// Streams events from `since_ns` (0: from now) until the stream ends, which it always does with
  /// an error (kUnavailable; kCancelled after Cancel). Calls `connected` once the stream stands.
  virtual Error Watch(std::int64_t since_ns, const std::function<void()>& connected,
                      const std::function<void(const DockerEvent&)>& on_event) = 0;

  /// Ends every call under way and every later one with kCancelled.
  virtual void Cancel() = 0;
};

}  // namespace swarmgate::ports
