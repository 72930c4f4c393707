#include "routing/shares.h"

#include <algorithm>
#include <numeric>

namespace swarmgate::routing {
namespace {

constexpr std::uint32_t kAll = 1000;

/// `total` in proportion to `parts`, by largest remainders; who has a part at all gets at least
/// one. REQUIRES: they do not add up to zero, and there are fewer of them than `total`.
std::vector<std::uint32_t> Divide(const std::vector<std::uint64_t>& parts, std::uint32_t total) {
  const std::uint64_t sum = std::accumulate(parts.begin(), parts.end(), std::uint64_t{0});
  std::vector<std::uint32_t> out(parts.size(), 0);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == 0) continue;
    order.push_back(i);
    out[i] = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(parts[i] * total / sum));
  }
  const auto given = [&] { return std::accumulate(out.begin(), out.end(), std::uint32_t{0}); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return parts[a] * total % sum > parts[b] * total % sum;
  });
  for (std::size_t k = 0; given() < total; k = (k + 1) % order.size()) ++out[order[k]];
  // The ones that were raised to one are paid for by the largest.
  while (given() > total) --*std::max_element(out.begin(), out.end());
  return out;
}

}  // namespace

std::vector<std::uint32_t> Thousandths(const std::vector<std::optional<model::Weight>>& weights) {
  std::vector<std::uint64_t> percent(weights.size(), 0);
  std::vector<std::uint64_t> relative(weights.size(), 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const model::Weight weight = weights[i].value_or(model::Weight{false, kDefaultWeight});
    (weight.percent ? percent : relative)[i] = weight.value;
  }
  const auto sum = [](const std::vector<std::uint64_t>& parts) {
    return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0});
  };
  const std::uint64_t fixed = sum(percent);
  if (fixed == 0 && sum(relative) == 0) {
    std::vector<std::uint32_t> first(weights.size(), 0);
    first.front() = kAll;
    return first;
  }
  if (fixed >= kAll || sum(relative) == 0) return Divide(percent, kAll);
  std::vector<std::uint32_t> out = Divide(relative, kAll - static_cast<std::uint32_t>(fixed));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += static_cast<std::uint32_t>(percent[i]);
  return out;
}

void Settle(std::vector<model::Share>& shares,
            const std::function<bool(const model::Share&)>& serves) {
  std::vector<std::uint64_t> parts;
  parts.reserve(shares.size());
  for (const model::Share& share : shares) {
    parts.push_back(serves(share) ? share.thousandths : 0);
  }
  if (std::all_of(parts.begin(), parts.end(), [](std::uint64_t part) { return part == 0; })) return;
  const std::vector<std::uint32_t> settled = Divide(parts, kAll);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i].thousandths = settled[i];
}

std::string DescribeShares(const std::vector<model::Share>& shares) {
  std::string text;
  for (const model::Share& share : shares) {
    text += (text.empty() ? "" : ", ") + share.route.str() + " " +
            std::to_string(share.thousandths / 10);
    if (share.thousandths % 10 != 0) text += "." + std::to_string(share.thousandths % 10);
    text += " %";
  }
  return text;
}

}  // namespace swarmgate::routing
