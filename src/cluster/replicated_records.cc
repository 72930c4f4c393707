#include "cluster/replicated_records.h"

#include <algorithm>

#include "swarmgate/base/strings.h"
#include "swarmgate/codec/record_json.h"

namespace swarmgate::cluster {
namespace {

using model::Record;
using model::ServiceName;
using model::SharedDocument;

/// A record without its place in a history, which is another one in each replica.
std::string Content(const SharedDocument& document) {
  if (!document.record) return {};
  Record record = *document.record;
  record.revision = 0;
  return codec::EncodeRecord(record);
}

std::uint64_t HashOf(const SharedDocument& document) {
  std::uint64_t hash = Hash64(document.name.str() + "\n" +
                              std::to_string(document.changed_unix_ms) + "\n" + Content(document));
  // Sums of them are compared: their bits must not depend on each other.
  hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 29U);
}

bool SameRecord(const Record& a, const Record& b) {
  Record copy = a;
  copy.revision = b.revision;
  return copy == b;
}

/// One removal is the withdrawal of a labelled service where its labels are known, and a deletion
/// where they are not yet.
int Rank(const SharedDocument& document) {
  if (!document.record) return 1;
  return document.record->kind == Record::Kind::kWithdrawn ? 2 : 0;
}

/// Does `a` stand against `b`? Every replica has to come to the same answer: at one time a
/// withdrawal stands, then a deletion, and of two records the one whose text is the greater.
bool IsLater(const SharedDocument& a, const SharedDocument& b) {
  if (a.changed_unix_ms != b.changed_unix_ms) return a.changed_unix_ms > b.changed_unix_ms;
  if (Rank(a) != Rank(b)) return Rank(a) > Rank(b);
  return Content(a) > Content(b);
}

}  // namespace

const ReplicatedRecords::Version* ReplicatedRecords::Find(const ServiceName& name) const {
  const auto found = versions_.find(name);
  return found == versions_.end() ? nullptr : &found->second;
}

void ReplicatedRecords::Index(const Version& version) {
  const SharedDocument& document = version.document;
  latest_unix_ms_ = std::max(latest_unix_ms_, document.changed_unix_ms);
  digest_ += version.hash;
  by_sequence_[document.sequence] = document.name;
  if (!document.record) deletions_.emplace(document.changed_unix_ms, document.name);
}

void ReplicatedRecords::Unindex(const Version& version) {
  const SharedDocument& document = version.document;
  digest_ -= version.hash;
  by_sequence_.erase(document.sequence);
  if (!document.record) deletions_.erase({document.changed_unix_ms, document.name});
}

void ReplicatedRecords::Restore(ports::PeerLogState state) {
  *this = ReplicatedRecords();
  epoch_ = std::move(state.epoch);
  revision_ = state.revision;
  for (SharedDocument& document : state.documents) {
    revision_ = std::max(revision_, document.sequence);
    const ServiceName name = document.name;
    Version version{std::move(document), 0};
    version.hash = HashOf(version.document);
    Index(version);
    versions_.emplace(name, std::move(version));
  }
}

std::uint64_t ReplicatedRecords::Store(SharedDocument document) {
  Drop(document.name);
  document.sequence = ++revision_;
  if (document.record) document.record->revision = revision_;
  const ServiceName name = document.name;
  Version version{std::move(document), 0};
  version.hash = HashOf(version.document);
  Index(version);
  versions_.insert_or_assign(name, std::move(version));
  unsaved_.insert(name);
  return revision_;
}

void ReplicatedRecords::Drop(const ServiceName& name) {
  const auto held = versions_.find(name);
  if (held == versions_.end()) return;
  Unindex(held->second);
  versions_.erase(held);
  unsaved_.insert(name);
}

Result<std::uint64_t> ReplicatedRecords::Put(const Record& record, std::uint64_t expected) {
  const Version* held = Find(record.service);
  const bool there = held != nullptr && held->document.record;
  const std::uint64_t revision = there ? held->document.sequence : 0;
  if (revision != expected) {
    return Fail(Code::kConflict,
                "the record has revision " + std::to_string(revision) + ", expected was " +
                    std::to_string(expected),
                record.service.str());
  }
  if (held != nullptr && !there && held->document.changed_unix_ms > record.updated_unix_ms) {
    return Fail(Code::kConflict, "the record was deleted later than it was made",
                record.service.str());
  }
  if (there && SameRecord(record, *held->document.record)) return revision;
  SharedDocument document{record.service, record, record.updated_unix_ms, 0};
  // Whoever changes what he knows makes the later version, whatever clocks say.
  if (held != nullptr) {
    document.changed_unix_ms =
        std::max(document.changed_unix_ms, held->document.changed_unix_ms + 1);
  }
  return Store(std::move(document));
}

