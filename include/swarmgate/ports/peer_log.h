// What a replica keeps on its disk of what it shares with others where there is no store in common:
// the last change of each record, and deletions for as long as they are remembered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/replica.h"

namespace swarmgate::ports {

struct PeerLogState {
  std::string epoch;           ///< never empty: made up with the file
  std::uint64_t revision = 0;  ///< no document's sequence is greater
  std::vector<model::SharedDocument> documents;
};

struct PeerLogDelta {
  std::vector<model::SharedDocument> upserts;
  std::vector<model::ServiceName> forgotten;
  std::uint64_t revision = 0;
};

/// Thread: one.
class PeerLog {
 public:
  virtual ~PeerLog() = default;
  /// Errors: kUnavailable; kCorrupt when the damaged file has been set aside: the next call finds
  /// an empty one.
  virtual Result<PeerLogState> Load() = 0;
  /// One transaction. What is lost with the machine's power other replicas still have: it need not
  /// be on the disk at once. Errors: as Load.
  virtual Status Save(const PeerLogDelta& delta) = 0;
};

}  // namespace swarmgate::ports
