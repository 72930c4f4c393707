// Which requests a destination gets.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

using model::Severity;

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "serviceDomainAlgo",
     .level = Level::kService,
     .type = "way to compare domains",
     .fallback = "hdr(host), or SERVICE_DOMAIN_ALGO",
     .help = "How serviceDomain is compared with the host of a request: hdr (equal), hdr_beg, "
             "hdr_end, hdr_dom (whole labels), hdr_sub, hdr_reg (regex), each with (host). Letter "
             "case never matters.",
     .example = "hdr_reg(host)",
     .hint = "Write one of hdr(host), hdr_beg(host), hdr_end(host), hdr_dom(host), hdr_sub(host), "
             "hdr_reg(host)",
     .set = set::ServiceDomainAlgo},
    {.name = "serviceDomainMatchAll",
     .level = Level::kService,
     .effect = Effect::kNotYet,
     .help = "Use serviceDomainAlgo=hdr_dom(host).",
     .notice = Severity::kWarning},
    {.name = "pathType",
     .type = "way to compare paths",
     .fallback = "path_beg",
     .help = "How servicePath and servicePathExclude are compared: path (equal), path_beg "
             "(prefix), path_dir (prefix of whole segments), path_end, path_sub, path_dom, "
             "path_len, path_reg (regex); behind it -i to ignore letter case.",
     .example = "path_dir",
     .hint = "Write one of path, path_beg, path_dir, path_end, path_sub, path_dom, path_len, "
             "path_reg, if need be with -i behind it",
     .set = set::PathTypeName},
    {.name = "servicePath",
     .type = "list of paths",
     .fallback = "/ where serviceDomain is given",
     .help = "Paths that lead to the service, compared as pathType says.",
     .example = "/demo,/api",
     .hint = "Write a path such as /demo",
     .creates = true,
     .set = set::ServicePath},
    {.name = "servicePathExclude",
     .type = "list of paths",
     .help = "Paths that do not lead to the service although servicePath says so.",
     .example = "/demo/private",
     .hint = "Write a path such as /demo/private",
     .set = set::ServicePathExclude},
    {.name = "serviceDomain",
     .type = "list of hosts",
     .fallback = "any host",
     .help = "Hosts that lead to the service: a.example.com, *.example.com (all below it), "
             "*example.com (all that end so).",
     .example = "a.example.com,*.b.example.com",
     .hint = "Write a host name such as a.example.com",
     .creates = true,
     .set = set::ServiceDomain},
    {.name = "srcPort",
     .type = "port",
     .fallback = "any",
     .help = "Only requests that came in by this port of the proxy.",
     .example = "8085",
     .hint = kPortHint,
     .set = set::SrcPort},
    {.name = "httpsPort",
     .effect = Effect::kAccepted,
     .type = "port",
     .help = "Port inside the container for requests that came in by TLS.",
     .example = "8443",
     .hint = kPortHint,
     .notice = Severity::kInfo,
     .creates = true,
     .set = set::HttpsPort},
    {.name = "srcHttpsPort",
     .effect = Effect::kNotYet,
     .help = "Only TLS requests that came in by this port.",
     .notice = Severity::kWarning},
    {.name = "serviceHeader",
     .effect = Effect::kNotYet,
     .help = "Only requests with these headers.",
     .notice = Severity::kError},
    {.name = "userAgent",
     .effect = Effect::kNotYet,
     .help = "Only requests of these user agents.",
     .notice = Severity::kError},
    {.name = "redirectFromDomain",
     .effect = Effect::kNotYet,
     .help = "Redirects from other domains.",
     .notice = Severity::kWarning},
});

}  // namespace

std::span<const Parameter> RoutingParameters() { return kEntries; }

}  // namespace swarmgate::labels
