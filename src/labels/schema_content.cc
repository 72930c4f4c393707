// What is done to requests and answers on the way.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

constexpr std::string_view kHeaderHint =
    "Write name, space, value and perhaps a condition: X-Port %[dst_port] if { ssl_fc }";

// In the order in which the rules are carried out. Values of headers are secrets: they may be an
// Authorization.
constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "addReqHeader",
     .alias = "addHeader",
     .level = Level::kService,
     .type = "list of headers",
     .help =
         "Adds headers to requests: a name, a space, a value (see *Headers*), perhaps a condition.",
     .example = "X-Forwarded-Port %[dst_port]",
     .hint = kHeaderHint,
     .secret = true,
     .set = set::AddReqHeader},
    {.name = "setReqHeader",
     .alias = "setHeader",
     .level = Level::kService,
     .type = "list of headers",
     .help = "Sets headers of requests, in the place of those of this name.",
     .example = "X-Forwarded-Ssl on if { ssl_fc }",
     .hint = kHeaderHint,
     .secret = true,
     .set = set::SetReqHeader},
    {.name = "addResHeader",
     .level = Level::kService,
     .type = "list of headers",
     .help = "Adds headers to answers.",
     .example = "X-Via %[env(HOSTNAME)]",
     .hint = kHeaderHint,
     .secret = true,
     .set = set::AddResHeader},
    {.name = "setResHeader",
     .level = Level::kService,
     .type = "list of headers",
     .help = "Sets headers of answers, in the place of those of this name.",
     .example = "X-Frame-Options DENY",
     .hint = kHeaderHint,
     .secret = true,
     .set = set::SetResHeader},
    {.name = "delReqHeader",
     .level = Level::kService,
     .type = "list of names",
     .help = "Removes headers of requests.",
     .example = "X-Debug",
     .hint = "Write names of headers",
     .set = set::DelReqHeader},
    {.name = "delResHeader",
     .level = Level::kService,
     .type = "list of names",
     .help = "Removes headers of answers.",
     .example = "Server",
     .hint = "Write names of headers",
     .set = set::DelResHeader},
    {.name = "compressionAlgo",
     .level = Level::kService,
     .type = "gzip, deflate, raw-deflate",
     .fallback = "none",
     .help = "Compresses answers for clients that take it.",
     .example = "gzip",
     .hint = "Write gzip, deflate or raw-deflate",
     .set = set::CompressionAlgo},
    {.name = "compressionType",
     .level = Level::kService,
     .type = "list of media types",
     .fallback = "all",
     .help = "Media types that are compressed, divided by spaces or commas.",
     .example = "text/css text/html",
     .hint = "Write media types, as in text/css text/html",
     .set = set::CompressionType},
    {.name = "corsOrigin",
     .type = "list of origins",
     .fallback = "none",
     .help = "Pages of these origins (or * for all) may call the service: preflight requests are "
             "answered by the proxy, answers get the headers of CORS.",
     .example = "https://app.example.com",
     .hint = "Write origins as browsers send them, in lower case and without path: "
             "https://app.example.com, or * alone",
     .set = set::CorsOrigin},
    {.name = "corsMethods",
     .type = "list of methods",
     .fallback = "GET,HEAD,POST,PUT,PATCH,DELETE",
     .help = "Methods that they may use.",
     .example = "GET,POST",
     .hint = "Write methods, as in GET,POST",
     .set = set::CorsMethods},
    {.name = "corsHeaders",
     .type = "list of names",
     .fallback = "none",
     .help = "Headers that they may send beside the harmless ones.",
     .example = "Content-Type,Authorization",
     .hint = "Write names of headers",
     .set = set::CorsHeaders},
    {.name = "corsCredentials",
     .type = "bool",
     .fallback = "false",
     .help = "They may send cookies and authorization.",
     .example = "true",
     .hint = kBoolHint,
     .set = set::CorsCredentials},
    {.name = "corsMaxAge",
     .type = "duration",
     .fallback = "browser",
     .help = "How long a preflight answer may be remembered.",
     .example = "600",
     .hint = kTimeHint,
     .set = set::CorsMaxAge},
    {.name = "errorPage",
     .type = "list of status:text",
     .fallback = "none",
     .help = "Pages in the place of answers with these statuses, whether they come from the "
             "service or from the proxy. A comma is part of the text unless a status and a colon "
             "follow it. Text that begins with < is HTML.",
     .example = "503:<h1>Back soon</h1>",
     .hint = "Write a status, a colon and the text: 503:<h1>Back soon</h1>",
     .set = set::ErrorPage},
});

}  // namespace

std::span<const Parameter> ContentParameters() { return kEntries; }

}  // namespace swarmgate::labels
