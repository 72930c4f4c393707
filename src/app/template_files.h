// Files of templates, which labels name and the operator keeps.
#pragma once

#include <string>

#include "swarmgate/base/error.h"

namespace swarmgate::app {

/// The text of a file below `folder`, absolute or from there; links that lead out of it are not
/// followed. Errors: with what is wrong, for the owner of the service: kInvalidArgument (elsewhere,
/// no file, larger than 64 KiB), kNotFound, kUnavailable.
[[nodiscard]] Result<std::string> ReadTemplate(const std::string& folder, const std::string& path);

}  // namespace swarmgate::app
