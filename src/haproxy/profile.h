// What a profile adds to the section of its slots. Same profile, same text: the class of a slot is
// named by a hash of it.
#pragma once

#include <string>

#include "swarmgate/model/routes.h"
#include "swarmgate/model/treatment.h"

namespace swarmgate::haproxy {

struct ProfileText {
  std::string head;   ///< sections that stand before the first slot; complete lines
  std::string lines;  ///< of each slot's section, indented; complete lines
};
[[nodiscard]] ProfileText RenderProfile(const model::Profile& profile, model::BackendKind kind);

}  // namespace swarmgate::haproxy
