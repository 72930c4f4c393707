// In which container does this process run? The kernel's own records name it; what they say is only
// a candidate until the daemon knows a container of that id, because this process may run in a
// container of another daemon (or Docker in Docker).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarmgate::docker {

/// Ids of containers (64 hex digits, or the 12 that are a container's default host name) that this
/// process may run in, the surest first. `mountinfo`, `cgroup`: the texts of those files in
/// /proc/self. On a bare host: usually none.
[[nodiscard]] std::vector<std::string> OwnContainerCandidates(std::string_view mountinfo,
                                                              std::string_view cgroup,
                                                              std::string_view hostname);

/// The same from this process's own files.
[[nodiscard]] std::vector<std::string> ReadOwnContainerCandidates();

}  // namespace swarmgate::docker