Result<std::uint64_t> ReplicatedRecords::Delete(const ServiceName& name, std::uint64_t expected,
                                                std::int64_t made_unix_ms) {
  const Version* held = Find(name);
  SharedDocument document{name, std::nullopt, made_unix_ms, 0};
  if (held != nullptr && held->document.record) {
    if (held->document.sequence != expected) {
      return Fail(Code::kConflict,
                  "the record has revision " + std::to_string(held->document.sequence) +
                      ", expected was " + std::to_string(expected),
                  name.str());
    }
    document.changed_unix_ms = std::max(made_unix_ms, held->document.changed_unix_ms + 1);
  } else if (made_unix_ms == 0 ||
             (held != nullptr && held->document.changed_unix_ms >= made_unix_ms)) {
    return Fail(Code::kNotFound, "no such record", name.str());
  }
  return Store(std::move(document));
}

ports::SharedRecord ReplicatedRecords::Get(const ServiceName& name) const {
  const Version* held = Find(name);
  if (held == nullptr) return {};
  if (held->document.record) return {held->document.record, 0};
  return {std::nullopt, held->document.changed_unix_ms};
}

ports::StoredRecords ReplicatedRecords::All() const {
  ports::StoredRecords stored;
  stored.revision = revision_;
  for (const auto& [name, version] : versions_) {
    if (version.document.record) stored.records.push_back(*version.document.record);
  }
  return stored;
}

ports::Changes ReplicatedRecords::Since(const ports::SharedPosition& after) const {
  ports::Changes changes;
  changes.position = position();
  changes.complete = after.epoch != epoch_ || after.revision > revision_;
  changes.remembers_deletions = true;
  const auto take = [&](const Version& version) {
    const SharedDocument& document = version.document;
    if (document.record) {
      changes.upserts.push_back(*document.record);
      return;
    }
    if (!changes.complete) changes.deletes.push_back(document.name);
    changes.deleted_unix_ms[document.name] = document.changed_unix_ms;
  };
  if (changes.complete) {
    for (const auto& [name, version] : versions_) take(version);
    return changes;
  }
  for (auto at = by_sequence_.upper_bound(after.revision); at != by_sequence_.end(); ++at) {
    take(versions_.at(at->second));
  }
  std::sort(changes.upserts.begin(), changes.upserts.end(),
            [](const Record& a, const Record& b) { return a.service < b.service; });
  std::sort(changes.deletes.begin(), changes.deletes.end());
  return changes;
}

std::size_t ReplicatedRecords::Merge(std::vector<SharedDocument> documents, std::uint64_t revision,
                                     std::int64_t now_unix_ms) {
  std::size_t taken = 0;
  for (const SharedDocument& document : documents) {
    latest_unix_ms_ = std::max(latest_unix_ms_, document.changed_unix_ms);
  }
  const std::int64_t oldest = OldestKept(now_unix_ms);
  for (SharedDocument& document : documents) {
    if (!document.record && document.changed_unix_ms < oldest) continue;
    const Version* held = Find(document.name);
    if (held != nullptr && !IsLater(document, held->document)) continue;
    Store(std::move(document));
    ++taken;
  }
  if (revision > revision_) {
    revision_ = revision;
    revision_unsaved_ = true;
  }
  return taken;
}

std::vector<SharedDocument> ReplicatedRecords::After(std::uint64_t revision) const {
  std::vector<SharedDocument> documents;
  for (auto at = by_sequence_.upper_bound(revision); at != by_sequence_.end(); ++at) {
    documents.push_back(versions_.at(at->second).document);
  }
  return documents;
}

// A clock that is days ahead of everybody's forgets nothing that the others still know.
std::int64_t ReplicatedRecords::OldestKept(std::int64_t now_unix_ms) const {
  return std::min(now_unix_ms, latest_unix_ms_) - kKeepDeletions.count();
}

void ReplicatedRecords::Forget(std::int64_t now_unix_ms) {
  const std::int64_t oldest = OldestKept(now_unix_ms);
  while (!deletions_.empty() &&
         (deletions_.size() > kMostDeletions || deletions_.begin()->first < oldest)) {
    Drop(ServiceName(deletions_.begin()->second));
  }
}

std::string ReplicatedRecords::digest() const {
  return std::to_string(versions_.size()) + "-" + std::to_string(digest_);
}

std::optional<ports::PeerLogDelta> ReplicatedRecords::Unsaved() const {
  if (unsaved_.empty() && !revision_unsaved_) return std::nullopt;
  ports::PeerLogDelta delta;
  delta.revision = revision_;
  for (const ServiceName& name : unsaved_) {
    if (const Version* held = Find(name); held != nullptr) {
      delta.upserts.push_back(held->document);
    } else {
      delta.forgotten.push_back(name);
    }
  }
  return delta;
}

void ReplicatedRecords::Saved() {
  unsaved_.clear();
  revision_unsaved_ = false;
}

}  // namespace swarmgate::cluster
