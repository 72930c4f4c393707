#include "consul/documents.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "swarmgate/base/strings.h"
#include "swarmgate/base/system.h"

namespace swarmgate::consul {
namespace {

using codec::ConsulWrite;
using codec::Journal;
using model::Record;
using model::ServiceName;

// Of several that write without a pause one wins each round; in some two seconds everybody does.
constexpr int kAttempts = 40;
constexpr int kLongestPauseMs = 64;

/// The others that write should not all come back at once.
void Pause(int attempt) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const int most = std::min(1 << std::min(attempt, 6), kLongestPauseMs);
  std::this_thread::sleep_for(
      std::chrono::milliseconds(std::uniform_int_distribution<int>(0, most)(random)));
}

}  // namespace

Document Documents::Decode(const ServiceName& name, const codec::ConsulEntry& entry) const {
  Document document{name, codec::DecodeRecord(entry.value), entry.modify_index};
  if (document.record && document.record->service != name) {
    document.record = Fail(Code::kCorrupt, "the document is about another service: " +
                                               Printable(document.record->service.str(), 100));
  }
  return document;
}

Result<AllDocuments> Documents::ReadAll() {
  const auto listing = servers_.Read(keys_.services, true);
  if (!listing) return Forward(listing.error());
  AllDocuments all;
  for (const codec::ConsulEntry& entry : listing->entries) {
    all.index = std::max(all.index, entry.modify_index);
    const std::optional<std::string> name = keys_.NameOf(entry.key);
    if (!name) {
      all.foreign.push_back(entry.key);
      continue;
    }
    all.documents.push_back(Decode(ServiceName(*name), entry));
    const Document& document = all.documents.back();
    if (document.record) {
      all.newest_revision = std::max(all.newest_revision, document.record->revision);
    }
  }
  std::sort(all.documents.begin(), all.documents.end(),
            [](const Document& a, const Document& b) { return a.name < b.name; });
  return all;
}

Result<std::optional<Document>> Documents::Read(const ServiceName& name) {
  const auto listing = servers_.Read(keys_.Service(name.str()), false);
  if (!listing) return Forward(listing.error());
  if (listing->entries.empty()) return std::optional<Document>();
  return std::optional(Decode(name, listing->entries.front()));
}

Result<JournalState> Documents::ReadJournal(std::uint64_t index, Duration wait) {
  const auto listing = servers_.Read(keys_.journal, false, index, wait);
  if (!listing) return Forward(listing.error());
  JournalState state;
  state.index = listing->index;
  if (listing->entries.empty()) return state;
  state.entry = listing->entries.front().modify_index;
  Result<Journal> journal = codec::DecodeJournal(listing->entries.front().value);
  if (journal) {
    state.journal = std::move(*journal);
  } else if (journal.error().code == Code::kRejected) {
    return Forward(journal.error(), keys_.journal);
  }
  return state;
}

// No revision is ever given twice: a journal that was lost begins behind all that is there.
Result<Journal> Documents::NewJournal() {
  const auto all = ReadAll();
  if (!all) return Forward(all.error());
  Journal journal;
  journal.epoch = MakeUniqueName();
  journal.revision = all->newest_revision;
  return journal;
}

Result<std::optional<std::uint64_t>> Documents::TryWrite(const ServiceName& name,
                                                         const std::optional<Record>& record,
                                                         std::uint64_t expected,
                                                         std::int64_t made_unix_ms) {
  // The journal first: only what has not changed since it was read is written with it.
  auto state = ReadJournal();
  if (!state) return Forward(state.error());
  const auto held = Read(name);
  if (!held) return Forward(held.error());
  // What nobody can read is nobody's: whoever defines the service again puts it right.
  const bool damaged = *held && !(*held)->record && (*held)->record.error().code == Code::kCorrupt;
  if (*held && !(*held)->record && !damaged) {
    return Fail(Code::kConflict,
                "a document that this version cannot read is there, and is kept: " +
                    (*held)->record.error().message,
                name.str());
  }
  const std::uint64_t revision = damaged ? expected : *held ? (*held)->record->revision : 0;
  if (!record && !*held && made_unix_ms == 0) {
    return Fail(Code::kNotFound, "no such record", name.str());
  }
  if (revision != expected && (record || *held)) {
    return Fail(Code::kConflict,
                "the record has revision " + std::to_string(revision) + ", expected was " +
                    std::to_string(expected),
                name.str());
  }
  Journal journal = std::move(state->journal);
  if (journal.epoch.empty()) {
    auto fresh = NewJournal();
    if (!fresh) return Forward(fresh.error());
    journal = std::move(*fresh);
  }
  if (!*held) {
    const auto deleted = journal.deletions_unix_ms.find(name.str());
    const std::int64_t when = deleted == journal.deletions_unix_ms.end() ? 0 : deleted->second;
    if (record && when > record->updated_unix_ms) {
      return Fail(Code::kConflict, "the record was deleted later than it was made", name.str());
    }
    if (!record && when >= made_unix_ms) {
      return Fail(Code::kNotFound, "no such record", name.str());
    }
  }
  journal.Append({name.str(), !record}, made_unix_ms);
  ConsulWrite document{keys_.Service(name.str()), {}, *held ? (*held)->index : 0, !record};
  if (record) {
    Record stored = *record;
    stored.revision = journal.revision;
    document.value = codec::EncodeRecord(stored);
  }
  std::vector<ConsulWrite> writes;
  if (record || *held) writes.push_back(std::move(document));
  writes.push_back({keys_.journal, codec::EncodeJournal(journal), state->entry});
  const auto response = servers_.Put("/v1/txn", codec::EncodeConsulWrites(writes));
  if (!response) return Forward(response.error());
  if (response->status == 200) return std::optional(journal.revision);
  if (response->status == 409) {
    const auto refused = codec::DecodeConsulRefusals(response->body);
    if (!refused) return Forward(refused.error());
    return std::optional<std::uint64_t>();
  }
  return Fail(Code::kRejected,
              "Consul answers " + std::to_string(response->status) + ": " +
                  Printable(Trim(response->body), 200),
              name.str());
}

Result<std::uint64_t> Documents::Write(const ServiceName& name, const std::optional<Record>& record,
                                       std::uint64_t expected, std::int64_t made_unix_ms) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) Pause(attempt);
    // A lost race for the document itself shows when it is read again: kConflict.
    const auto written = TryWrite(name, record, expected, made_unix_ms);
    if (!written) return Forward(written.error());
    if (*written) return **written;
  }
  return Fail(Code::kUnavailable, "too many others write at the same time", name.str());
}

}  // namespace swarmgate::consul
