// The records that replicas share without a store in common: every replica holds all of them, and
// of two versions of one the later stands, wherever they meet and in whatever order. A deletion is
// a version too, for kKeepDeletions (at most kMostDeletions of them). Knows no thread, no clock and
// no disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/model/replica.h"
#include "swarmgate/ports/peer_log.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::cluster {

class ReplicatedRecords {
 public:
  /// How long a deletion is remembered, and how many of them are.
  static constexpr Duration kKeepDeletions = std::chrono::hours(24 * 7);
  static constexpr std::size_t kMostDeletions = 10'000;

  void Restore(ports::PeerLogState state);

  // As ports::SharedStore's.
  Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected);
  Result<std::uint64_t> Delete(const model::ServiceName& name, std::uint64_t expected,
                               std::int64_t made_unix_ms);
  [[nodiscard]] ports::SharedRecord Get(const model::ServiceName& name) const;
  [[nodiscard]] ports::StoredRecords All() const;
  [[nodiscard]] ports::Changes Since(const ports::SharedPosition& after) const;

  /// Takes what is later than what is here. `revision`: everything up to there is known to whoever
  /// told it; replicas that know the same so come to the same number. How many were taken.
  std::size_t Merge(std::vector<model::SharedDocument> documents, std::uint64_t revision,
                    std::int64_t now_unix_ms);
  /// What a replica that knows everything up to `revision` of our history does not know.
  [[nodiscard]] std::vector<model::SharedDocument> After(std::uint64_t revision) const;
  /// Forgets deletions that are too old or too many.
  void Forget(std::int64_t now_unix_ms);

  [[nodiscard]] ports::SharedPosition position() const { return {epoch_, revision_}; }
  /// Equal for equal records and deletions, whatever their history.
  [[nodiscard]] std::string digest() const;

  /// What is not on the disk yet; the next one has it again, unless it is told that it was saved.
  [[nodiscard]] std::optional<ports::PeerLogDelta> Unsaved() const;
  void Saved();

 private:
  struct Version {
    model::SharedDocument document;
    std::uint64_t hash = 0;
  };

  std::uint64_t Store(model::SharedDocument document);
  [[nodiscard]] std::int64_t OldestKept(std::int64_t now_unix_ms) const;
  void Drop(const model::ServiceName& name);
  [[nodiscard]] const Version* Find(const model::ServiceName& name) const;
  void Index(const Version& version);
  void Unindex(const Version& version);

  std::string epoch_;
  std::uint64_t revision_ = 0;
  std::int64_t latest_unix_ms_ = 0;  ///< of all versions that were ever seen
  std::uint64_t digest_ = 0;
  std::map<model::ServiceName, Version> versions_;
  std::map<std::uint64_t, model::ServiceName> by_sequence_;
  std::set<std::pair<std::int64_t, model::ServiceName>> deletions_;  ///< the oldest first
  std::set<model::ServiceName> unsaved_;                             ///< changed, or forgotten
  bool revision_unsaved_ = false;
};

}  // namespace swarmgate::cluster
