#include "swarmgate/consul/store.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "consul/documents.h"
#include "consul/keys.h"
#include "consul/presence.h"
#include "consul/servers.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::consul {
namespace {

using model::Record;
using model::ServiceName;
using ports::Changes;
using ports::SharedPosition;
using ports::StoredRecords;

// What a position is called before the first write of all.
constexpr const char* kNoHistory = "none";
// A server whose index was begun anew would let us wait for what it reaches in years.
constexpr Duration kLongestBlock{30000};
constexpr Duration kWithdrawTimeout{500};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

/// The thread that watches: what it has seen, and what it has complained about.
class Watcher {
 public:
  Watcher(const ConsulOptions& options, const Keys& keys)
      : servers_(options),
        documents_(servers_, keys),
        keys_(keys),
        check_interval_(options.check_interval),
        full_interval_(options.full_interval),
        random_(std::random_device{}()) {}

  Result<Changes> Watch(const SharedPosition& after, Duration wait);
  Servers& servers() { return servers_; }

 private:
  [[nodiscard]] SteadyTime InAbout(Duration interval) {
    const auto least = interval.count() * 3 / 4;
    return Now() + Duration(std::uniform_int_distribution<std::int64_t>(
                       least, std::max(least, interval.count()))(random_));
  }
  static SharedPosition PositionOf(const JournalState& state) {
    if (state.journal.epoch.empty()) return {kNoHistory, 0};
    return {state.journal.epoch, state.journal.revision};
  }
  Result<Changes> Everything();
  Result<Changes> Named(const SharedPosition& after, const JournalState& state);
  Result<bool> TouchedByOthers();
  void TellOnce(const Document& document);
  void TellForeign(const std::vector<std::string>& keys);

  Servers servers_;
  Documents documents_;
  const Keys& keys_;
  Duration check_interval_;
  Duration full_interval_;
  std::minstd_rand random_;
  SharedPosition seen_;            ///< of the journal at seen_index_
  std::uint64_t seen_index_ = 0;   ///< 0: ask without blocking
  std::uint64_t switches_ = 0;     ///< of the servers, when seen_index_ was had
  std::uint64_t entry_index_ = 0;  ///< of the last write that we know of
  SteadyTime check_at_;
  SteadyTime full_at_;
  std::set<std::string> told_;
};

void Watcher::TellOnce(const Document& document) {
  const Error& error = document.record.error();
  if (!told_.insert(document.name.str() + "@" + std::to_string(document.index)).second) return;
  const bool newer = error.code == Code::kRejected;
  LogEvent(LogLevel::kWarning, newer ? "CONSUL_DOCUMENT_NEWER" : "CONSUL_DOCUMENT_DAMAGED",
           newer ? "a document in Consul was written by a newer version; it is kept and left out"
                 : "a document in Consul cannot be read; it is kept and left out",
           {{"key", keys_.Service(document.name.str())}, {"error", error.message}});
}

void Watcher::TellForeign(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (!told_.insert(key).second) continue;
    LogEvent(LogLevel::kWarning, "CONSUL_KEY_FOREIGN",
             "a key in Consul is none that we write; it is left alone",
             {{"key", Printable(key, 300)}});
  }
}

Result<Changes> Watcher::Everything() {
  // The journal first: what is written meanwhile is told again, and never missed. It is asked for
  // by its whole name, which Consul refuses where a list is merely empty for want of a permission.
  const auto state = documents_.ReadJournal();
  if (!state) return Forward(state.error());
  auto all = documents_.ReadAll();
  if (!all) return Forward(all.error());
  Changes changes;
  changes.complete = true;
  changes.position = PositionOf(*state);
  for (const auto& [name, when] : state->journal.deletions_unix_ms) {
    changes.deleted_unix_ms[ServiceName(name)] = when;
  }
  TellForeign(all->foreign);
  for (Document& document : all->documents) {
    if (document.record) {
      changes.upserts.push_back(std::move(*document.record));
    } else {
      TellOnce(document);
      changes.unreadable.push_back(document.name);
    }
  }
  seen_ = changes.position;
  seen_index_ = state->index;
  switches_ = servers_.switches();
  entry_index_ = std::max(state->entry, all->index);
  check_at_ = InAbout(check_interval_);
  full_at_ = InAbout(full_interval_);
  return changes;
}

Result<Changes> Watcher::Named(const SharedPosition& after, const JournalState& state) {
  const codec::Journal& journal = state.journal;
  const auto count = static_cast<std::ptrdiff_t>(journal.revision - after.revision);
  std::set<std::string> names;
  for (auto change = journal.changes.end() - count; change != journal.changes.end(); ++change) {
    names.insert(change->name);
  }
  Changes changes;
  changes.position = PositionOf(state);
  const std::map<std::string, std::int64_t>& deletions = journal.deletions_unix_ms;
  for (const std::string& name : names) {
    auto document = documents_.Read(ServiceName(name));
    if (!document) return Forward(document.error());
    if (!*document) {
      changes.deletes.emplace_back(name);
      const auto when = deletions.find(name);
      if (when != deletions.end()) changes.deleted_unix_ms[ServiceName(name)] = when->second;
    } else if ((*document)->record) {
      changes.upserts.push_back(std::move(*(*document)->record));
    } else {
      TellOnce(**document);
      changes.unreadable.emplace_back(name);
    }
  }
  return changes;
}

