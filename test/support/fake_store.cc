#include "support/fake_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace swarmgate::testing {

using model::ServiceFacts;

void FakeStore::FailNext(Code code, int calls) {
  failures_.insert(failures_.end(), static_cast<std::size_t>(calls), code);
}

Status FakeStore::Enter() {
  if (frozen_ && frozen_()) return Fail(Code::kUnavailable, "frozen");
  if (fails_always_) return Fail(Code::kUnavailable, "the disk is full");
  if (failures_.empty()) return Ok();
  const Code code = failures_.front();
  failures_.erase(failures_.begin());
  if (code == Code::kCorrupt) {
    records_.clear();
    applied_.reset();
    shared_ = {};
    revision_ = 0;
  }
  return Fail(code, "the fake store was told to fail");
}

Result<ports::StoredRecords> FakeStore::Load() {
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  ports::StoredRecords stored;
  stored.revision = revision_;
  for (const auto& [name, record] : records_) stored.records.push_back(record);
  return stored;
}

Result<std::uint64_t> FakeStore::Put(const model::Record& record, std::uint64_t expected) {
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  auto held = records_.find(record.service);
  const std::uint64_t revision = held == records_.end() ? 0 : held->second.revision;
  if (revision != expected) return Fail(Code::kConflict, "another revision is stored");
  model::Record stored = record;
  stored.revision = ++revision_;
  records_.insert_or_assign(record.service, std::move(stored));
  if (Waits()) shared_.waiting[record.service] = {revision_, record.updated_unix_ms};
  return revision_;
}

Result<std::uint64_t> FakeStore::Delete(const model::ServiceName& service, std::uint64_t expected) {
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  auto held = records_.find(service);
  if (held == records_.end()) return Fail(Code::kNotFound, "no such record");
  if (held->second.revision != expected) {
    return Fail(Code::kConflict, "another revision is stored");
  }
  records_.erase(held);
  ++revision_;
  if (Waits()) shared_.waiting[service] = {revision_, 0};
  return revision_;
}

Result<std::uint64_t> FakeStore::SaveShared(const ports::SharedDelta& delta) {
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  ++revision_;
  for (const model::Record& record : delta.upserts) {
    model::Record stored = record;
    stored.revision = revision_;
    records_.insert_or_assign(record.service, std::move(stored));
  }
  for (const model::ServiceName& service : delta.deletes) records_.erase(service);
  for (const auto& [service, revision] : delta.revisions) {
    if (revision == 0) {
      shared_.revisions.erase(service);
    } else {
      shared_.revisions[service] = revision;
    }
  }
  for (const model::ServiceName& service : delta.settled) shared_.waiting.erase(service);
  for (const auto& [service, waiting] : delta.waiting) shared_.waiting[service] = waiting;
  if (delta.position) shared_.position = *delta.position;
  if (delta.latest_unix_ms > 0) shared_.latest_unix_ms = delta.latest_unix_ms;
  return revision_;
}

Result<ports::SharedState> FakeStore::LoadShared() {
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  return shared_;
}

Status FakeStore::SaveApplied(const ports::AppliedDelta& delta) {
  Status entered = Enter();
  if (!entered) return entered;
  ++saves_;
  if (!applied_) applied_.emplace();
  std::vector<ServiceFacts>& services = applied_->facts.services;
  if (delta.host) {
    std::vector<ServiceFacts> kept = std::move(services);
    applied_->facts = *delta.host;
    services = std::move(kept);
  }
  for (const ServiceFacts& service : delta.upserts) {
    std::erase_if(services, [&](const ServiceFacts& held) { return held.id == service.id; });
    services.push_back(service);
  }
  for (const std::string& id : delta.removals) {
    std::erase_if(services, [&](const ServiceFacts& held) { return held.id == id; });
  }
  std::sort(services.begin(), services.end(), [](const ServiceFacts& a, const ServiceFacts& b) {
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  });
  for (const model::BackendName& backend : delta.slots_removed) {
    applied_->slots.assigned.erase(backend);
  }
  for (const auto& [backend, slot] : delta.slots_set) {
    applied_->slots.assigned.insert_or_assign(backend, slot);
  }
  if (delta.declared) applied_->slots.declared = *delta.declared;
  if (delta.names) applied_->names = *delta.names;
  if (delta.structure) {
    std::tie(applied_->structure, applied_->proxy_pid) = *delta.structure;
  }
  if (delta.revision) applied_->revision = *delta.revision;
  return Ok();
}

Result<std::optional<ports::AppliedState>> FakeStore::LoadApplied() {
  Status entered = Enter();
  if (!entered) return Forward(entered.error());
  return applied_;
}

}  // namespace swarmgate::testing
