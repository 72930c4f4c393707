// The facts that a replica with a Docker socket tells those without one: what Docker said, checked
// and typed, and nothing of it that is not used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::codec {

/// What has changed since a revision of a feed.
struct FactsList {
  std::string epoch;                       ///< of the feed: another one begins anew
  std::uint64_t revision = 0;              ///< with these, everything up to here is known
  bool complete = false;                   ///< `services` is all that there are
  std::optional<model::DockerFacts> host;  ///< everything but services; nothing: it has not changed
  std::vector<model::ServiceFacts> services;
  std::vector<std::string> removed;  ///< ids
};

/// The texts of one service and of the host are those of applied_json.h; they are kept as texts by
/// whoever tells them.
struct FactsTexts {
  std::string epoch;
  std::uint64_t revision = 0;
  bool complete = false;
  std::string host;  ///< empty: it has not changed
  std::vector<std::string> services;
  std::vector<std::string> removed;
};
[[nodiscard]] std::string EncodeFacts(const FactsTexts& facts);
/// Errors: kCorrupt.
[[nodiscard]] Result<FactsList> DecodeFacts(std::string_view text);

}  // namespace swarmgate::codec
