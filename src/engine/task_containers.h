// Containers in which tasks of the Swarm live, whether anything is known of their services or not:
// that such a container joins or leaves a network changes nothing, and it happens with each task
// that begins or ends on this node, so that it must not cost a list of everything. Those only that
// began after this process did, or have ended: our own container is none of them, and which
// networks that is on does matter. Thread: owner.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>

#include "swarmgate/base/clock.h"
#include "swarmgate/ports/docker_api.h"

namespace swarmgate::engine {

class TaskContainers {
 public:
  explicit TaskContainers(WallTime since)
      : since_ns_(std::chrono::duration_cast<std::chrono::nanoseconds>(since.time_since_epoch())
                      .count()) {}

  void Take(const ports::DockerEvent& event) {
    if (event.type != "container" || event.service_id.empty()) return;
    if (event.action == "destroy") ids_.erase(event.id);
    const bool created = event.action == "create" && event.time_ns >= since_ns_;
    if (!created && event.action != "die") return;
    if (ids_.size() >= kMost) ids_.clear();
    ids_.insert(event.id);
  }

  [[nodiscard]] bool Has(const std::string& id) const { return ids_.contains(id); }

 private:
  static constexpr std::size_t kMost = 10'000;
  std::int64_t since_ns_;
  std::unordered_set<std::string> ids_;
};

}  // namespace swarmgate::engine
