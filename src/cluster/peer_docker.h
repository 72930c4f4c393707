// ports::DockerApi without a Docker socket: the facts come from a replica that has one
// (ROLE=proxy). To the engine it is a daemon: changes are events, and what is listed is what was
// heard last. Another replica is followed when the first is lost; when all are, the last facts
// stay.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/directory.h"
#include "cluster/peer_link.h"
#include "swarmgate/base/inbox.h"
#include "swarmgate/base/mutex.h"
#include "swarmgate/cluster/membership.h"
#include "swarmgate/ports/docker_api.h"

namespace swarmgate::cluster {

class PeerDocker final : public ports::DockerApi {
 public:
  /// Both outlive it; the directory runs.
  PeerDocker(const Membership& self, const Directory& directory)
      : self_(self), directory_(directory) {}

  Result<model::DockerFacts> List(SteadyTime deadline) override;
  Result<SomeServices> ListServices(const std::vector<std::string>& service_ids,
                                    SteadyTime deadline) override;
  Result<std::vector<ServiceTasks>> ListTasks(const std::vector<std::string>& service_ids,
                                              SteadyTime deadline) override;
  /// Tasks of this node are heard of like all others.
  Result<std::optional<StartedTask>> LookAt(const std::string& container_id,
                                            SteadyTime deadline) override;
  Error Watch(std::int64_t since_ns, const std::function<void()>& connected,
              const std::function<void(const ports::DockerEvent&)>& on_event) override;
  void Cancel() override;

 private:
  using Facts = std::optional<model::DockerFacts>;

  /// There are some where this is no error.
  [[nodiscard]] Result<std::shared_ptr<const Facts>> Known() const;
  /// Returns why it ended.
  Error Follow(PeerLink& link, const std::string& address, const std::function<void()>& connected,
               const std::function<void(const ports::DockerEvent&)>& on_event);
  /// What has changed with it.
  std::vector<ports::DockerEvent> Take(codec::FactsList list);

  const Membership& self_;
  const Directory& directory_;
  Inbox<bool> cancelled_;  ///< never pushed to: closed by Cancel
  Inbox<bool> heard_;      ///< pushed to by the first facts; closed by Cancel
  bool awaited_ = false;   ///< List's own
  Cell<Facts> facts_{std::make_shared<const Facts>()};
  std::string followed_;  ///< address; Watch's own
  Mutex mutex_;
  PeerLink* link_ GUARDED_BY(mutex_) = nullptr;  ///< of Watch, while it follows
};

}  // namespace swarmgate::cluster
