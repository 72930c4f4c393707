// A route's conditions as regexes of the lookup table.
#pragma once

#include <optional>
#include <string>

#include "swarmgate/model/routes.h"

namespace swarmgate::routing {

/// What an entry of the tree does not say by its key: the path's regex and the excluded regexes. It
/// begins to match where the path begins. Empty: nothing. Nothing at all when a regex cannot be
/// used.
[[nodiscard]] std::optional<std::string> TreeCondition(const model::Route& route);

/// The whole route as one regex on "<host>|<port>|<path>". REQUIRES: its host is not exact.
[[nodiscard]] std::optional<std::string> HostListRegex(const model::Route& route);

}  // namespace swarmgate::routing
