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
  history_.clear();
  ++epoch_;
  changed_.NotifyAll();
}

void FakeSharedStore::PutAsOther(Record record) {
  MutexLock lock(mutex_);
  record.revision = Note(record.service);
  records_.insert_or_assign(record.service, std::move(record));
}

void FakeSharedStore::DeleteAsOther(const ServiceName& service) {
  MutexLock lock(mutex_);
  records_.erase(service);
  (void)Note(service);
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
    for (const auto& [name, record] : records_) changes.upserts.push_back(record);
    return changes;
  }
  const auto begin = history_.begin() + static_cast<std::ptrdiff_t>(after.revision - first_);
  for (const ServiceName& name : std::set<ServiceName>(begin, history_.end())) {
    auto held = records_.find(name);
    if (held == records_.end()) {
      changes.deletes.push_back(name);
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
  Record stored = record;
  stored.revision = Note(record.service);
  records_.insert_or_assign(record.service, stored);
  return stored.revision;
}

Result<std::uint64_t> FakeSharedStore::Delete(const ServiceName& service, std::uint64_t expected) {
  MutexLock lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  auto held = records_.find(service);
  if (held == records_.end()) return Fail(Code::kNotFound, "no such record");
  if (held->second.revision != expected) {
    return Fail(Code::kConflict, "another revision is stored");
  }
  records_.erase(held);
  return Note(service);
}

Result<std::optional<Record>> FakeSharedStore::Get(const ServiceName& service) {
  MutexLock lock(mutex_);
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  auto held = records_.find(service);
  if (held == records_.end()) return std::optional<Record>();
  return std::optional(held->second);
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