// Each of our writes changes document and journal in one transaction, so with one index: a document
// that is newer than the journal was touched by somebody who does not know of it.
Result<bool> Watcher::TouchedByOthers() {
  // Without the slash at its end all that is below comes back as one word.
  const auto index = servers_.IndexOf(keys_.services.substr(0, keys_.services.size() - 1));
  if (!index) return Forward(index.error());
  check_at_ = InAbout(check_interval_);
  return *index > entry_index_;
}

Result<Changes> Watcher::Watch(const SharedPosition& after, Duration wait) {
  const SteadyTime end = Now() + wait;
  for (;;) {
    const SteadyTime now = Now();
    if (after.epoch.empty() || now >= full_at_) return Everything();
    if (now >= check_at_) {
      const auto touched = TouchedByOthers();
      if (!touched) return Forward(touched.error());
      if (*touched) return Everything();
    }
    const bool block = seen_index_ > 0 && seen_ == after && switches_ == servers_.switches();
    const auto until = std::min({end, check_at_, full_at_, now + kLongestBlock});
    const auto state = documents_.ReadJournal(
        block ? seen_index_ : 0, std::chrono::ceil<Duration>(std::max(until, now) - now));
    if (!state) {
      seen_index_ = 0;
      return Forward(state.error());
    }
    const SharedPosition position = PositionOf(*state);
    const bool backwards = block && state->index < seen_index_;
    if (backwards || position.epoch != after.epoch ||
        !state->journal.ReachesBackTo(after.revision)) {
      return Everything();
    }
    if (position.revision != after.revision) {
      auto changes = Named(after, *state);
      if (!changes) return changes;
      seen_ = position;
      seen_index_ = state->index;
      switches_ = servers_.switches();
      entry_index_ = std::max(entry_index_, state->entry);
      return changes;
    }
    seen_ = position;
    seen_index_ = state->index;
    switches_ = servers_.switches();
    entry_index_ = std::max(entry_index_, state->entry);
    if (Now() >= end) {
      Changes none;
      none.position = after;
      return none;
    }
  }
}

class ConsulStore final : public ports::SharedStore {
 public:
  explicit ConsulStore(const ConsulOptions& options)
      : options_(options),
        keys_(options.prefix),
        servers_(options),
        documents_(servers_, keys_),
        presence_(servers_, keys_),
        watcher_(options, keys_) {}

  Result<StoredRecords> Load() override {
    const auto state = documents_.ReadJournal();
    if (!state) return Forward(state.error(), kWhere);
    auto all = documents_.ReadAll();
    if (!all) return Forward(all.error(), kWhere);
    StoredRecords stored;
    stored.revision = std::max(state->journal.revision, all->newest_revision);
    for (Document& document : all->documents) {
      if (document.record) stored.records.push_back(std::move(*document.record));
    }
    return stored;
  }

  Result<std::uint64_t> Put(const Record& record, std::uint64_t expected) override {
    return Told(documents_.Write(record.service, record, expected));
  }

  Result<std::uint64_t> DeleteAt(const ServiceName& service, std::uint64_t expected,
                                 std::int64_t made_unix_ms) override {
    return Told(documents_.Write(service, std::nullopt, expected, made_unix_ms));
  }

  Result<ports::SharedRecord> Get(const ServiceName& service) override {
    // The journal first: a deletion that it does not have yet was made after the document was read.
    const auto state = documents_.ReadJournal();
    if (!state) return Forward(state.error(), kWhere);
    auto document = documents_.Read(service);
    if (!document) return Forward(document.error(), kWhere);
    if (!*document) {
      const auto when = state->journal.deletions_unix_ms.find(service.str());
      const bool known = when != state->journal.deletions_unix_ms.end();
      return ports::SharedRecord{std::nullopt, known ? when->second : 0};
    }
    Result<Record>& record = (*document)->record;
    if (!record) return Fail(Code::kRejected, record.error().message, kWhere);
    return ports::SharedRecord{std::move(*record), 0};
  }

  Result<Changes> Watch(const SharedPosition& after, Duration wait) override {
    return Told(watcher_.Watch(after, wait));
  }

  Result<std::vector<ports::Replica>> Announce(const ports::Replica& self) override {
    return Told(presence_.Announce(self));
  }
  Status Withdraw() override {
    ConsulOptions quick = options_;
    quick.request_timeout = std::min(quick.request_timeout, kWithdrawTimeout);
    Servers servers(quick);
    return Told(presence_.Withdraw(servers));
  }

  void Cancel() override {
    servers_.Cancel();
    watcher_.servers().Cancel();
  }

 private:
  static constexpr const char* kWhere = "consul";

  template <typename T>
  static Result<T> Told(Result<T> result) {
    if (!result) return Forward(result.error(), kWhere);
    return result;
  }

  const ConsulOptions options_;
  const Keys keys_;
  Servers servers_;
  Documents documents_;
  Presence presence_;
  Watcher watcher_;
};

}  // namespace

std::unique_ptr<ports::SharedStore> MakeStore(ConsulOptions options) {
  return std::make_unique<ConsulStore>(options);
}

}  // namespace swarmgate::consul
