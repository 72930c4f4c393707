// What the first releases of Docker Flow Proxy left in Consul: one key per attribute of a service,
// and a marker per service. It is only read; the predecessor may go on using it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/codec/consul_json.h"
#include "swarmgate/consul/store.h"

namespace swarmgate::consul {

struct LegacyServices {
  /// Parameters as a call of `reconfigure` has them, sorted by service name.
  std::vector<std::map<std::string, std::string>> services;
  std::vector<std::string> notes;  ///< what was left out, and why
};

/// `entries`: keys of Consul. Pure.
[[nodiscard]] LegacyServices ParseLegacy(std::string_view instance,
                                         const std::vector<codec::ConsulEntry>& entries);

/// Reads them below `options.prefix`. Errors: as ports::RecordStore::Load.
[[nodiscard]] Result<LegacyServices> ReadLegacy(const ConsulOptions& options);

}  // namespace swarmgate::consul
