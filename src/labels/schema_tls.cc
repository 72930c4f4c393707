// Certificates.
#include <array>

#include "labels/schema_parts.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "serviceCert",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Certificate of the service.",
     .notice = Severity::kWarning,
     .secret = true},
});

}  // namespace

std::span<const Parameter> TlsParameters() { return kEntries; }

}  // namespace swarmgate::labels
