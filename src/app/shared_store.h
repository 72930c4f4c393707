// The store that several replicas share: where it is, and private keys sealed on the way there.
#pragma once

#include <memory>

#include "swarmgate/app/options.h"
#include "swarmgate/certs/seal.h"
#include "swarmgate/consul/store.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::app {

/// Where Consul is, and what lies there is called.
[[nodiscard]] consul::ConsulOptions ConsulOptionsOf(const Options& options);

/// Seals and unseals as SealedStore does; every replica needs the same key. `store` outlives it.
[[nodiscard]] std::unique_ptr<ports::SharedStore> SealShared(ports::SharedStore& store,
                                                             const certs::SealKey& key);

}  // namespace swarmgate::app
