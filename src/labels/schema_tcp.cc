// Services that do not speak HTTP.
#include <array>

#include "labels/schema_parts.h"
#include "labels/setters.h"

namespace swarmgate::labels {
namespace {

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "reqMode",
     .type = "http, tcp or sni",
     .fallback = "http",
     .help =
         "tcp: whatever comes in by srcPort goes to port. sni: TLS that the service ends itself; "
         "servicePath and serviceDomain are the names that clients ask for. Both need srcPort "
         "and port, and the proxy listens on srcPort just for them.",
     .example = "tcp",
     .hint = "Write http, tcp or sni",
     .cost = Cost::kPort,
     .set = set::ReqMode},
    {.name = "timeoutClient",
     .type = "duration",
     .fallback = "TIMEOUT_CLIENT",
     .help = "Longest silence of a client until it is connected to the service; from then on "
             "timeoutTunnel counts (tcp and sni; the first service of a port says it).",
     .example = "1m",
     .hint = kTimeHint,
     .cost = Cost::kPort,
     .set = set::TimeoutClient},
    {.name = "checkTcp",
     .type = "boolean",
     .fallback = "false",
     .help = "The proxy itself also checks, every 2 seconds, that tasks take connections (tcp and "
             "sni).",
     .example = "true",
     .hint = kBoolHint,
     .set = set::CheckTcp},
    {.name = "clitcpka",
     .type = "boolean",
     .fallback = "false",
     .help = "Keep-alive packets on connections of clients (tcp and sni; for the whole port).",
     .example = "true",
     .hint = kBoolHint,
     .cost = Cost::kPort,
     .set = set::CliTcpKa},
    {.name = "srcTls",
     .type = "boolean",
     .fallback = "false",
     .help = "Clients speak TLS on srcPort, which the proxy ends (tcp only), with the certificates "
             "that it has for https; the service gets what is inside.",
     .example = "true",
     .hint = kBoolHint,
     .cost = Cost::kPort,
     .set = set::SrcTls},
    {.name = "serviceGroup",
     .type = "name",
     .help =
         "tcp: services of one group on one srcPort are one backend that has the tasks of all of "
         "them.",
     .example = "db",
     .hint = kNameHint,
     .set = set::ServiceGroup},
    {.name = "balanceGroup",
     .type = "way to balance",
     .fallback = "roundrobin",
     .help = "How the tasks of a group get connections.",
     .example = "leastconn",
     .hint = "Write one of roundrobin, leastconn, source, first, random",
     .set = set::BalanceGroup},
});

}  // namespace

std::span<const Parameter> TcpParameters() { return kEntries; }

}  // namespace swarmgate::labels
