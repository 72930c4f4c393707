// ports::StateStore in one SQLite file: the embedded default, which needs no other program. The
// file may be lost, damaged or written by a newer version: none of that stops the engine.
#pragma once

#include <memory>
#include <string>

#include "swarmgate/ports/state_store.h"

namespace swarmgate::sqlite {

/// A store on `path` (created, mode 0600, when it is missing; its directory must exist). Nothing is
/// opened before the first call, and a call that could not open it tries again at the next one.
///
/// Durability: records are on the disk when Put and Delete return (synchronous=FULL); the applied
/// state, and what came from a shared store, survive the end of the process at once and a power
/// loss up to the last checkpoint (synchronous=NORMAL): they are derived, and cost one disk write
/// less per change.
///
/// A damaged file is renamed to "<path>.damaged-<UTC time>" (with its -wal and -shm), the call
/// answers kCorrupt once, and the store goes on empty. A file of a newer schema is left as it is:
/// every call answers kUnavailable and says so.
///
/// `shares`: there is a shared store, and every Put and Delete waits for it (ports::Waiting) from
/// the same transaction on. The same holds once there was one: a later run may have it again.
std::unique_ptr<ports::StateStore> MakeStore(std::string path, bool shares = false);

}  // namespace swarmgate::sqlite
