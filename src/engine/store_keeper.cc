#include "engine/store_keeper.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "swarmgate/base/log.h"

namespace swarmgate::engine {

using model::Record;
using model::ServiceName;

void StoreKeeper::Note(const Error* error) {
  if (error == nullptr) {
    if (!ok_) LogEvent(LogLevel::kInfo, "STORE_BACK", "the store takes writes again");
    ok_ = true;
    backoff_.Reset();
    retry_at_.reset();
    // That something else could be saved neither saves these nor reads what was not read yet.
    if (!loaded_ || !unsaved_.empty() || position_unsaved_) {
      retry_at_ = clock_.Now() + backoff_.Next();
    }
    return;
  }
  if (ok_) {
    LogEvent(LogLevel::kError, "STORE_FAILED",
             "the store cannot be used now; changes are kept in memory and stored later",
             {{"error", error->ToString()}});
  }
  ok_ = false;
  error_ = *error;
  retry_at_ = clock_.Now() + backoff_.Next();
}

bool StoreKeeper::Load() {
  if (shares_ && !loaded_) {
    Result<ports::SharedState> shared = store_.LoadShared();
    if (!shared && shared.error().code == Code::kCorrupt) shared = store_.LoadShared();
    if (!shared) {
      Note(&shared.error());
      return false;
    }
    shared_ = std::move(*shared);
  }
  Result<ports::StoredRecords> stored = store_.Load();
  // The damaged file has been set aside; the new one is empty, and read for its revision.
  if (!stored && stored.error().code == Code::kCorrupt) {
    // A change that waits, without its record, would be taken for a deletion.
    if (!loaded_) shared_ = {};
    stored = store_.Load();
  }
  if (!stored) {
    Note(&stored.error());
    return false;
  }
  for (const auto& [name, waiting] : shared_.waiting) Saw(waiting.since_unix_ms);
  Saw(shared_.latest_unix_ms);
  revision_ = stored->revision;
  stored_.clear();
  for (Record& record : stored->records) {
    Saw(record.updated_unix_ms);
    stored_[record.service] = record.revision;
    // What was asked for since is newer than what is stored.
    if (queue_.contains(record.service) || unsaved_.contains(record.service)) continue;
    const ServiceName name = record.service;
    records_.insert_or_assign(name, std::move(record));
  }
  if (loaded_) {
    // Read again: what the store has lost it gets back.
    for (const auto& [name, record] : records_) {
      if (!stored_.contains(name)) queue_.emplace(name, record.updated_unix_ms);
    }
    for (const auto& [name, revision] : shared_.revisions) unsaved_.insert(name);
    for (const auto& [name, waiting] : shared_.waiting) unsaved_.insert(name);
    position_unsaved_ = shares_;
  }
  loaded_ = true;
  reload_ = false;
  Note(nullptr);
  return true;
}

bool StoreKeeper::TakeNewFile() {
  lost_ = reload_ = true;
  return Load();
}

std::optional<ports::AppliedState> StoreKeeper::LoadApplied() {
  Result<std::optional<ports::AppliedState>> state = store_.LoadApplied();
  if (state) return std::move(*state);
  LogEvent(LogLevel::kWarning, "STORE_APPLIED_LOST",
           "what was served last is not known; it is built from Docker and the records",
           {{"error", state.error().ToString()}});
  // With the applied state the whole file may have been set aside.
  if (state.error().code == Code::kCorrupt) (void)Load();
  return std::nullopt;
}

std::optional<Record> StoreKeeper::Set(const ServiceName& name, std::optional<Record> record) {
  std::optional<Record> previous;
  auto held = records_.find(name);
  if (held != records_.end()) previous = held->second;
  if (record) {
    records_.insert_or_assign(name, std::move(*record));
  } else if (held != records_.end()) {
    records_.erase(name);
  }
  return previous;
}

void StoreKeeper::Persist(const ServiceName& name, std::int64_t made_unix_ms) {
  const auto record = records_.find(name);
  const std::int64_t made =
      record == records_.end() ? made_unix_ms : record->second.updated_unix_ms;
  Saw(made);
  queue_[name] = made;
}

std::int64_t StoreKeeper::DeletedAt(const ServiceName& name) const {
  if (records_.contains(name)) return 0;
  if (const auto queued = queue_.find(name); queued != queue_.end()) return queued->second;
  const auto waiting = shared_.waiting.find(name);
  return waiting == shared_.waiting.end() ? 0 : waiting->second.since_unix_ms;
}

Result<std::uint64_t> StoreKeeper::Write(const ServiceName& name) {
  auto stored = stored_.find(name);
  const std::uint64_t expected = stored == stored_.end() ? 0 : stored->second;
  auto record = records_.find(name);
  if (record != records_.end()) return store_.Put(record->second, expected);
  if (expected == 0) return revision_;
  Result<std::uint64_t> deleted = store_.Delete(name, expected);
  if (!deleted && deleted.error().code == Code::kNotFound) return revision_;
  return deleted;
}

bool StoreKeeper::Store(const ServiceName& name) {
  Result<std::uint64_t> written = Write(name);
  if (!written &&
      (written.error().code == Code::kConflict || written.error().code == Code::kCorrupt)) {
    // The store holds something else than we think (a write whose answer was lost, a new file).
    if (!(written.error().code == Code::kCorrupt ? TakeNewFile() : Load())) return false;
    written = Write(name);
  }
  if (!written) {
    Note(&written.error());
    return false;
  }
  if (shares_ && *written > revision_) {
    shared_.waiting[name] = {*written, queue_.at(name)};
    // The store gives a deletion the time of its writing; it keeps that of the change.
    if (!records_.contains(name)) unsaved_.insert(name);
  } else if (shares_ && !records_.contains(name) &&
             (queue_.at(name) > 0 || shared_.revisions.contains(name))) {
    // What our disk never had is no write there, yet others may have it.
    shared_.waiting[name] = {revision_, queue_.at(name)};
    unsaved_.insert(name);
  }
  revision_ = std::max(revision_, *written);
  if (records_.contains(name)) {
    records_.at(name).revision = *written;
    stored_[name] = *written;
  } else {
    stored_.erase(name);
  }
  return true;
}

bool StoreKeeper::Flush() {
  const bool first = !loaded_;
  if ((first || reload_) && !Load()) return false;
  if (!SaveShared()) return first;
  while (!queue_.empty()) {
    const ServiceName name = queue_.begin()->first;
    if (!Store(name)) return first;
    queue_.erase(name);
    Note(nullptr);
  }
  if (!SaveShared()) return first;
  if (retry_at_ && *retry_at_ <= clock_.Now()) retry_at_.reset();
  std::set<ServiceName> changed;
  TakeSkipped(changed);  // of a record that was made and unmade before it was stored
  return first || !changed.empty();
}

bool StoreKeeper::SaveApplied(const ports::AppliedDelta& delta) {
  Status saved = store_.SaveApplied(delta);
  if (saved) {
    // A record that waits keeps its date: that this was saved does not store it.
    if (queue_.empty()) Note(nullptr);
    return true;
  }
  if (saved.error().code == Code::kCorrupt) (void)TakeNewFile();
  // Last, so that there is a date for the next attempt even though the new file could be read.
  Note(&saved.error());
  return false;
}

}  // namespace swarmgate::engine
