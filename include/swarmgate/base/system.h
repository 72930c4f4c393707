// What this machine says of itself, and names that it makes up.
#pragma once

#include <string>

namespace swarmgate {

/// Of this machine, or its beginning where it is longer than any that is usual.
[[nodiscard]] std::string HostName();
/// 16 hex digits that nobody else makes up, for histories and the like. No secret.
[[nodiscard]] std::string MakeUniqueName();

}  // namespace swarmgate
