// One object of GET /events → ports::DockerEvent.
#pragma once

#include <string>

#include "swarmgate/codec/json.h"
#include "swarmgate/ports/docker_api.h"

namespace swarmgate::docker {

/// An event is only a hint: whatever in it is not as expected is left empty.
[[nodiscard]] ports::DockerEvent DecodeEvent(const codec::JsonValue& json);

/// The query of GET /events: what is of interest, since then (0: from now).
[[nodiscard]] std::string EventsQuery(std::int64_t since_ns);

}  // namespace swarmgate::docker
