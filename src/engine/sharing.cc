#include "engine/sharing.h"

#include <utility>

namespace swarmgate::engine {
namespace {

using model::Record;

Result<std::uint64_t> Write(ports::SharedStore& store, const ShareRequest& request,
                            std::uint64_t expected) {
  if (request.record) return store.Put(*request.record, expected);
  return store.DeleteAt(request.name, expected, request.waiting.since_unix_ms);
}

Settlement Ours(const ShareRequest& request, std::uint64_t revision) {
  return {false, request.record.has_value(), revision, std::nullopt};
}

/// Another one that was faster again (kConflict) is seen by the next attempt.
Result<Settlement> WriteOver(ports::SharedStore& store, const ShareRequest& request,
                             std::uint64_t revision) {
  const Result<std::uint64_t> written = Write(store, request, revision);
  if (written) return Ours(request, *written);
  if (written.error().code == Code::kNotFound) return Ours(request, 0);  // deleted already
  return Forward(written.error());
}

}  // namespace

bool SameContent(const Record& a, const Record& b) {
  Record copy = a;
  copy.revision = b.revision;
  return copy == b;
}

Result<Settlement> ShareOne(ports::SharedStore& store, const ShareRequest& request) {
  const Result<std::uint64_t> written = Write(store, request, request.expected);
  if (written) return Ours(request, *written);
  if (written.error().code == Code::kNotFound) return Ours(request, 0);  // deleted already
  if (written.error().code != Code::kConflict) return Forward(written.error());
  Result<ports::SharedRecord> held = store.Get(request.name);
  if (!held) return Forward(held.error());
  const std::int64_t made =
      request.record ? request.record->updated_unix_ms : request.waiting.since_unix_ms;
  if (!held->record) {
    // Gone in this moment, perhaps by an earlier deletion than ours.
    if (!request.record) return WriteOver(store, request, 0);
    const std::int64_t deleted = held->deleted_unix_ms;
    if (deleted > 0 && made > deleted) return WriteOver(store, request, 0);
    if (deleted > 0 || request.deletion_seen) return Settlement{true, false, 0, std::nullopt};
    return Fail(Code::kConflict,
                request.expected == 0
                    ? "another replica changes the same record now"
                    : "the record is gone; whether it was deleted or lost is not known yet");
  }
  Record& theirs = *held->record;
  // An answer that was lost on its way here.
  if (request.record && SameContent(*request.record, theirs)) return Ours(request, theirs.revision);
  if (made <= theirs.updated_unix_ms) {
    const std::uint64_t revision = theirs.revision;
    return Settlement{true, true, revision, std::move(theirs)};
  }
  return WriteOver(store, request, theirs.revision);
}

}  // namespace swarmgate::engine
