// Who may send what.
#include <array>

#include "labels/schema_parts.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "users",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Users and passwords that are asked for.",
     .notice = Severity::kError,
     .secret = true},
    {.name = "usersSecret",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Secret that holds users and passwords.",
     .notice = Severity::kError},
    {.name = "usersPassEncrypted",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "The passwords are hashes.",
     .notice = Severity::kWarning},
    {.name = "useGlobalUsers",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .type = "bool",
     .help = "Never documented; asks for the users of USERS.",
     .notice = Severity::kError},
    {.name = "ignoreAuthorization",
     .effect = Effect::kNotYet,
     .help = "No users are asked for here.",
     .notice = Severity::kInfo},
    {.name = "allowedMethods",
     .effect = Effect::kNotYet,
     .help = "Only these methods.",
     .notice = Severity::kError},
    {.name = "deniedMethods",
     .effect = Effect::kNotYet,
     .help = "Not these methods.",
     .notice = Severity::kError},
    {.name = "denyHttp",
     .effect = Effect::kNotYet,
     .type = "bool",
     .help = "Refuses requests without TLS.",
     .notice = Severity::kError},
    {.name = "httpsOnly",
     .effect = Effect::kNotYet,
     .help = "Redirects to https.",
     .notice = Severity::kWarning},
    {.name = "httpsRedirectCode",
     .effect = Effect::kNotYet,
     .help = "Status of the redirects to https.",
     .notice = Severity::kInfo},
    {.name = "redirectWhenHttpProto",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Redirects to https by X-Forwarded-Proto.",
     .notice = Severity::kWarning},
    {.name = "redirectUnlessHttpsProto",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Redirects to https by X-Forwarded-Proto.",
     .notice = Severity::kWarning},
    {.name = "verifyClientSsl",
     .effect = Effect::kNotYet,
     .type = "bool",
     .help = "Asks for client certificates.",
     .notice = Severity::kError},
});

}  // namespace

std::span<const Parameter> AccessParameters() { return kEntries; }

}  // namespace swarmgate::labels
