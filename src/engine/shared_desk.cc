#include "engine/shared_desk.h"

#include <algorithm>
#include <utility>

#include "engine/reconciler.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

// One that the store refuses as it is may be let in later: a permission, a newer document gone.
constexpr Duration kRefusedRetry{30000};
// Revisions that follow each other quickly are told together.
constexpr Duration kAnnounceSoon{500};

/// Puts news into earlier ones.
void Fold(ports::Changes newer, ports::Changes& into) {
  std::map<model::ServiceName, std::optional<model::Record>> latest;
  for (model::Record& record : newer.upserts) latest[record.service] = std::move(record);
  for (const model::ServiceName& name : newer.deletes) latest[name] = std::nullopt;
  const auto replaced = [&](const model::ServiceName& name) { return latest.contains(name); };
  std::erase_if(into.upserts,
                [&](const model::Record& record) { return replaced(record.service); });
  std::erase_if(into.deletes, replaced);
  std::erase_if(into.unreadable, replaced);
  std::erase_if(into.deleted_unix_ms, [&](const auto& entry) { return replaced(entry.first); });
  for (auto& [name, record] : latest) {
    if (record) {
      into.upserts.push_back(std::move(*record));
    } else {
      into.deletes.push_back(name);
    }
  }
  into.unreadable.insert(into.unreadable.end(), newer.unreadable.begin(), newer.unreadable.end());
  into.deleted_unix_ms.merge(newer.deleted_unix_ms);
  into.position = std::move(newer.position);
  std::sort(into.upserts.begin(), into.upserts.end(),
            [](const auto& a, const auto& b) { return a.service < b.service; });
}

bool IsRefusal(Code code) {
  return code == Code::kRejected || code == Code::kInvalidArgument || code == Code::kCorrupt;
}

}  // namespace

SharedDesk::SharedDesk(const SharingOptions& options, bool enabled, const StoreKeeper& store,
                       Sources& sources, const Clock& clock)
    : options_(options), enabled_(enabled), store_(store), sources_(sources), clock_(clock) {
  start_deadline_ = clock.Now() + options.start_wait;
  share_not_before_ = announce_at_ = clock.Now();
  SetPartner(partner_, false, enabled ? "not asked yet" : "not configured", clock.WallNow());
}

void SharedDesk::Note(const Error* error) {
  const bool was_ok = partner_.ok;
  if (error == nullptr) {
    if (!was_ok) LogEvent(LogLevel::kInfo, "SHARED_UP", "the shared store answers");
    SetPartner(partner_, true, "", clock_.WallNow());
    return;
  }
  const std::string text = error->ToString();
  if (was_ok || partner_.detail == "not asked yet") {
    LogEvent(LogLevel::kError, "SHARED_DOWN",
             "the shared store cannot be used now; this replica goes on with what it knows, and "
             "writes later what it accepts meanwhile",
             {{"error", text}});
  }
  SetPartner(partner_, false, text, clock_.WallNow());
}

void SharedDesk::Hold(SharedNews news) {
  Note(news.changes ? nullptr : &news.changes.error());
  if (!news.changes) return;
  backoff_.Reset();
  share_not_before_ = clock_.Now();  // it is there: what waits need not
  loaded_ = loaded_ || news.changes->complete;
  // What is complete says all that was said before it. What is not is put into it: while our own
  // store cannot be read nothing is taken, and no more than one state is kept.
  if (news.changes->complete || held_.empty()) {
    held_.clear();
    held_.push_back(std::move(*news.changes));
  } else {
    Fold(std::move(*news.changes), held_.front());
  }
}

std::vector<ports::Changes> SharedDesk::TakeHeld() { return std::exchange(held_, {}); }

