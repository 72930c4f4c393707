// Paths of routes: when they match, and which part of the prefix tree is theirs.
//
// HAProxy looks up "<path>/?" behind the host. So the keys of a path are: "/demo" for a raw prefix,
// "/demo/" for a whole segment, "/demo/?" for exactly this path ('?' never stands in a path).
#pragma once

#include <string>
#include <string_view>

#include "swarmgate/model/service_spec.h"

namespace swarmgate::routing {

/// Only what can stand in a request's path: starts with '/', no '?', '#', white space or control
/// byte.
bool IsCleanPath(std::string_view text);

/// One way to write each path: "/demo/" by segment is "/demo", "/" by segment is "/" by prefix.
model::PathMatch NormalisePath(model::PathMatch path);

/// The key that opens the region of a (normalised) path. REQUIRES: not a regex.
std::string PathKey(const model::PathMatch& path);

/// "/demo/" by prefix does not match "/demo", though "/demo/?" starts with it: the key of that
/// hole, or empty.
std::string PathHole(const model::PathMatch& path);

/// Does the path match everything in the region that `key` opens? REQUIRES: the region is not cut
/// by a key of `path`.
bool PathCoversKey(const model::PathMatch& path, std::string_view key);

/// Does a request's path match? REQUIRES: not a regex.
bool PathMatches(const model::PathMatch& path, std::string_view request_path);

/// "prefix /demo", "exact path /a", "regex ^/x", "everything": for people.
std::string DescribePath(const model::PathMatch& path);

}  // namespace swarmgate::routing
