// Names as their owners write them: of a parameter where it comes from, so that a user finds in his
// own file what a diagnostic tells him about, and of a host that is compared otherwise than by
// equality.
#pragma once

#include <string>
#include <string_view>

#include "swarmgate/model/service_spec.h"

namespace swarmgate::model {

/// "servicePath" → "SERVICE_PATH", "port.1" → "PORT_1".
[[nodiscard]] std::string EnvironmentName(std::string_view name);

/// "port.1" as a label ("com.df.port.1"), as a parameter of an API call ("port.1"), or as a
/// variable ("DFP_SERVICE_PORT_1").
[[nodiscard]] std::string ShownParameter(Origin origin, std::string_view label_prefix,
                                         std::string_view name);

/// The name that requests for this host can be sent to: that of an exact one, and what was written
/// where host names are compared as texts, if it is a complete name ("acme.com", hdr_beg(host)).
/// Empty: there is none.
[[nodiscard]] std::string OwnName(const HostMatch& host);

}  // namespace swarmgate::model
