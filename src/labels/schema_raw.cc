// Raw configuration and templates.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "backendExtra",
     .level = Level::kService,
     .type = "lines",
     .fallback = "none",
     .help = "Lines of HAProxy's configuration at the end of each backend of the service, divided "
             "by \\n. Only where the operator has set ALLOW_RAW_CONFIG.",
     .example = "http-request set-header X-A b",
     .hint = "Write lines of a backend's section, divided by \\n",
     .cost = Cost::kSection,
     .set = set::BackendExtra},
    {.name = "templateFePath",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Go templates are not carried out: the labels for routes and headers, or "
             "backendExtra, say the same.",
     .notice = Severity::kWarning},
    {.name = "templateBePath",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Go templates are not carried out: labels, or backendExtra, say the same.",
     .notice = Severity::kWarning},
    {.name = "aclCondition",
     .level = Level::kService,
     .type = "condition",
     .fallback = "none",
     .help = "Only what fulfils this condition of HAProxy's is let in: of requests the others get "
             "403, other connections are closed. Only where the operator has set ALLOW_RAW_CONFIG.",
     .example = "{ src 10.0.0.0/8 }",
     .hint = "Write conditions in braces, without if, as in { src 10.0.0.0/8 }",
     .restricts = true,
     .cost = Cost::kSection,
     .set = set::AclCondition},
    {.name = "debug",
     .level = Level::kService,
     .effect = Effect::kReplaced,
     .help = "Whether requests are logged is the operator's setting, for all services."},
    {.name = "debugFormat",
     .level = Level::kService,
     .effect = Effect::kReplaced,
     .help = "How requests are logged is the operator's setting, for all services."},
    {.name = "userDef",
     .effect = Effect::kReplaced,
     .help = "A value for templates, which there are none of: write it where it is needed."},
});

}  // namespace

std::span<const Parameter> RawParameters() { return kEntries; }

}  // namespace swarmgate::labels
