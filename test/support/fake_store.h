// A store in memory, and the ways in which it can fail. Held to the same contract as the real one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "swarmgate/ports/state_store.h"

namespace swarmgate::testing {

/// Thread: as ports::StateStore.
class FakeStore final : public ports::StateStore {
 public:
  /// The next `calls` calls fail so and have no effect. kCorrupt: the store is empty afterwards.
  void FailNext(Code code, int calls = 1);
  /// Fails until it is called with false.
  void FailAlways(bool fails) { fails_always_ = fails; }
  /// While it answers true, no call has any effect, as if the caller had been killed.
  void SetFrozen(std::function<bool()> frozen) { frozen_ = std::move(frozen); }

  /// As `shares` of sqlite::MakeStore.
  void SetShares(bool shares) { shares_ = shares; }
  [[nodiscard]] const ports::SharedState& shared() const { return shared_; }

  [[nodiscard]] const std::map<model::ServiceName, model::Record>& records() const {
    return records_;
  }
  [[nodiscard]] const std::optional<ports::AppliedState>& applied() const { return applied_; }
  [[nodiscard]] std::uint64_t saves() const { return saves_; }

  Result<ports::StoredRecords> Load() override;
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) override;
  Result<std::uint64_t> Delete(const model::ServiceName& service, std::uint64_t expected) override;
  Status SaveApplied(const ports::AppliedDelta& delta) override;
  Result<std::optional<ports::AppliedState>> LoadApplied() override;
  Result<std::uint64_t> SaveShared(const ports::SharedDelta& delta) override;
  Result<ports::SharedState> LoadShared() override;

 private:
  [[nodiscard]] Status Enter();
  [[nodiscard]] bool Waits() const { return shares_ || !shared_.position.epoch.empty(); }

  std::map<model::ServiceName, model::Record> records_;
  std::optional<ports::AppliedState> applied_;
  ports::SharedState shared_;
  bool shares_ = false;
  std::uint64_t revision_ = 0;
  std::uint64_t saves_ = 0;
  std::vector<Code> failures_;
  bool fails_always_ = false;
  std::function<bool()> frozen_;
};

}  // namespace swarmgate::testing
