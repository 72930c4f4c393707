// The one order of precedence that the lookup table is compiled from and that Explain tells.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/model/routes.h"

namespace swarmgate::routing {

/// Negative: `a` comes first. Zero: equal but for the place inside one service. When `why` is given
/// it is set to the reason why the one that comes first does, as an end of "because …".
int CompareRoutes(const model::Route& a, const model::Route& b, std::string* why = nullptr);

/// The whole order: by CompareRoutes, then by the place inside the service.
bool ComesBefore(const model::Route& a, const model::Route& b);

/// Stands before more specific hosts and longer paths: /.well-known, or ranked by a
/// priority or an aclName.
bool IsSpecial(const model::Route& route);

/// May come before routes of more specific hosts, so that it is entered under these, too.
bool StandsUnderOtherHosts(const model::Route& route);

}  // namespace swarmgate::routing
