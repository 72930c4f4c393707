// A route's conditions as regexes of the lookup table.
#pragma once

#include <optional>
#include <string>

#include "swarmgate/model/routes.h"

namespace swarmgate::routing {

/// Are all regexes of the route of the form "^…$", and does each compile?
[[nodiscard]] bool RegexesCompile(const model::Route& route);

/// Looks at the path by a regex. Such a route never gets a request without a path (OPTIONS *): in a
/// map's subject '^' does not match behind its last newline.
[[nodiscard]] bool HasPathRegex(const model::Route& route);

/// What an entry of the tree does not say by its key: the path's regex and the excluded regexes. It
/// begins to match where the path begins. Empty: nothing. Nothing at all when a regex cannot be
/// used.
[[nodiscard]] std::optional<std::string> TreeCondition(const model::Route& route);

/// What a route asks of headers, as assertions that hold where the headers begin (see
/// MatchCandidate::header_regex). Empty: nothing.
[[nodiscard]] std::string HeaderRegex(const model::Conditions& conditions);

/// The whole route as one regex on "<host>|<port>|<path>". `with_headers`: headers may stand before
/// that, with an empty line between. REQUIRES: its host is not exact, and `with_headers` where it
/// has conditions.
[[nodiscard]] std::optional<std::string> HostListRegex(const model::Route& route,
                                                       bool with_headers);

}  // namespace swarmgate::routing
