// Raw configuration and templates.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

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
     .type = "path of a file",
     .fallback = "none",
     .help = "A template of rules that lead to the backends of templateBePath, in the place of the "
             "service's routes (templates.md). Only where the operator has set ALLOW_RAW_CONFIG.",
     .example = "/cfg/tmpl/go-demo-fe.tmpl",
     .hint = "Write the path of a file below the proxy's TEMPLATES_PATH",
     .set = set::TemplateFePath},
    {.name = "templateBePath",
     .level = Level::kService,
     .type = "path of a file",
     .fallback = "none",
     .help = "A template of the service's backends; without templateFePath its lines go into the "
             "backends that the service has anyway (templates.md). Only where the operator has set "
             "ALLOW_RAW_CONFIG.",
     .example = "/cfg/tmpl/go-demo-be.tmpl",
     .hint = "Write the path of a file below the proxy's TEMPLATES_PATH",
     .set = set::TemplateBePath},
    {.name = "aclCondition",
     .level = Level::kService,
     .type = "condition",
     .fallback = "none",
     .help = "Only what fulfils this condition of HAProxy's is let in: of requests the others get "
             "403, other connections are closed. Judged as the request came, before its path is "
             "rewritten and its headers are set. Only where the operator has set ALLOW_RAW_CONFIG.",
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
     .fallback = "none",
     .help = "A value for templates, which call it UserDef.",
     .example = "blue",
     .set = set::UserDef},
});

}  // namespace

std::span<const Parameter> RawParameters() { return kEntries; }

}  // namespace swarmgate::labels
