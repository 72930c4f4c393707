// The stored form of facts and parameters: JSON text ↔ model. Only this program reads what it
// wrote, yet the file may come from a disk that lies: everything is checked.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::codec {

/// Errors of all readers: kCorrupt. Unknown members are ignored, missing ones keep their default.
[[nodiscard]] std::string EncodeServiceFacts(const model::ServiceFacts& facts);
[[nodiscard]] Result<model::ServiceFacts> DecodeServiceFacts(std::string_view text);

/// Everything of DockerFacts but its services.
[[nodiscard]] std::string EncodeHostFacts(const model::DockerFacts& facts);
[[nodiscard]] Result<model::DockerFacts> DecodeHostFacts(std::string_view text);

[[nodiscard]] std::string EncodeStringMap(const std::map<std::string, std::string>& map);
[[nodiscard]] Result<std::map<std::string, std::string>> DecodeStringMap(std::string_view text);

[[nodiscard]] std::string EncodeStringLists(
    const std::map<std::string, std::vector<std::string>>& lists);
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> DecodeStringLists(
    std::string_view text);

}  // namespace swarmgate::codec
