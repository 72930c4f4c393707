// The part of StoreKeeper that keeps records equal with those of other replicas. Each record has a
// revision in the shared store; what waits here to get there is never overwritten by news, because
// writing it settles which of the two stands.
#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/sharing.h"
#include "engine/store_keeper.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {

using model::Record;
using model::ServiceName;
using ports::Changes;

std::int64_t StoreKeeper::NextStamp() const {
  const auto now = clock_.WallNow().time_since_epoch();
  return std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
                                latest_unix_ms_ + 2);  // one later ends a withdrawal
}

// `revision`: of the news as a whole.
void StoreKeeper::TakeUpsert(const Record& record, std::uint64_t revision,
                             std::set<ServiceName>& changed) {
  const ServiceName& name = record.service;
  Saw(record.updated_unix_ms);
  if (IsOurs(name)) {
    skipped_[name] = {record.revision, record};
    return;
  }
  // News that were read before a write of ours, and come in after it.
  const auto known = shared_.revisions.find(name);
  if (known != shared_.revisions.end() && known->second > std::max(record.revision, revision)) {
    return;
  }
  const auto deleted = deleted_.find(name);
  if (deleted != deleted_.end() && deleted->second > record.revision) return;
  const auto held = records_.find(name);
  const bool same = held != records_.end() && SameContent(held->second, record);
  if (same && known != shared_.revisions.end() && known->second == record.revision) return;
  shared_.revisions[name] = record.revision;
  unsaved_.insert(name);
  if (same) return;
  records_.insert_or_assign(name, record);
  changed.insert(name);
}

void StoreKeeper::TakeDelete(const ServiceName& name, std::uint64_t revision,
                             std::set<ServiceName>& changed) {
  if (IsOurs(name)) {
    skipped_[name] = {revision, std::nullopt};
    return;
  }
  const auto known = shared_.revisions.find(name);
  if (known != shared_.revisions.end() && known->second > revision) return;
  if (shared_.revisions.erase(name) > 0) unsaved_.insert(name);
  if (records_.erase(name) == 0) return;
  unsaved_.insert(name);
  changed.insert(name);
}

// Between a write of ours and the word that it was done others may have gone on, and the news of
// that may have come first.
void StoreKeeper::TakeSkipped(std::set<ServiceName>& changed) {
  for (auto next = skipped_.begin(); next != skipped_.end();) {
    const auto entry = next++;
    if (IsOurs(entry->first)) continue;
    const ServiceName name = entry->first;
    const Skipped skipped = std::move(entry->second);
    skipped_.erase(entry);
    if (skipped.record) {
      TakeUpsert(*skipped.record, skipped.revision, changed);
    } else {
      TakeDelete(name, skipped.revision, changed);
    }
  }
}

void StoreKeeper::ShareAgain(const ServiceName& name, const Record& record) {
  shared_.waiting[name] = {record.revision, record.updated_unix_ms};
  unsaved_.insert(name);
}

// What is not there was deleted by others, if they could know of it; else the shared store has lost
// it, or has never had it, and gets it from us.
void StoreKeeper::TakeComplete(const Changes& changes, std::set<ServiceName>& changed) {
  const ports::SharedPosition& now = changes.position;
  const bool same_history = now.epoch == shared_.position.epoch;
  const bool went_on = same_history && now.revision >= shared_.position.revision;
  if (!went_on) deleted_.clear();
  if (!same_history) {
    // Revisions of another history mean nothing in this one.
    for (const auto& [name, revision] : shared_.revisions) unsaved_.insert(name);
    shared_.revisions.clear();
  }
  skipped_.clear();  // what is still true of it is said again
  std::map<ServiceName, const Record*> there;
  for (const Record& record : changes.upserts) there[record.service] = &record;
  const std::set<ServiceName> unreadable(changes.unreadable.begin(), changes.unreadable.end());
  std::vector<ServiceName> names;
  for (const auto& [name, record] : records_) {
    if (!unreadable.contains(name)) names.push_back(name);
  }
  std::size_t lost = 0;
  for (const ServiceName& name : names) {
    const auto known = shared_.revisions.find(name);
    const bool is_known = known != shared_.revisions.end();
    if (const auto present = there.find(name); present != there.end()) {
      const Record& theirs = *present->second;
      if (!same_history) {
        // A new history that was begun on an old state, or by a replica that knew less.
        if (IsOurs(name) || records_.at(name).updated_unix_ms <= theirs.updated_unix_ms) continue;
        shared_.revisions[name] = theirs.revision;
        ShareAgain(name, records_.at(name));
        ++lost;
        continue;
      }
      if (went_on || !is_known || known->second <= theirs.revision) continue;
      // A history that was turned back holds an older one than we have seen.
      known->second = theirs.revision;
      if (!IsOurs(name)) ShareAgain(name, records_.at(name));
      continue;
    }
    // Revision 0 and one that is known: emptied before anybody had seen our write there.
    const bool deleted_there =
        !changes.remembers_deletions || changes.deleted_unix_ms.contains(name);
    if (went_on && is_known && now.revision > 0 && deleted_there) {
      TakeDelete(name, now.revision, changed);
      continue;
    }
    if (is_known) shared_.revisions.erase(known);
    if (IsOurs(name)) continue;
    const auto deleted = changes.deleted_unix_ms.find(name);
    if (deleted != changes.deleted_unix_ms.end() &&
        deleted->second >= records_.at(name).updated_unix_ms) {
      // Whoever deleted it met a store that had lost it.
      TakeDelete(name, now.revision, changed);
      continue;
    }
    ShareAgain(name, records_.at(name));
    ++lost;
  }
  if (lost > 0) {
    LogEvent(LogLevel::kWarning, "SHARED_REFILLED",
             "records that the shared store does not have are written to it",
             {{"records", std::to_string(lost)}});
  }
}

