// The truth that replicas share. It is never on the way of a change to HAProxy: each replica
// applies what it accepted from its own store, and this one is written and watched by threads that
// may wait.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/model/service_spec.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::ports {

/// What has happened since a position.
struct Changes {
  SharedPosition position;
  bool complete = false;               ///< `upserts` is all that there is
  std::vector<model::Record> upserts;  ///< sorted by service name
  std::vector<model::ServiceName> deletes;
  /// When what is not there was deleted, as far as the store remembers: of `deletes`, and of
  /// whatever a complete answer does not have.
  std::map<model::ServiceName, std::int64_t> deleted_unix_ms;
  /// Of a complete answer: what is not in `deleted_unix_ms` was not deleted for days, and is lost.
  bool remembers_deletions = false;
  /// Documents are there, but of a newer version or damaged: whoever knows an earlier state of
  /// these services keeps it.
  std::vector<model::ServiceName> unreadable;
};

/// A record as it is now.
struct SharedRecord {
  std::optional<model::Record> record;  ///< nothing: there is none
  std::int64_t deleted_unix_ms = 0;     ///< when it was deleted; 0: that is not remembered
};

/// One replica, as the others see it.
struct Replica {
  std::string id;              ///< unique: [A-Za-z0-9._-]+
  std::string address;         ///< of its admin API, "10.0.0.3:8080"; may be empty
  std::uint64_t revision = 0;  ///< SharedPosition::revision that it has applied
  std::int64_t started_unix_ms = 0;
  std::string version;
  friend bool operator==(const Replica&, const Replica&) = default;
};

/// Revisions of records are those of the whole cluster: each accepted write of any replica gets the
/// next one.
/// Thread: everything but Watch and Cancel from one thread at a time; Watch from another; Cancel
/// from any.
class SharedStore : public RecordStore {
 public:
  // Put: kConflict also where a deletion is remembered that was made later than the record.

  /// A deletion that was made then (0: at a time that nobody remembers). That there is no such
  /// record may be news for the others, too: a store that has lost it, and gets it back from one
  /// who does not know. Errors: as Delete.
  virtual Result<std::uint64_t> DeleteAt(const model::ServiceName& service, std::uint64_t expected,
                                         std::int64_t made_unix_ms) = 0;
  Result<std::uint64_t> Delete(const model::ServiceName& service, std::uint64_t expected) final {
    return DeleteAt(service, expected, 0);
  }

  /// One record. Errors: as Load; kRejected also for a document that this version cannot read.
  virtual Result<SharedRecord> Get(const model::ServiceName& service) = 0;

  /// Waits until something has happened since `after`, at most for `wait`; then there are no
  /// changes and the position is `after`. An empty epoch asks for everything at once. May answer
  /// with everything at any time. Errors: as Load; kCancelled.
  virtual Result<Changes> Watch(const SharedPosition& after, Duration wait) = 0;

  /// Tells the others of this replica, until it has not been called for half a minute or so, and
  /// returns all that there are (this one too), sorted by id.
  virtual Result<std::vector<Replica>> Announce(const Replica& self) = 0;
  /// Takes it back at once: the end of this replica. Works after Cancel, too, and takes a moment
  /// only, whatever the store does.
  virtual Status Withdraw() = 0;

  /// Ends every call under way and every later one with kCancelled.
  virtual void Cancel() = 0;
};

}  // namespace swarmgate::ports
