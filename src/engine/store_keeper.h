// Records in memory, and their way to the store: what the store cannot take now is kept and tried
// again, and nobody's route waits for it. Thread: owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "engine/backoff.h"
#include "engine/message.h"
#include "engine/records.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::engine {

class StoreKeeper {
 public:
  /// `shares`: there is a shared store, and `store` notes what waits for it.
  StoreKeeper(ports::StateStore& store, bool shares, const Clock& clock)
      : store_(store), shares_(shares), clock_(clock) {}

  /// Reads the records. False: not yet (Flush tries again).
  bool Load();
  /// What is on the disk has been read once.
  [[nodiscard]] bool loaded() const { return loaded_; }
  /// What was served last; nothing when it is not known.
  std::optional<ports::AppliedState> LoadApplied();

  [[nodiscard]] const Records& records() const { return records_; }
  /// Names of records that are not what they were when this was called last.
  [[nodiscard]] std::set<model::ServiceName> TakeChanged() { return records_.TakeChanged(); }
  /// Changes the memory only; nothing: removes. Returns what was there.
  std::optional<model::Record> Set(const model::ServiceName& name,
                                   std::optional<model::Record> record);
  /// What is in memory under this name is to be stored. `made_unix_ms`: when it was deleted, where
  /// there is nothing; 0: it never was, and nothing that others know is to go for it.
  void Persist(const model::ServiceName& name, std::int64_t made_unix_ms);
  /// The time of a change that is made now: later than every one that is known, so that clocks that
  /// differ do not turn it into an earlier one.
  [[nodiscard]] std::int64_t NextStamp() const;
  /// When this record was deleted by a change that is not with the others yet; 0: it was not.
  [[nodiscard]] std::int64_t DeletedAt(const model::ServiceName& name) const;
  /// Stores what is queued. True: records came in from a store that could not be read before.
  bool Flush();
  /// On the disk, that is.
  [[nodiscard]] bool IsStored(const model::ServiceName& name) const {
    return !queue_.contains(name);
  }
  /// On the disk, and where there is a shared store, there.
  [[nodiscard]] bool IsPersisted(const model::ServiceName& name) const {
    return IsStored(name) && !shared_.waiting.contains(name);
  }

  // --- what is shared with other replicas (shared_records.cc)

  [[nodiscard]] const ports::SharedState& shared() const { return shared_; }
  /// What others have done. What waits here to be shared is left as it is: compare-and-set settles
  /// it. Names of records that have changed.
  std::set<model::ServiceName> Take(const ports::Changes& changes);
  /// REQUIRES: it waits.
  [[nodiscard]] ShareRequest RequestFor(const model::ServiceName& name) const;
  /// REQUIRES: it has an outcome. A change of ours has arrived, or has lost. True: the record in
  /// memory has changed.
  bool Settle(const ShareDone& done);

  /// False: not saved, the same change must be part of the next delta.
  bool SaveApplied(const ports::AppliedDelta& delta);
  /// True, once: the store has been set aside, so that all of the applied state is to be saved
  /// anew.
  bool TakeLost() { return std::exchange(lost_, false); }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  /// When Flush, or a save that failed, should be tried again.
  [[nodiscard]] std::optional<SteadyTime> retry_at() const { return retry_at_; }

 private:
  /// Notes the outcome of a call of the store.
  void Note(const Error* error);
  /// A damaged file was set aside: reads the new one, whose revisions are its own. False: not yet
  /// (Flush tries again).
  bool TakeNewFile();
  /// True: done, or not to be tried again.
  bool Store(const model::ServiceName& name);
  Result<std::uint64_t> Write(const model::ServiceName& name);

  [[nodiscard]] bool IsOurs(const model::ServiceName& name) const {
    return queue_.contains(name) || shared_.waiting.contains(name);
  }
  void TakeUpsert(const model::Record& record, std::uint64_t revision,
                  std::set<model::ServiceName>& changed);
  void TakeDelete(const model::ServiceName& name, std::uint64_t revision,
                  std::set<model::ServiceName>& changed);
  void TakeSkipped(std::set<model::ServiceName>& changed);
  void TakeComplete(const ports::Changes& changes, std::set<model::ServiceName>& changed);
  void ShareAgain(const model::ServiceName& name, const model::Record& record);
  void Saw(std::int64_t unix_ms) { latest_unix_ms_ = std::max(latest_unix_ms_, unix_ms); }
  /// Stores what is known of the shared store, and the records of `unsaved_`. False: later.
  bool SaveShared();

  ports::StateStore& store_;
  bool shares_;
  const Clock& clock_;
  ports::SharedState shared_;
  /// Deletions of ours, until the news are as new as they are.
  std::map<model::ServiceName, std::uint64_t> deleted_;
  /// News of records of which a change of ours waited; may be newer than what becomes of that.
  struct Skipped {
    std::uint64_t revision = 0;
    std::optional<model::Record> record;  ///< nothing: it was deleted
  };
  std::map<model::ServiceName, Skipped> skipped_;
  std::set<model::ServiceName> unsaved_;  ///< what is known of these is not on the disk
  bool position_unsaved_ = false;
  Records records_;
  std::map<model::ServiceName, std::uint64_t> stored_;  ///< revisions in the store
  std::map<model::ServiceName, std::int64_t> queue_;    ///< to be stored; when it was changed
  std::int64_t latest_unix_ms_ = 0;                     ///< of all changes that were ever seen
  bool loaded_ = false;
  bool lost_ = false;
  bool reload_ = false;  ///< the file was set aside, and the new one is not read yet
  bool ok_ = true;
  Error error_;
  std::uint64_t revision_ = 0;
  std::optional<SteadyTime> retry_at_;
  Backoff backoff_{Duration(500), Duration(30000)};
};

}  // namespace swarmgate::engine
