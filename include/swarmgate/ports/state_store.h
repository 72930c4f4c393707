// Where records (manual overrides, withdrawals) and the last applied state are kept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/haproxy/image.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::ports {

struct StoredRecords {
  std::uint64_t revision = 0;  ///< of the newest accepted write; grows by at least one with each
  std::vector<model::Record> records;  ///< sorted by service name
};

/// What this replica served last: enough to serve it again when dockerd is away. Losing it loses
/// nothing but that.
struct AppliedState {
  model::DockerFacts facts;
  haproxy::SlotMap slots;
  std::map<std::string, std::vector<std::string>> names;  ///< resolved names → addresses
  /// Hash of the structure (base configuration, declared slots) that the worker `proxy_pid` was
  /// confirmed to run. What a running HAProxy was started with cannot be asked of it; a controller
  /// that died between writing files and reloading would otherwise take the files for it.
  std::string structure;
  int proxy_pid = 0;
  std::uint64_t revision = 0;  ///< of the applied state, so that a restart does not turn it back
  friend bool operator==(const AppliedState&, const AppliedState&) = default;
};

/// A change of it; costs in proportion to itself.
struct AppliedDelta {
  std::vector<model::ServiceFacts> upserts;  ///< by ServiceFacts::id
  std::vector<std::string> removals;         ///< ids
  std::optional<model::DockerFacts> host;    ///< everything of DockerFacts but its services
  std::map<model::BackendName, model::SlotName> slots_set;
  std::vector<model::BackendName> slots_removed;
  std::optional<haproxy::Declared> declared;
  std::optional<std::map<std::string, std::vector<std::string>>> names;
  std::optional<std::pair<std::string, int>>
      structure;  ///< AppliedState::structure and ::proxy_pid
  std::optional<std::uint64_t> revision;
};

/// Records by service name, written by compare-and-set. One contract suite holds for all of them.
class RecordStore {
 public:
  virtual ~RecordStore() = default;

  /// Everything, or an error: never a part. Errors: kUnavailable, kDeadlineExceeded, kRejected,
  /// kCorrupt.
  virtual Result<StoredRecords> Load() = 0;

  /// Writes when the stored revision of this record is `expected` (0: it must not exist). Returns
  /// the new revision. Errors: kConflict, kUnavailable (disk full …).
  virtual Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) = 0;

  /// Errors: kNotFound, kConflict, kUnavailable.
  virtual Result<std::uint64_t> Delete(const model::ServiceName& service,
                                       std::uint64_t expected) = 0;
};

/// A place in the history of the shared store.
struct SharedPosition {
  /// Which history: another one means that the store was lost and begun anew. Empty: none known.
  std::string epoch;
  std::uint64_t revision = 0;  ///< everything up to here is known
  friend bool operator==(const SharedPosition&, const SharedPosition&) = default;
};

/// A change that was accepted here and is not known to have reached the shared store yet.
struct Waiting {
  std::uint64_t revision = 0;      ///< of this store: the write that waits
  std::int64_t since_unix_ms = 0;  ///< when it was made
  friend bool operator==(const Waiting&, const Waiting&) = default;
};

/// What this replica knows of the store that it shares with others (shared_store.h).
struct SharedState {
  SharedPosition position;
  std::map<model::ServiceName, std::uint64_t> revisions;  ///< there, when they were last seen
  std::map<model::ServiceName, Waiting> waiting;
  std::int64_t latest_unix_ms = 0;  ///< of all changes that were ever seen
  friend bool operator==(const SharedState&, const SharedState&) = default;
};

/// News from the shared store.
struct SharedDelta {
  std::vector<model::Record> upserts;  ///< of others; their `revision` is not looked at
  std::vector<model::ServiceName> deletes;
  std::map<model::ServiceName, std::uint64_t> revisions;  ///< 0: is not there any more
  std::map<model::ServiceName, Waiting> waiting;          ///< what the shared store has lost
  std::vector<model::ServiceName> settled;                ///< wait no longer
  std::optional<SharedPosition> position;
  std::int64_t latest_unix_ms = 0;  ///< 0: as before
};

/// What this replica keeps for itself, on its own disk: every call is quick. kCorrupt from any call
/// means that the damaged file has been set aside; the store is empty and usable.
/// Thread: the engine's owner thread only.
class StateStore : public RecordStore {
 public:
  /// One transaction. Errors: kUnavailable.
  virtual Status SaveApplied(const AppliedDelta& delta) = 0;
  /// Nothing when nothing was ever applied. Errors: kUnavailable, kCorrupt (set aside, as for
  /// Load).
  virtual Result<std::optional<AppliedState>> LoadApplied() = 0;

  /// One transaction. Nothing of it waits for the shared store, which still has it if it is lost
  /// with the machine's power: it need not be on the disk at once. Returns the revision that the
  /// upserts have got here. Errors: kUnavailable.
  virtual Result<std::uint64_t> SaveShared(const SharedDelta& delta) = 0;
  /// Errors: as Load.
  virtual Result<SharedState> LoadShared() = 0;
};

}  // namespace swarmgate::ports
