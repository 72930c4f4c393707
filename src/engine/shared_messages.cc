// The part of Reconciler that takes what the shared store says, and what has become of our own
// changes there.
#include <algorithm>
#include <utility>

#include "engine/reconciler.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {

using model::ServiceName;

void Reconciler::On(SharedNews message) {
  shared_.Hold(std::move(message));
  PublishPartners();
}

bool Reconciler::AllJudged() const {
  return std::all_of(pending_.begin(), pending_.end(),
                     [](const Pending& pending) { return pending.judged; });
}

// A call that is not judged yet has changed the records in memory, and may be taken back: news wait
// for that. And for our own store: what waits there for the shared one must be known first.
void Reconciler::TakeSharedNews() {
  if (!shared_.has_news() || !store_.loaded() || !AllJudged()) return;
  std::size_t changed = 0;
  for (const ports::Changes& changes : shared_.TakeHeld()) {
    const std::set<ServiceName> names = store_.Take(changes);
    changed += names.size();
    if (names.empty()) continue;
    LogEvent(LogLevel::kInfo, "SHARED_CHANGES", "other replicas have changed records",
             {{"records", std::to_string(names.size())},
              {"first", names.begin()->str()},
              {"revision", std::to_string(changes.position.revision)}});
  }
  if (changed > 0 || (awaits_shared_ && !shared_.ShouldAwaitStart())) dirty_ = true;
  PublishPartners();
}

// It may change the record in memory, which a call that is not judged yet has changed before.
void Reconciler::On(ShareDone message) {
  shared_.On(message);
  if (message.outcome) settled_.push_back(std::move(message));
  TakeSettled();
  PublishPartners();
}

void Reconciler::TakeSettled() {
  if (!AllJudged()) return;
  if (settled_.empty()) return;
  for (const ShareDone& done : std::exchange(settled_, {})) Settle(done);
  PublishPartners();
}

void Reconciler::Settle(const ShareDone& message) {
  if (message.outcome->theirs_won) {
    LogEvent(LogLevel::kWarning, "SHARED_WRITE_LOST",
             "another replica has changed the same record later; what it wrote stands",
             {{"record", message.name.str()},
              {"theirs", message.outcome->exists ? "changed" : "deleted"},
              {"revision", std::to_string(message.outcome->revision)}});
    for (Pending& pending : pending_) {
      // A call that came after the change that has lost is not decided by it.
      if (pending.service != message.name ||
          pending.command.made_unix_ms > message.waiting.since_unix_ms) {
        continue;
      }
      pending.outcome.status = 409;
      pending.outcome.message =
          "another replica has changed the same at the same time; what it wrote stands";
    }
  }
  if (store_.Settle(message)) dirty_ = true;
}

void Reconciler::On(ReplicasSeen message) {
  shared_.On(std::move(message));
  PublishPartners();
}

}  // namespace swarmgate::engine
