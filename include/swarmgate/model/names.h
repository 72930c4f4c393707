// How a parameter is written where it comes from. Every diagnostic names parameters by this one
// function, so that a user finds in his own file what he is told about.
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

}  // namespace swarmgate::model
