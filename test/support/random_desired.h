// Desired states by chance, for properties of plan and adapters: few names, so that two of them
// overlap.
#pragma once

#include <random>

#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/routes.h"

namespace swarmgate::testing {

/// `size`: about how many backends and entries.
[[nodiscard]] model::Desired RandomDesired(std::mt19937_64& random, int size);

/// Settings that HAProxy accepts, with directories below `directory`.
[[nodiscard]] haproxy::Settings TestSettings(const std::string& directory, std::uint16_t port);

/// Every class that RandomDesired may need, with so many slots each: no reload comes between.
[[nodiscard]] haproxy::Declared DeclareAll(std::uint32_t count);

}  // namespace swarmgate::testing
