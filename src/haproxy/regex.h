// Users' regexes inside HAProxy's map files: how a path regex and a rewrite become a line that
// stands beside others.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {

/// The regex in a form that a map line and a Runtime API command can hold: no space, no "<<".
[[nodiscard]] std::string MapRegex(const std::string& regex);

/// The key for one candidate of the group "~<id>" or "^<id>". The subject of "~" is
/// "~<id>:<port>:\n<path>": the newline gives ^ and $ of the user their meaning. The subject of "^"
/// has the request's headers and an empty line in front of the path.
[[nodiscard]] std::string GroupKey(const std::string& group,
                                   const model::MatchCandidate& candidate);

/// The key for a whole regex of the host list; nothing when it would spoil the list.
[[nodiscard]] std::optional<std::string> HostKey(const std::string& regex);

/// The line of the i-th pair of the rewrites "<id>": its subject is "<path>\n<id>.<i>", its value
/// becomes the new path. Nothing when WhyNotRewritable has an objection.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> RewriteLine(
    const std::string& id, std::size_t i, const model::PathRewrite& rewrite);

}  // namespace swarmgate::haproxy
