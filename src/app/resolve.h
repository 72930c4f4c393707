// Names to addresses, by the machine's resolver (in a container: Docker's).
#pragma once

#include <string>
#include <vector>

#include "swarmgate/base/error.h"

namespace swarmgate::app {

/// Makes the resolver give up after about two seconds instead of ten. REQUIRES: no other thread
/// runs yet.
void LimitResolver();

/// IPv4 addresses, else IPv6 ones; sorted, without repetition. Blocks for up to some seconds.
/// Errors: kNotFound (no such name), kUnavailable (no answer).
[[nodiscard]] Result<std::vector<std::string>> ResolveName(const std::string& name);

}  // namespace swarmgate::app
