// Weights: who gets how many of the requests that several destinations claim just so.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/model/routes.h"

namespace swarmgate::routing {

/// What counts for a destination without a weight among others that have one.
inline constexpr std::uint32_t kDefaultWeight = 100;

/// Thousandths for each, 1000 together: percentages first, then the others divide what is left by
/// their weights. Percentages of more than all are scaled down. All zero: the first gets all.
/// REQUIRES: not empty.
[[nodiscard]] std::vector<std::uint32_t> Thousandths(
    const std::vector<std::optional<model::Weight>>& weights);

/// The parts of those that serve nothing just now go to the others, in proportion.
void Settle(std::vector<model::Share>& shares,
            const std::function<bool(const model::Share&)>& serves);

/// "web/0/0 90 %, canary/0/0 10 %": for people.
[[nodiscard]] std::string DescribeShares(const std::vector<model::Share>& shares);

}  // namespace swarmgate::routing
