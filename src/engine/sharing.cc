#include "engine/sharing.h"

#include <utility>

namespace swarmgate::engine {
namespace {

using model::Record;

Result<std::uint64_t> Write(ports::SharedStore& store, const ShareRequest& request,
                            std::uint64_t expected) {
  if (request.record) return store.Put(*request.record, expected);
  return store.Delete(request.name, expected);
}

Settlement Ours(const ShareRequest& request, std::uint64_t revision) {
  return {false, request.record.has_value(), revision, std::nullopt};
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
  Result<std::optional<Record>> held = store.Get(request.name);
  if (!held) return Forward(held.error());
  if (!*held) {
    if (!request.record) return Ours(request, 0);
    if (request.deletion_seen) return Settlement{true, false, 0, std::nullopt};
    return Fail(Code::kUnavailable,
                request.expected == 0
                    ? "another replica changes the same record now"
                    : "the record is gone; whether it was deleted or lost is not known yet");
  }
  Record& theirs = **held;
  // An answer that was lost on its way here.
  if (request.record && SameContent(*request.record, theirs)) return Ours(request, theirs.revision);
  const std::int64_t made =
      request.record ? request.record->updated_unix_ms : request.waiting.since_unix_ms;
  if (made <= theirs.updated_unix_ms) {
    const std::uint64_t revision = theirs.revision;
    return Settlement{true, true, revision, std::move(theirs)};
  }
  const Result<std::uint64_t> again = Write(store, request, theirs.revision);
  if (again) return Ours(request, *again);
  // Faster again: the next attempt sees what is there then.
  return Fail(again.error().code == Code::kConflict ? Code::kUnavailable : again.error().code,
              again.error().message, again.error().context);
}

}  // namespace swarmgate::engine
