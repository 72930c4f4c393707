// The shared form of records: one JSON document per record, read by every version of this program
// that runs beside another one, and the journal that says which documents have changed.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "swarmgate/base/error.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::codec {

/// {"format":1,"service":…,"revision":…,"kind":"service"|"withdrawn"|"certificate",
///  "origin":"docker"|"manual"|"static","parameters":{…},"labelsHash":…,"updated":ms,"created":ms}
[[nodiscard]] std::string EncodeRecord(const model::Record& record);
/// Unknown members are ignored. Errors: kRejected for a document of a newer format, kCorrupt.
[[nodiscard]] Result<model::Record> DecodeRecord(std::string_view text);

/// What happened to records, newest last.
struct Journal {
  /// How many changes it remembers.
  static constexpr std::size_t kLength = 256;
  /// Of how many deletions it remembers when they were made: a replica that was cut off for more
  /// than kLength changes must not bring back what was deleted meanwhile.
  static constexpr std::size_t kDeletions = 1000;

  struct Change {
    std::string name;  ///< the record's
    bool deleted = false;
    friend bool operator==(const Change&, const Change&) = default;
  };
  std::string epoch;           ///< made up when the journal was begun
  std::uint64_t revision = 0;  ///< of the newest change; each change adds one
  std::deque<Change>
      changes;  ///< the last one made `revision`, the one before it `revision` - 1, …

  /// When records were deleted that nothing has happened to since; of those that were deleted last.
  std::map<std::string, std::int64_t> deletions_unix_ms;

  /// Adds a change, and forgets the oldest one when there are too many. `made_unix_ms`: of a
  /// deletion, where it is known.
  void Append(Change change, std::int64_t made_unix_ms = 0);
  /// It remembers every change after `known`.
  [[nodiscard]] bool ReachesBackTo(std::uint64_t known) const;
  friend bool operator==(const Journal&, const Journal&) = default;
};

/// {"format":1,"epoch":…,"revision":…,"changes":["+web","-api"],"deleted":{"api":ms}}
[[nodiscard]] std::string EncodeJournal(const Journal& journal);
/// Errors: as DecodeRecord.
[[nodiscard]] Result<Journal> DecodeJournal(std::string_view text);

}  // namespace swarmgate::codec
