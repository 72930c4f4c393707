#include <string>
#include <string_view>

#include "labels/schema.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::labels {

std::string ParametersMarkdown() { return "\n"; }

}  // namespace swarmgate::labels
