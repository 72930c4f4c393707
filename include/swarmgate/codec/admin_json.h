// How services and diagnostics read in the admin API's JSON: the fields that users of Docker Flow
// Proxy know, with their spelling, and diagnostics beside them. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "swarmgate/codec/json.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/routes.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::codec {

/// The members of a service in the predecessor's spelling ("AclName", "ServiceDest": […]), all of
/// them; passwords and keys are stars. `parameters`: as its owner gave them, names without prefix,
/// secrets taken out, for what the typed form does not keep.
/// REQUIRES: inside an object. Does not write "ServiceName".
void WriteSpecFields(JsonWriter& json, const model::ServiceSpec& spec,
                     const std::map<std::string, std::string>& parameters);

/// An array of {"severity", "code", "service", "label", "value", "message", "hint", "text"}.
void WriteDiagnostics(JsonWriter& json, const std::vector<model::Diagnostic>& diagnostics);

/// One route as an object.
void WriteRoute(JsonWriter& json, const model::Route& route);

/// "path_beg /demo": as its owner wrote it, or the closest to it.
[[nodiscard]] std::string PathText(const model::PathMatch& path);
/// "a.com", "*.a.com", a regex as its owner wrote it; empty for any host.
[[nodiscard]] std::string HostText(const model::HostMatch& host);

}  // namespace swarmgate::codec
