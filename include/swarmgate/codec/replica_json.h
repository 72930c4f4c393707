// What replicas tell each other, as JSON. A peer may be of another version, or no peer at all:
// everything is checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/replica.h"

namespace swarmgate::codec {

/// Errors of all readers: kCorrupt. Unknown members are ignored.
[[nodiscard]] std::string EncodeIdentity(const model::ReplicaIdentity& identity);
[[nodiscard]] Result<model::ReplicaIdentity> DecodeIdentity(std::string_view text);

/// A part of a replica's history.
struct DocumentList {
  std::string epoch;
  std::uint64_t revision = 0;  ///< everything up to here is known with these
  std::vector<model::SharedDocument> documents;
  std::size_t unreadable = 0;  ///< of a newer version; left out
};
[[nodiscard]] std::string EncodeDocuments(const DocumentList& list);
[[nodiscard]] Result<DocumentList> DecodeDocuments(std::string_view text);

}  // namespace swarmgate::codec
