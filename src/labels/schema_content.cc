// What is done to requests and answers on the way.
#include <array>

#include "labels/schema_parts.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

// Values of headers are secrets: they may be an Authorization.
constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "addReqHeader",
     .alias = "addHeader",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Adds headers to requests.",
     .notice = Severity::kInfo,
     .secret = true},
    {.name = "setReqHeader",
     .alias = "setHeader",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Sets headers of requests.",
     .notice = Severity::kInfo,
     .secret = true},
    {.name = "addResHeader",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Adds headers to responses.",
     .notice = Severity::kInfo,
     .secret = true},
    {.name = "setResHeader",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Sets headers of responses.",
     .notice = Severity::kInfo,
     .secret = true},
    {.name = "delReqHeader",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Removes headers of requests.",
     .notice = Severity::kWarning},
    {.name = "delResHeader",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Removes headers of responses.",
     .notice = Severity::kWarning},
    {.name = "compressionAlgo",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Compression of responses.",
     .notice = Severity::kInfo},
    {.name = "compressionType",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Media types that are compressed.",
     .notice = Severity::kInfo},
});

}  // namespace

std::span<const Parameter> ContentParameters() { return kEntries; }

}  // namespace swarmgate::labels
