// Which requests a destination gets.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

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
     .type = "boolean",
     .fallback = "false",
     .help =
         "As serviceDomainAlgo=hdr_dom(host): serviceDomain also takes all hosts that contain it "
         "as whole labels.",
     .example = "true",
     .hint = kBoolHint,
     .set = set::ServiceDomainMatchAll},
    {.name = "pathType",
     .type = "way to compare paths",
     .fallback = "path_beg",
     .help = "How servicePath and servicePathExclude are compared: path (equal), path_beg "
             "(prefix), path_dir (prefix of whole segments), path_end, path_sub, path_dom, "
             "path_len, path_reg (regex); behind it -i to ignore letter case. With "
             "reqMode=sni: req_ssl_sni, and behind it -m beg or -m end if need be.",
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
     .fallback = "any; 80 where httpsPort is given",
     .help = "Only requests that came in by this port of the proxy.",
     .example = "8085",
     .hint = kPortHint,
     .set = set::SrcPort},
    {.name = "httpsPort",
     .type = "port",
     .help = "Port inside the container for requests that came in by srcHttpsPort; port is then "
             "only for those that came in by srcPort.",
     .example = "8443",
     .hint = kPortHint,
     .creates = true,
     .set = set::HttpsPort},
    {.name = "srcHttpsPort",
     .type = "port",
     .fallback = "443",
     .help = "Port of the proxy whose requests go to httpsPort.",
     .example = "8443",
     .hint = kPortHint,
     .set = set::SrcHttpsPort},
    {.name = "serviceHeader",
     .type = "list of name:value",
     .help = "Only requests with all of these headers. The value is compared with each of the "
             "header's values divided by commas, letter by letter.",
     .example = "X-Version:3,X-Name:Jacka",
     .hint = "Write header:value pairs divided by a comma, as in X-Version:3,X-Name:Jacka; a comma "
             "itself is written \\,",
     .restricts = true,
     .set = set::ServiceHeader},
    {.name = "userAgent",
     .type = "list of texts",
     .help = "Only requests whose User-Agent contains one of these, letter case ignored.",
     .example = "amiga,amstrad",
     .hint = "Write parts of user agents divided by commas, as in amiga,amstrad",
     .restricts = true,
     .set = set::UserAgent},
    {.name = "redirectFromDomain",
     .type = "list of hosts",
     .help = "Hosts whose requests (of the same paths) are redirected to the first serviceDomain "
             "with status 301; scheme, port, path and query stay as they are.",
     .example = "www.example.com,*.example.org",
     .hint = "Write host names such as www.example.com or *.example.com",
     .set = set::RedirectFromDomain},
    {.name = "weight",
     .type = "number or percentage",
     .fallback = "100 where another service has one",
     .help =
         "Services that claim the same host, path, port and headers share the requests by weight "
         "(0 to 256, or a percentage of all) instead of being in conflict, when at least one of "
         "them has a weight.",
     .example = "10%",
     .hint = "Write a number from 0 to 256, or a percentage as in 10% or 0.5%",
     .set = set::Weight},
    {.name = "priority",
     .type = "number",
     .help = "Routes with a priority come before all others, the greatest first, however specific "
             "these are. The path / is only ranked where serviceDomain is given.",
     .example = "10",
     .hint = "Write a number from 1 to 1000000",
     .set = set::Priority},
});

}  // namespace

std::span<const Parameter> RoutingParameters() { return kEntries; }

}  // namespace swarmgate::labels
