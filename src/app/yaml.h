// YAML as the tree that JSON is read into, bounded: aliases are copies, so a small file could
// otherwise become a large tree.
#pragma once

#include <string>

#include "swarmgate/base/error.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::app {

/// The first document. Scalars become strings, merge keys (<<) are carried out. Pure.
/// Errors: kCorrupt, with line and column where there are any; also for a key that is given twice,
/// of which parsers take the one or the other.
[[nodiscard]] Result<codec::JsonValue> ParseYaml(const std::string& text);

}  // namespace swarmgate::app
