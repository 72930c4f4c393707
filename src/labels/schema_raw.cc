// Raw configuration and templates.
#include <array>

#include "labels/schema_parts.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "backendExtra",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Raw configuration of the backend.",
     .notice = Severity::kWarning},
    {.name = "templateFePath",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Template of the frontend.",
     .notice = Severity::kWarning},
    {.name = "templateBePath",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Template of the backend.",
     .notice = Severity::kWarning},
    {.name = "aclCondition",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Never documented; raw condition.",
     .notice = Severity::kError},
    {.name = "debug",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Never documented; log of the requests.",
     .notice = Severity::kInfo},
    {.name = "debugFormat",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Never documented; format of the log.",
     .notice = Severity::kInfo},
    {.name = "userDef",
     .effect = Effect::kNotYet,
     .help = "Value for templates.",
     .notice = Severity::kInfo},
});

}  // namespace

std::span<const Parameter> RawParameters() { return kEntries; }

}  // namespace swarmgate::labels
