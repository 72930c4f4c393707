// Services that do not speak HTTP.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "reqMode",
     .type = "http",
     .fallback = "http",
     .help = "Only http is honoured; tcp and sni are refused with a diagnostic.",
     .example = "http",
     .hint = "Only http is honoured: leave reqMode out",
     .set = set::ReqMode},
    {.name = "timeoutClient",
     .effect = Effect::kNotYet,
     .help = "Timeout of the client (tcp).",
     .notice = Severity::kInfo},
    {.name = "checkTcp",
     .effect = Effect::kNotYet,
     .help = "Health checks (tcp).",
     .notice = Severity::kInfo},
    {.name = "clitcpka",
     .effect = Effect::kNotYet,
     .help = "TCP keep-alive (tcp).",
     .notice = Severity::kInfo},
    {.name = "serviceGroup",
     .effect = Effect::kNotYet,
     .help = "Group of services (tcp).",
     .notice = Severity::kWarning},
    {.name = "balanceGroup",
     .effect = Effect::kNotYet,
     .help = "Balance of a group (tcp).",
     .notice = Severity::kInfo},
});

}  // namespace

std::span<const Parameter> TcpParameters() { return kEntries; }

}  // namespace swarmgate::labels
