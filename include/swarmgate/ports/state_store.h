// Where records (manual overrides, withdrawals) and the last applied state are kept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::ports {

struct StoredRecords {
  std::uint64_t revision = 0;  ///< of the newest accepted write; grows by at least one with each
  std::vector<model::Record> records;  ///< sorted by service name
};

/// Thread: the engine's owner thread only.
class StateStore {
 public:
  virtual ~StateStore() = default;

  /// Errors: kUnavailable, kCorrupt (the damaged file has been set aside; the store is empty and usable).
  virtual Result<StoredRecords> Load() = 0;

  /// Writes when the stored revision of this record is `expected` (0: it must not exist). Returns the new revision.
  /// Errors: kConflict, kUnavailable (disk full …).
  virtual Result<std::uint64_t> Put(const model::Record& record, std::uint64_t expected) = 0;

  /// Errors: kNotFound, kConflict, kUnavailable.
  virtual Result<std::uint64_t> Delete(const model::ServiceName& service,
                                       std::uint64_t expected) = 0;

  /// The last applied state of this replica, an opaque text that only its writer understands. Kept apart from records:
  /// losing it loses nothing but a quick start.
  virtual Status SaveApplied(const std::string& text) = 0;
  virtual Result<std::optional<std::string>> LoadApplied() = 0;
};

}  // namespace swarmgate::ports
