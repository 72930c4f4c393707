// ports::PeerLog in a SQLite file of its own, beside the one of the store: losing it loses nothing
// that the store or another replica does not have, but the deletions.
#pragma once

#include <memory>
#include <string>

#include "swarmgate/ports/peer_log.h"

namespace swarmgate::sqlite {

/// Opened, created and set aside as MakeStore's; survives the end of the process at once, and a
/// power loss up to the last checkpoint.
std::unique_ptr<ports::PeerLog> MakePeerLog(std::string path);

}  // namespace swarmgate::sqlite