void SharedDesk::On(const ShareDone& done) {
  in_flight_ = false;
  refused_.erase(done.name);
  if (done.outcome) {
    backoff_.Reset();
    share_not_before_ = clock_.Now();
    return Note(nullptr);
  }
  const Error& error = done.outcome.error();
  if (error.code == Code::kConflict) {
    // The store is well: others write the same at this moment.
    share_not_before_ = clock_.Now() + backoff_.Next();
    return Note(nullptr);
  }
  if (!IsRefusal(error.code)) {
    share_not_before_ = clock_.Now() + backoff_.Next();
    return Note(&error);
  }
  LogEvent(LogLevel::kError, "SHARED_REFUSED",
           "the shared store refuses a change; it is served here and tried again",
           {{"record", done.name.str()}, {"error", error.ToString()}});
  refused_[done.name] = {clock_.Now() + kRefusedRetry, error.ToString()};
}

void SharedDesk::On(ReplicasSeen seen) {
  announcing_ = false;
  if (seen.replicas && *seen.replicas != *replicas_) {
    replicas_ = std::make_shared<const std::vector<ports::Replica>>(std::move(*seen.replicas));
  }
}

const model::ServiceName* SharedDesk::NextToShare(SteadyTime now) const {
  const model::ServiceName* next = nullptr;
  std::uint64_t oldest = UINT64_MAX;
  for (const auto& [name, waiting] : store_.shared().waiting) {
    // In their order; what is not on our own disk yet comes when it is.
    if (waiting.revision >= oldest || !store_.IsStored(name)) continue;
    const auto refused = refused_.find(name);
    if (refused != refused_.end() && refused->second.first > now) continue;
    oldest = waiting.revision;
    next = &name;
  }
  return next;
}

void SharedDesk::RunDue(bool applied) {
  if (!enabled_) return;
  const SteadyTime now = clock_.Now();
  // Before everything was read once it is not known what ours would meet.
  if (!in_flight_ && loaded_ && share_not_before_ <= now) {
    if (const model::ServiceName* name = NextToShare(now); name != nullptr) {
      in_flight_ = true;
      sources_.Share(store_.RequestFor(*name));
    }
  }
  const std::uint64_t revision = store_.shared().position.revision;
  if (applied && revision != announced_) {
    announced_ = revision;
    announce_at_ = std::min(announce_at_, now + kAnnounceSoon);
  }
  if (!announcing_ && announce_at_ <= now) {
    announcing_ = true;
    announce_at_ = now + options_.announce_every;
    ports::Replica self = options_.self;
    self.revision = announced_;
    sources_.Announce(std::move(self));
  }
}

SteadyTime SharedDesk::Next() const {
  if (!enabled_) return SteadyTime::max();
  const SteadyTime now = clock_.Now();
  SteadyTime next = announcing_ ? SteadyTime::max() : announce_at_;
  if (ShouldAwaitStart()) next = std::min(next, start_deadline_);
  if (!in_flight_ && loaded_ && NextToShare(now) != nullptr) {
    next = std::min(next, std::max(share_not_before_, now));
  }
  for (const auto& [name, refused] : refused_) {
    if (!in_flight_ && store_.shared().waiting.contains(name)) next = std::min(next, refused.first);
  }
  return next;
}

bool SharedDesk::ShouldAwait(const model::ServiceName& name, SteadyTime received) const {
  return enabled_ && partner_.ok && store_.shared().waiting.contains(name) &&
         !refused_.contains(name) && clock_.Now() < received + options_.answer_wait;
}

bool SharedDesk::ShouldAwaitStart() const {
  return enabled_ && (!loaded_ || has_news()) && clock_.Now() < start_deadline_;
}

void SharedDesk::Describe(SharedStatus& status) const {
  status.configured = enabled_;
  status.name = options_.store_name;
  status.store = partner_;
  status.revision = store_.shared().position.revision;
  status.waiting = store_.shared().waiting.size();
  status.waiting_reason.clear();
  for (const auto& [name, refused] : refused_) {
    if (!store_.shared().waiting.contains(name)) continue;
    status.waiting_reason = name.str() + ": " + refused.second;
    break;
  }
  status.replicas = replicas_;
}

}  // namespace swarmgate::engine
