#include "support/fake_shared_store.h"

#include <set>

namespace swarmgate::testing {

using model::Record;
using model::ServiceName;
using ports::Changes;
using ports::SharedPosition;

Status FakeSharedStore::Enter() const {
  if (cancelled_) return Fail(Code::kCancelled, "cancelled");
  if (down_) return Fail(*down_, "the fake shared store is down");
  return Ok();
}

std::uint64_t FakeSharedStore::Note(const ServiceName& service) {
  history_.push_back(service);
  changed_.NotifyAll();
  return first_ + history_.size();
}

void FakeSharedStore::SetDown(std::optional<Code> code) {
  MutexLock lock(mutex_);
  down_ = code;
  changed_.NotifyAll();
}

void FakeSharedStore::Lose() {
  MutexLock lock(mutex_);
  records_.clear();
  deleted_.clear();
  history_.clear();
  ++epoch_;
  changed_.NotifyAll();
}

void FakeSharedStore::RememberDeletions() {
  MutexLock lock(mutex_);
  remembers_ = true;
}

void FakeSharedStore::LoseRecord(const ServiceName& service) {
  MutexLock lock(mutex_);
  records_.erase(service);
}

void FakeSharedStore::PutAsOther(Record record) {
  MutexLock lock(mutex_);
  record.revision = Note(record.service);
  deleted_.erase(record.service);
  records_.insert_or_assign(record.service, std::move(record));
}

void FakeSharedStore::DeleteAsOther(const ServiceName& service, std::int64_t made_unix_ms) {
  MutexLock lock(mutex_);
  records_.erase(service);
  Remember(service, made_unix_ms);
  (void)Note(service);
}

void FakeSharedStore::Remember(const ServiceName& service, std::int64_t made_unix_ms) {
  if (made_unix_ms > 0) deleted_[service] = made_unix_ms;
}

std::int64_t FakeSharedStore::DeletedAt(const ServiceName& service) const {
  const auto found = deleted_.find(service);
  return found == deleted_.end() ? 0 : found->second;
}

std::map<ServiceName, Record> FakeSharedStore::records() const {
  MutexLock lock(mutex_);
  return records_;
}

SharedPosition FakeSharedStore::position() const {
  MutexLock lock(mutex_);
  return {"epoch " + std::to_string(epoch_), first_ + history_.size()};
}

Changes FakeSharedStore::DoSince(const SharedPosition& after) {
  Changes changes;
  changes.position = {"epoch " + std::to_string(epoch_), first_ + history_.size()};
  if (after.epoch != changes.position.epoch || after.revision > changes.position.revision) {
    changes.complete = true;
    changes.remembers_deletions = remembers_;
    for (const auto& [name, record] : records_) changes.upserts.push_back(record);
    changes.deleted_unix_ms = deleted_;
    return changes;
  }
  const auto begin = history_.begin() + static_cast<std::ptrdiff_t>(after.revision - first_);
  for (const ServiceName& name : std::set<ServiceName>(begin, history_.end())) {
    auto held = records_.find(name);
    if (held == records_.end()) {
      changes.deletes.push_back(name);
      if (DeletedAt(name) > 0) changes.deleted_unix_ms[name] = DeletedAt(name);
    } else {
      changes.upserts.push_back(held->second);
    }
  }
  return changes;
}

Changes FakeSharedStore::Since(const SharedPosition& after) {
  MutexLock lock(mutex_);
  return DoSince(after);
}

Result<ports::StoredRecords> FakeSharedStore::Load() {
  MutexLock lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  ports::StoredRecords stored;
  stored.revision = first_ + history_.size();
  for (const auto& [name, record] : records_) stored.records.push_back(record);
  return stored;
}

Result<std::uint64_t> FakeSharedStore::Put(const Record& record, std::uint64_t expected) {
  MutexLock lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  auto held = records_.find(record.service);
  const std::uint64_t revision = held == records_.end() ? 0 : held->second.revision;
  if (revision != expected) return Fail(Code::kConflict, "another revision is stored");
  if (DeletedAt(record.service) > record.updated_unix_ms) {
    return Fail(Code::kConflict, "it was deleted later");
  }
  Record stored = record;
  stored.revision = Note(record.service);
  deleted_.erase(record.service);
  records_.insert_or_assign(record.service, stored);
  return stored.revision;
}

Result<std::uint64_t> FakeSharedStore::DeleteAt(const ServiceName& service, std::uint64_t expected,
                                                std::int64_t made_unix_ms) {
  MutexLock lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  auto held = records_.find(service);
  if (held == records_.end() && made_unix_ms <= DeletedAt(service)) {
    return Fail(Code::kNotFound, "no such record");
  }
  if (held != records_.end() && held->second.revision != expected) {
    return Fail(Code::kConflict, "another revision is stored");
  }
  Remember(service, made_unix_ms);
  if (held != records_.end()) records_.erase(held);
  return Note(service);
}

Result<ports::SharedRecord> FakeSharedStore::Get(const ServiceName& service) {
  MutexLock lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  auto held = records_.find(service);
  if (held == records_.end()) return ports::SharedRecord{std::nullopt, DeletedAt(service)};
  return ports::SharedRecord{held->second, 0};
}

Result<Changes> FakeSharedStore::Watch(const SharedPosition& after, Duration wait) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + wait;
  MutexLock lock(mutex_);
  for (;;) {
    Status entered = Enter();
    if (!entered) return Forward(entered.error());
    Changes changes = DoSince(after);
    if (changes.complete || changes.position != after) return changes;
    if (!changed_.WaitUntil(mutex_, deadline)) return changes;
  }
}

Result<std::vector<ports::Replica>> FakeSharedStore::Announce(const ports::Replica& self) {
  MutexLock lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  replicas_[self.id] = self;
  std::vector<ports::Replica> replicas;
  for (const auto& [id, replica] : replicas_) replicas.push_back(replica);
  return replicas;
}

void FakeSharedStore::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  changed_.NotifyAll();
}

}  // namespace swarmgate::testing
