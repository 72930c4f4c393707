// Decoded answers → ServiceFacts: which tasks are worth telling, which containers form one service.
// Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/codec/docker_json.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::docker {

/// The tasks of one service that matter, sorted by id: all that have not ended; and while none of
/// them runs, the one that ended last by itself, because it tells why.
[[nodiscard]] std::vector<model::TaskFacts> SelectTasks(std::vector<codec::SwarmTask> tasks);

/// Containers of one compose service become one service, every other container is one of its own.
/// Labels and ports are those of the newest container, the age is that of the oldest. Swarm tasks
/// and one-off containers (`docker compose run`) must not be among them. Sorted by name, then id.
[[nodiscard]] std::vector<model::ServiceFacts> GroupContainers(
    std::vector<codec::Container> containers);

/// Id and name that the container's service gets: "<project>/<service>" and "<project>_<service>".
[[nodiscard]] std::string ServiceIdOf(const codec::Container& container);
[[nodiscard]] std::string ServiceNameOf(const codec::Container& container);

/// Has it any of the labels that give a port ("com.df.port", "com.df.port.2")? Then nobody needs to
/// know what its image exposes.
[[nodiscard]] bool NamesPort(const codec::Labels& labels, std::string_view prefix);

/// Begins any of the labels with the prefix?
[[nodiscard]] bool HasPrefix(const codec::Labels& labels, std::string_view prefix);

}  // namespace swarmgate::docker
