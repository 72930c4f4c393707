// Records in memory, and their way to the store: what the store cannot take now is kept and tried
// again, and nobody's route waits for it. Thread: owner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "engine/assemble.h"
#include "engine/backoff.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::engine {

class StoreKeeper {
 public:
  StoreKeeper(ports::StateStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Reads the records. False: not yet (Flush tries again).
  bool Load();
  /// What was served last; nothing when it is not known.
  std::optional<ports::AppliedState> LoadApplied();

  [[nodiscard]] const Records& records() const { return records_; }
  /// Changes the memory only; nothing: removes. Returns what was there.
  std::optional<model::Record> Set(const model::ServiceName& name,
                                   std::optional<model::Record> record);
  /// What is in memory under this name is to be stored.
  void Persist(const model::ServiceName& name) { queue_.insert(name); }
  /// Stores what is queued. True: records came in from a store that could not be read before.
  bool Flush();
  [[nodiscard]] bool IsPersisted(const model::ServiceName& name) const {
    return !queue_.contains(name);
  }

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
  /// True: done, or not to be tried again.
  bool Store(const model::ServiceName& name);
  Result<std::uint64_t> Write(const model::ServiceName& name);

  ports::StateStore& store_;
  const Clock& clock_;
  Records records_;
  std::map<model::ServiceName, std::uint64_t> stored_;  ///< revisions in the store
  std::set<model::ServiceName> queue_;
  bool loaded_ = false;
  bool lost_ = false;
  bool ok_ = true;
  Error error_;
  std::uint64_t revision_ = 0;
  std::optional<SteadyTime> retry_at_;
  Backoff backoff_{Duration(500), Duration(30000)};
};

}  // namespace swarmgate::engine
