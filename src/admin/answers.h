// The two shapes that every answer of the admin API has. Pure.
#pragma once

#include <string>

#include "admin/http_types.h"

namespace swarmgate::admin {

/// {"Status":"NOK","Message":…,"Code":…}
[[nodiscard]] Response Problem(int status, const std::string& code, const std::string& message);

/// {"Status":"OK","Message":…}
[[nodiscard]] Response Fine(const std::string& message = {});

}  // namespace swarmgate::admin