std::set<ServiceName> StoreKeeper::Take(const Changes& changes) {
  std::set<ServiceName> changed;
  for (const auto& [name, when] : changes.deleted_unix_ms) Saw(when);
  TakeSkipped(changed);
  if (changes.complete) TakeComplete(changes, changed);
  for (const Record& record : changes.upserts)
    TakeUpsert(record, changes.position.revision, changed);
  for (const ServiceName& name : changes.deletes) {
    TakeDelete(name, changes.position.revision, changed);
  }
  if (shared_.position != changes.position) {
    shared_.position = changes.position;
    position_unsaved_ = true;
  }
  std::erase_if(deleted_,
                [&](const auto& entry) { return entry.second <= changes.position.revision; });
  (void)SaveShared();
  return changed;
}

ShareRequest StoreKeeper::RequestFor(const ServiceName& name) const {
  ShareRequest request;
  request.name = name;
  const auto record = records_.find(name);
  if (record != records_.end()) request.record = record->second;
  const auto revision = shared_.revisions.find(name);
  if (revision != shared_.revisions.end()) request.expected = revision->second;
  // That a record is not there says nothing: the store may have lost it. Only news tell.
  const auto skipped = skipped_.find(name);
  request.deletion_seen = request.expected != 0 && skipped != skipped_.end() &&
                          !skipped->second.record && skipped->second.revision >= request.expected;
  request.waiting = shared_.waiting.at(name);
  request.epoch = shared_.position.epoch;
  return request;
}

bool StoreKeeper::Settle(const ShareDone& done) {
  const ServiceName& name = done.name;
  const Settlement& settlement = *done.outcome;
  const auto waits = shared_.waiting.find(name);
  const bool latest = waits != shared_.waiting.end() && waits->second == done.waiting;
  // Settled in a history that has ended, perhaps: asked again in this one, which costs a question.
  if (done.epoch != shared_.position.epoch) {
    shared_.revisions.erase(name);
    return false;
  }
  // Where theirs beat an earlier change of ours, the newer one has yet to meet it: written against
  // what was known before, it does; written against theirs it would replace it, later or not.
  const bool newer_waits = !latest || queue_.contains(name);
  const bool unmet = settlement.theirs_won && newer_waits;
  if (settlement.exists && !unmet) {
    shared_.revisions[name] = settlement.revision;
  } else if (!unmet) {
    shared_.revisions.erase(name);
    if (settlement.revision > 0) deleted_[name] = settlement.revision;
  }
  unsaved_.insert(name);
  std::set<ServiceName> changed;
  if (latest) {
    shared_.waiting.erase(waits);
    if (settlement.theirs_won && !newer_waits) {
      changed.insert(name);
      if (settlement.record) {
        records_.insert_or_assign(name, *settlement.record);
      } else {
        records_.erase(name);
      }
    }
  }
  TakeSkipped(changed);
  (void)SaveShared();
  return !changed.empty();
}

bool StoreKeeper::SaveShared() {
  if (unsaved_.empty() && !position_unsaved_) return true;
  ports::SharedDelta delta;
  for (const ServiceName& name : unsaved_) {
    const auto revision = shared_.revisions.find(name);
    delta.revisions[name] = revision == shared_.revisions.end() ? 0 : revision->second;
    const auto waiting = shared_.waiting.find(name);
    if (waiting == shared_.waiting.end()) {
      delta.settled.push_back(name);
    } else {
      delta.waiting[name] = waiting->second;
    }
    // A change of ours that is not stored yet is stored by Flush, so that it waits from then on.
    if (IsOurs(name)) continue;
    const auto record = records_.find(name);
    if (record != records_.end()) {
      delta.upserts.push_back(record->second);
    } else {
      delta.deletes.push_back(name);
    }
  }
  if (position_unsaved_) delta.position = shared_.position;
  delta.latest_unix_ms = latest_unix_ms_;
  const Result<std::uint64_t> saved = store_.SaveShared(delta);
  if (!saved) {
    if (saved.error().code == Code::kCorrupt) (void)TakeNewFile();
    // Last, so that there is a date for the next attempt even though the new file could be read.
    Note(&saved.error());
    return false;
  }
  revision_ = std::max(revision_, *saved);
  for (const Record& record : delta.upserts) {
    records_.at(record.service).revision = *saved;
    stored_[record.service] = *saved;
  }
  for (const ServiceName& name : delta.deletes) stored_.erase(name);
  unsaved_.clear();
  position_unsaved_ = false;
  if (queue_.empty()) Note(nullptr);
  return true;
}

}  // namespace swarmgate::engine
