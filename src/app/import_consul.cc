// `swarmgate import-consul`: what the first releases of Docker Flow Proxy kept in Consul, as calls
// of `reconfigure`, so that every service is judged as any other call is.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "app/client.h"
#include "app/commands.h"
#include "app/shared_store.h"
#include "swarmgate/app/main.h"
#include "swarmgate/app/options.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/consul/legacy.h"

namespace swarmgate::app {
namespace {

Result<consul::ConsulOptions> Where(const CommandLine& line) {
  const auto options = ReadOptions(SystemSources({}));
  if (!options) return Forward(options.error());
  consul::ConsulOptions where = ConsulOptionsOf(*options);
  if (line.words.size() == 1) {
    auto servers = consul::ParseServers(line.words[0]);
    if (!servers) return Forward(servers.error(), Printable(line.words[0], 100));
    where.servers = std::move(*servers);
  }
  if (where.servers.empty()) {
    return Fail(Code::kInvalidArgument, "say where Consul is: swarmgate import-consul host:8500");
  }
  return where;
}

}  // namespace

int RunImportConsul(const CommandLine& line) {
  if (line.words.size() > 1) return UsageError("import-consul takes Consul's address and no more");
  const auto where = Where(line);
  if (!where) return UsageError(where.error().ToString());
  const auto legacy = consul::ReadLegacy(*where);
  if (!legacy) {
    std::fprintf(stderr, "swarmgate: %s\n", legacy.error().ToString().c_str());
    return kExitUnreachable;
  }
  for (const std::string& note : legacy->notes) std::printf("%s\n", note.c_str());
  AdminClient client(line);
  int result = kExitOk;
  for (const auto& parameters : legacy->services) {
    const std::vector<std::pair<std::string, std::string>> query(parameters.begin(),
                                                                 parameters.end());
    const auto response = client.Get("/v1/docker-flow-proxy/reconfigure" + QueryText(query));
    if (!response) {
      std::fprintf(stderr, "swarmgate: %s\n", response.error().ToString().c_str());
      return kExitUnreachable;
    }
    std::string said = "live";
    if (response->status >= 400) {
      const auto json = codec::JsonValue::Parse(response->body);
      said = json ? Printable((*json)["Message"].StringOr(), 300) : "refused";
      result = kExitProblem;
    }
    std::printf("%s: %s\n", Printable(parameters.at("serviceName"), 100).c_str(), said.c_str());
  }
  std::printf("%zu services found\n", legacy->services.size());
  return result;
}

}  // namespace swarmgate::app
