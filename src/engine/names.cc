#include "engine/names.h"

#include <algorithm>
#include <utility>

#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

constexpr int kBelieveMissingAfter = 3;

}  // namespace

void Names::SetWanted(const std::vector<std::string>& wanted) {
  std::set<std::string> now(wanted.begin(), wanted.end());
  for (const std::string& name : now) {
    if (wanted_.contains(name)) continue;
    if (!resolved_.contains(name)) fresh_.insert(name);
    due_ = clock_.Now();
  }
  std::erase_if(fresh_, [&](const std::string& name) { return !now.contains(name); });
  std::erase_if(resolved_, [&](const auto& entry) { return !now.contains(entry.first); });
  std::erase_if(missing_, [&](const auto& entry) { return !now.contains(entry.first); });
  wanted_ = std::move(now);
}

bool Names::Take(const NamesResolved& answer) {
  in_flight_ = false;
  bool changed = false;
  for (const auto& [name, result] : answer.names) {
    if (!wanted_.contains(name)) continue;
    const bool first = fresh_.erase(name) > 0;
    if (result) {
      std::vector<std::string> addresses = *result;
      std::sort(addresses.begin(), addresses.end());
      addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
      missing_.erase(name);
      auto [held, added] = resolved_.try_emplace(name);
      changed = changed || added || held->second != addresses;
      held->second = std::move(addresses);
      continue;
    }
    if (first) {
      LogEvent(LogLevel::kWarning, "NAME_UNRESOLVED", "a name could not be resolved",
               {{"name", name}, {"error", result.error().ToString()}});
    }
    if (result.error().code != Code::kNotFound) continue;
    if (++missing_[name] >= kBelieveMissingAfter) changed = resolved_.erase(name) > 0 || changed;
  }
  return changed;
}

void Names::RunDue() {
  if (!enabled_ || in_flight_ || wanted_.empty() || due_ > clock_.Now()) return;
  in_flight_ = true;
  due_ = clock_.Now() + interval_;
  sources_.Resolve({wanted_.begin(), wanted_.end()});
}

SteadyTime Names::Next() const {
  return !enabled_ || in_flight_ || wanted_.empty() ? SteadyTime::max() : due_;
}

}  // namespace swarmgate::engine
