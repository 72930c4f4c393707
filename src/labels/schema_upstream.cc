// How the tasks are reached and spoken to.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "port",
     .type = "port",
     .fallback = "the only one that the service exposes",
     .help = "Port inside the container that requests are sent to.",
     .example = "8080",
     .hint = kPortHint,
     .creates = true,
     .set = set::Port},
    {.name = "outboundHostname",
     .type = "host name or address",
     .fallback = "the service's own tasks",
     .help = "Send requests to this host instead of the service's tasks.",
     .example = "backend.example.com",
     .hint = "Write a host name or an IP address, without port",
     .set = set::OutboundHostname},
    {.name = "sessionType",
     .level = Level::kService,
     .type = "sticky-server",
     .fallback = "none",
     .help = "sticky-server: a cookie leads each client to the same task again.",
     .example = "sticky-server",
     .set = set::SessionType},
    {.name = "timeoutServer",
     .type = "duration",
     .fallback = "TIMEOUT_SERVER",
     .help = "Longest silence of the service before a request is given up.",
     .example = "60",
     .hint = kTimeHint,
     .set = set::TimeoutServer},
    {.name = "timeoutTunnel",
     .type = "duration",
     .fallback = "TIMEOUT_TUNNEL",
     .help = "Longest silence on a websocket before it is closed.",
     .example = "1h",
     .hint = kTimeHint,
     .set = set::TimeoutTunnel},
    {.name = "reqPathSearchReplace",
     .type = "list of search,replacement",
     .help = "Rewrites the path on its way to the service: pairs search,replacement divided by a "
             "colon; the search is a regex, \\1 … \\9 in the replacement are its groups. A comma "
             "or colon itself is written \\, or \\:",
     .example = "^/demo/,/:/old,/new",
     .hint = "Write search,replacement pairs divided by a colon, as in ^/demo/,/:/old,/new; a "
             "comma or colon itself is written \\, or \\:",
     .set = set::ReqPathSearchReplace},
    {.name = "reqPathSearch",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Use reqPathSearchReplace.",
     .notice = Severity::kWarning},
    {.name = "reqPathReplace",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Use reqPathSearchReplace.",
     .notice = Severity::kWarning},
    {.name = "connectionMode",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "How connections are reused.",
     .notice = Severity::kInfo},
    {.name = "checkResolvers",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Resolves names at run time, which is always done.",
     .notice = Severity::kInfo},
    {.name = "sslVerifyNone",
     .effect = Effect::kNotYet,
     .help = "TLS to the service.",
     .notice = Severity::kWarning},
});

}  // namespace

std::span<const Parameter> UpstreamParameters() { return kEntries; }

}  // namespace swarmgate::labels
