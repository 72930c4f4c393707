#include "engine/names.h"

#include <algorithm>
#include <utility>

#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

constexpr int kBelieveMissingAfter = 3;
constexpr Duration kLongestPause{30000};

}  // namespace

void Names::Schedule(const std::string& name, Entry& entry, SteadyTime due) {
  entry.due = due;
  QueueOf(entry.state).emplace(due, name);
}

void Names::SetState(Entry& entry, State state) {
  if (entry.state == State::kFresh && state != State::kFresh) --fresh_;
  entry.state = state;
}

void Names::SetWanted(const std::vector<std::string>& wanted) {
  if (wanted == last_wanted_ && !wanted.empty()) return;
  last_wanted_ = wanted;
  const std::set<std::string> now(wanted.begin(), wanted.end());
  for (auto held = wanted_.begin(); held != wanted_.end();) {
    if (now.contains(held->first)) {
      ++held;
      continue;
    }
    QueueOf(held->second.state).erase({held->second.due, held->first});
    if (held->second.state == State::kFresh) --fresh_;
    held = wanted_.erase(held);
  }
  const std::size_t forgotten =
      std::erase_if(resolved_, [&](const auto& entry) { return !now.contains(entry.first); });
  if (forgotten > 0) ++version_;
  for (const std::string& name : now) {
    const Backoff backoff(interval_, std::max(interval_, kLongestPause));
    auto [held, added] = wanted_.try_emplace(name, Entry{State::kFresh, 0, {}, backoff});
    if (!added) continue;
    if (resolved_.contains(name)) {
      held->second.state = State::kGood;  // by an earlier run
    } else {
      ++fresh_;
    }
    // A fresh one comes before those that have failed before.
    if (!in_flight_.contains(name)) Schedule(name, held->second, SteadyTime::min());
  }
}

bool Names::TakeFailure(const std::string& name, Entry& entry, const Error& error) {
  if (entry.state == State::kFresh) {
    LogEvent(LogLevel::kWarning, "NAME_UNRESOLVED", "a name could not be resolved",
             {{"name", name}, {"error", error.ToString()}});
  }
  const bool missing = error.code == Code::kNotFound;
  entry.missing = missing ? entry.missing + 1 : entry.missing;
  // That there is no such name is said quickly, and is to be believed soon.
  if (missing && entry.missing < kBelieveMissingAfter) entry.backoff.Reset();
  SetState(entry, State::kFailing);
  Schedule(name, entry, clock_.Now() + entry.backoff.Next());
  const bool gone = missing && entry.missing >= kBelieveMissingAfter && resolved_.erase(name) > 0;
  if (gone) ++version_;
  return gone;
}

bool Names::Take(const NameResolved& answer) {
  auto asked = in_flight_.find(answer.name);
  if (asked != in_flight_.end()) {
    if (asked->second) --doubtful_in_flight_;
    in_flight_.erase(asked);
  }
  auto held = wanted_.find(answer.name);
  if (held == wanted_.end()) return false;
  Entry& entry = held->second;
  QueueOf(entry.state).erase({entry.due, answer.name});
  if (!answer.addresses) return TakeFailure(answer.name, entry, answer.addresses.error());
  std::vector<std::string> addresses = *answer.addresses;
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  entry.missing = 0;
  entry.backoff.Reset();
  SetState(entry, State::kGood);
  Schedule(answer.name, entry, clock_.Now() + interval_);
  auto [known, added] = resolved_.try_emplace(answer.name);
  const bool changed = added || known->second != addresses;
  known->second = std::move(addresses);
  if (changed) ++version_;
  return changed;
}

bool Names::HasRoom(bool doubtful) const {
  return in_flight_.size() < kResolverThreads &&
         (!doubtful || doubtful_in_flight_ + 1 < kResolverThreads);
}

void Names::AskFrom(Queue& queue, bool doubtful) {
  while (!queue.empty() && queue.begin()->first <= clock_.Now() && HasRoom(doubtful)) {
    std::string name = queue.begin()->second;
    queue.erase(queue.begin());
    in_flight_.emplace(name, doubtful);
    if (doubtful) ++doubtful_in_flight_;
    sources_.Resolve(std::move(name));
  }
}

void Names::RunDue() {
  if (!enabled_) return;
  AskFrom(good_, false);
  AskFrom(doubtful_, true);
}

SteadyTime Names::Next() const {
  SteadyTime next = SteadyTime::max();
  if (!enabled_) return next;
  if (!good_.empty() && HasRoom(false)) next = good_.begin()->first;
  if (!doubtful_.empty() && HasRoom(true)) next = std::min(next, doubtful_.begin()->first);
  return next;
}

}  // namespace swarmgate::engine
