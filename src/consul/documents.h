// Documents of records and the journal, read and written. What a document of a newer version, or
// something that is no document, means for a reader and for a writer is decided here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consul/keys.h"
#include "consul/servers.h"
#include "swarmgate/codec/record_json.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::consul {

/// A document as it lies there.
struct Document {
  model::ServiceName name;
  Result<model::Record> record;  ///< kRejected: of a newer version; kCorrupt
  std::uint64_t index = 0;       ///< ModifyIndex
};

struct AllDocuments {
  std::vector<Document> documents;   ///< sorted by name
  std::vector<std::string> foreign;  ///< keys that are not ours
  std::uint64_t index = 0;           ///< of the newest document
  std::uint64_t newest_revision = 0;
};

struct JournalState {
  codec::Journal journal;   ///< empty epoch: there is none
  std::uint64_t entry = 0;  ///< its ModifyIndex, 0: no such key
  std::uint64_t index = 0;  ///< for the next blocking question
};

/// Thread: one at a time.
class Documents {
 public:
  Documents(Servers& servers, const Keys& keys) : servers_(servers), keys_(keys) {}

  Result<AllDocuments> ReadAll();
  Result<std::optional<Document>> Read(const model::ServiceName& name);
  /// `index`: as Servers::Read. A journal that cannot be read is as good as none; one of a newer
  /// version is kRejected.
  Result<JournalState> ReadJournal(std::uint64_t index = 0, Duration wait = Duration(0));

  /// Puts (or, with nothing, deletes) one document when its revision is `expected` (0: there is
  /// none), together with the journal. Returns the new revision. Errors: kConflict, kNotFound, and
  /// those of Servers.
  /// `made_unix_ms`: of a deletion, 0 where it is not known. One that finds nothing to delete is
  /// noted in the journal, for those who would write the record again.
  Result<std::uint64_t> Write(const model::ServiceName& name,
                              const std::optional<model::Record>& record, std::uint64_t expected,
                              std::int64_t made_unix_ms = 0);

 private:
  /// Nothing: somebody was faster with the journal.
  Result<std::optional<std::uint64_t>> TryWrite(const model::ServiceName& name,
                                                const std::optional<model::Record>& record,
                                                std::uint64_t expected, std::int64_t made_unix_ms);
  Document Decode(const model::ServiceName& name, const codec::ConsulEntry& entry) const;
  Result<codec::Journal> NewJournal();

  Servers& servers_;
  const Keys& keys_;
};

}  // namespace swarmgate::consul
