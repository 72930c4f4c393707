// What the first releases of Docker Flow Proxy left in Consul: one key per attribute of a service,
// and a marker per service. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/codec/consul_json.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::consul {

struct LegacyImport {
  std::vector<model::Record> records;  ///< sorted by service name
  std::vector<std::string> notes;      ///< what was left out, and why
};

/// `entries`: all keys below `instance`. They are never changed: the predecessor may go on using
/// them. `now_unix_ms`: becomes the age of the records.
[[nodiscard]] LegacyImport ImportLegacy(std::string_view instance,
                                        const std::vector<codec::ConsulEntry>& entries,
                                        std::int64_t now_unix_ms);

}  // namespace swarmgate::consul
