// The words of a server line behind its address: the same in files and in `add server`.
#pragma once

#include <string>

#include "swarmgate/model/treatment.h"

namespace swarmgate::haproxy {

/// " pool-max-conn -1 pool-purge-delay 5s" and what the options ask for. Begins with a space.
[[nodiscard]] std::string ServerWords(const model::ServerOptions& options);

}  // namespace swarmgate::haproxy
