// Options that several variables say together: the statistics page and the access log.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "swarmgate/app/options.h"

namespace swarmgate::app {

/// The predecessor lets the secret of this variable win over the variable itself.
[[nodiscard]] bool SecretWins(const std::string& name);

/// Fills Options::extras. `variable` gives the value of a secret or variable by the variable's
/// name, `flags` those that were given as flags. Errors: kInvalidArgument.
[[nodiscard]] Status ComposeExtras(
    const std::function<std::optional<std::string>(const std::string&)>& variable,
    const std::map<std::string, std::string>& flags, Options& options);

}  // namespace swarmgate::app
