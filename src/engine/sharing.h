// One change on its way to the shared store, where other replicas may have been faster.
#pragma once

#include "engine/message.h"
#include "swarmgate/base/error.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::engine {

/// Writes it, and where another replica has changed the same record since, settles which of the two
/// stands: the one that was made later; if that is not known (ours was to change what another has
/// deleted), the one in the shared store. An error is one of the store's, or kConflict, when it
/// cannot be told yet: nothing is settled.
[[nodiscard]] Result<Settlement> ShareOne(ports::SharedStore& store, const ShareRequest& request);

/// The same for whoever uses it: where and when it was stored does not count.
[[nodiscard]] bool SameContent(const model::Record& a, const model::Record& b);

}  // namespace swarmgate::engine
