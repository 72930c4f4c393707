// What several replicas share, out of the options: Consul, and private keys sealed on the way
// there.
#pragma once

#include <memory>
#include <optional>

#include "swarmgate/app/options.h"
#include "swarmgate/certs/seal.h"
#include "swarmgate/consul/store.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::app {

/// Null when no CONSUL_ADDRESS is given.
[[nodiscard]] std::unique_ptr<ports::SharedStore> MakeSharedStore(
    const Options& options, const std::optional<certs::SealKey>& key);

/// Where Consul is, and what lies there is called.
[[nodiscard]] consul::ConsulOptions ConsulOptionsOf(const Options& options);

/// This process as the others see it; its id is new with every start.
[[nodiscard]] ports::Replica SelfOf(const Options& options, WallTime now);

/// Seals and unseals as SealedStore does; every replica needs the same key.
[[nodiscard]] std::unique_ptr<ports::SharedStore> SealShared(
    std::unique_ptr<ports::SharedStore> store, const certs::SealKey& key);

}  // namespace swarmgate::app
