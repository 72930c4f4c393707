// A shared store in memory, and the ways in which it can fail. Several replicas may use one. Held
// to the same contract as the real one.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/base/mutex.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::testing {

/// Thread: any.
class FakeSharedStore final : public ports::SharedStore {
 public:
  /// While it is down every call fails so (Watch at once).
  void SetDown(std::optional<Code> code) EXCLUDES_LOCK(mutex_);
  /// Everything is lost; the next write begins a new history.
  void Lose() EXCLUDES_LOCK(mutex_);
  /// From now on a complete answer says of every deletion when it was made.
  void RememberDeletions() EXCLUDES_LOCK(mutex_);
  /// One record is not there any more, as if it had never been written.
  void LoseRecord(const model::ServiceName& service) EXCLUDES_LOCK(mutex_);
  /// A write of another replica.
  void PutAsOther(model::Record record) EXCLUDES_LOCK(mutex_);
  /// `made_unix_ms`: remembered unless it is 0.
  void DeleteAsOther(const model::ServiceName& service, std::int64_t made_unix_ms = 0)
      EXCLUDES_LOCK(mutex_);
  [[nodiscard]] std::map<model::ServiceName, model::Record> records() const EXCLUDES_LOCK(mutex_);
  [[nodiscard]] ports::SharedPosition position() const EXCLUDES_LOCK(mutex_);
  /// Everything since a position, as Watch would answer without waiting.
  [[nodiscard]] ports::Changes Since(const ports::SharedPosition& after) EXCLUDES_LOCK(mutex_);

  Result<ports::StoredRecords> Load() override EXCLUDES_LOCK(mutex_);
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) override
      EXCLUDES_LOCK(mutex_);
  Result<std::uint64_t> DeleteAt(const model::ServiceName& service, std::uint64_t expected,
                                 std::int64_t made_unix_ms) override EXCLUDES_LOCK(mutex_);
  Result<ports::SharedRecord> Get(const model::ServiceName& service) override EXCLUDES_LOCK(mutex_);
  Result<ports::Changes> Watch(const ports::SharedPosition& after, Duration wait) override
      EXCLUDES_LOCK(mutex_);
  Result<std::vector<ports::Replica>> Announce(const ports::Replica& self) override
      EXCLUDES_LOCK(mutex_);
  Status Withdraw() override { return Ok(); }
  void Cancel() override EXCLUDES_LOCK(mutex_);

 private:
  [[nodiscard]] Status Enter() const REQUIRES_LOCK(mutex_);
  std::uint64_t Note(const model::ServiceName& service) REQUIRES_LOCK(mutex_);
  void Remember(const model::ServiceName& service, std::int64_t made_unix_ms) REQUIRES_LOCK(mutex_);
  [[nodiscard]] std::int64_t DeletedAt(const model::ServiceName& service) const
      REQUIRES_LOCK(mutex_);
  ports::Changes DoSince(const ports::SharedPosition& after) REQUIRES_LOCK(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<model::ServiceName, model::Record> records_ GUARDED_BY(mutex_);
  std::map<model::ServiceName, std::int64_t> deleted_ GUARDED_BY(mutex_);
  std::map<std::string, ports::Replica> replicas_ GUARDED_BY(mutex_);
  std::vector<model::ServiceName> history_ GUARDED_BY(mutex_);
  std::uint64_t first_ GUARDED_BY(mutex_) = 0;  ///< revision before the history's first change
  int epoch_ GUARDED_BY(mutex_) = 1;
  bool remembers_ GUARDED_BY(mutex_) = false;
  std::optional<Code> down_ GUARDED_BY(mutex_);
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

}  // namespace swarmgate::testing
