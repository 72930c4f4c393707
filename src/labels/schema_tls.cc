// Certificates.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "serviceCert",
     .level = Level::kService,
     .type = "PEM",
     .help = "Certificate, chain and unencrypted key of the service, `\\n` for line breaks; served "
             "for the names in it.",
     .example = "-----BEGIN CERTIFICATE-----\\n…",
     .secret = true,
     .long_text = true,
     .set = set::ServiceCert},
});

}  // namespace

std::span<const Parameter> TlsParameters() { return kEntries; }

}  // namespace swarmgate::labels
