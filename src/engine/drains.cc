// The part of Applier that waits for draining servers to become idle, and takes them away.
#include <set>

#include "engine/applier.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

constexpr Duration kSessionsDeadline{2000};
constexpr Duration kRetireDeadline{5000};
// Once given up: its sessions end by themselves, and the slot becomes free some time.
constexpr Duration kGivenUpInterval{10000};
// One round of polling must not keep the owner from newer work.
constexpr std::size_t kPollsPerRound = 64;

}  // namespace

void Applier::SyncDrains() {
  std::map<DrainKey, Drain> now;
  if (held_) {
    for (const auto& [slot, servers] : held_->draining) {
      for (const model::ServerName& server : servers) {
        auto known = drains_.find({slot, server});
        if (known != drains_.end()) {
          now.insert(*known);
          continue;
        }
        Drain drain;
        drain.since = clock_.Now();
        drain.next = In(drain.backoff.Next());
        now.emplace(DrainKey{slot, server}, drain);
      }
    }
  } else {
    now = drains_;
  }
  drains_ = std::move(now);
}

void Applier::NoteDrainTimeouts(const Chunked<model::Backend>& backends) {
  const auto note = [this](const model::Backend& backend) {
    if (!backend.drain_timeout && drain_timeouts_.empty()) return;
    const model::SlotName& slot = book_.slots().assigned.at(backend.name);
    if (backend.drain_timeout) {
      drain_timeouts_[slot] = *backend.drain_timeout;
    } else {
      drain_timeouts_.erase(slot);
    }
  };
  Chunked<model::Backend>::Diff(
      timeouts_noted_, backends, [](const auto& a, const auto& b) { return a.name < b.name; },
      [](const model::Backend& /*gone*/) {}, note,
      [&](const model::Backend& /*before*/, const model::Backend& after) { note(after); });
  timeouts_noted_ = backends;
}

bool Applier::IsDraining(const model::SlotName& slot, const std::string& name_prefix) const {
  auto drain = drains_.lower_bound({slot, model::ServerName(name_prefix)});
  return drain != drains_.end() && drain->first.first == slot &&
         drain->first.second.str().starts_with(name_prefix);
}

bool Applier::PollDrains() {
  if (!held_ || drains_.empty()) return false;
  const SteadyTime now = clock_.Now();
  std::set<model::SlotName> due;
  for (const auto& [key, drain] : drains_) {
    if (drain.next <= now && due.size() < kPollsPerRound) due.insert(key.first);
  }
  std::vector<haproxy::Step> idle;
  for (const model::SlotName& slot : due) {
    Result<std::map<model::ServerName, std::uint64_t>> sessions =
        proxy_.Sessions(slot, In(kSessionsDeadline));
    const auto own = drain_timeouts_.find(slot);
    const Duration timeout = own == drain_timeouts_.end() ? options_.drain_timeout : own->second;
    for (auto drain = drains_.lower_bound({slot, model::ServerName()});
         drain != drains_.end() && drain->first.first == slot; ++drain) {
      const bool given_up = now - drain->second.since >= timeout;
      drain->second.next = now + (given_up ? kGivenUpInterval : drain->second.backoff.Next());
      if (!sessions) continue;
      auto count = sessions->find(drain->first.second);
      if (count != sessions->end() && count->second > 0) continue;
      idle.emplace_back(haproxy::RetireServer{slot, drain->first.second});
    }
    if (!sessions && sessions.error().code == Code::kUnavailable) {
      NoteProxyDown(sessions.error());
      return false;
    }
  }
  return !idle.empty() && Retire(idle);
}

bool Applier::Retire(const std::vector<haproxy::Step>& steps) {
  Result<std::size_t> confirmed = proxy_.Execute(steps, In(kRetireDeadline));
  if (confirmed && *confirmed == steps.size()) {
    counters_.runtime_commands += steps.size();
    for (const haproxy::Step& step : steps) haproxy::ApplyStep(*held_, step);
    SyncDrains();
    return false;
  }
  // Most often a request came in between: tried again at the drain's next poll.
  LogEvent(LogLevel::kDebug, "RETIRE_FAILED", "a draining server could not be removed yet",
           {{"error", confirmed ? "partly confirmed" : confirmed.error().ToString()}});
  held_.reset();
  aligned_ = false;
  return true;
}

SteadyTime Applier::NextPoll() const {
  // Without files there is nothing that could run.
  if (!written_) return SteadyTime::max();
  SteadyTime next = next_pid_poll_;
  if (held_) {
    for (const auto& [key, drain] : drains_) next = std::min(next, drain.next);
  }
  return next;
}

}  // namespace swarmgate::engine
