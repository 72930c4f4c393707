#include "cluster/consul_cluster.h"

#include <signal.h>

#include <stdexcept>

#include "support/consul_server.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

constexpr int kServers = 3;
constexpr int kFirstAddress = 101;
constexpr int kPort = 8500;

}  // namespace

ConsulCluster::ConsulCluster(Hub* hub) : hub_(hub) {
  for (int i = 0; i < kServers; ++i) {
    Server server;
    server.address = hub->AddAddress(kFirstAddress + i);
    server.data = std::make_unique<TempDir>("consul");
    servers_.push_back(std::move(server));
  }
  for (size_t i = 0; i < servers_.size(); ++i) Start(i);
}

std::string ConsulCluster::addresses() const {
  std::string text;
  for (const Server& server : servers_) {
    text += (text.empty() ? "" : ",") + server.address + ":" + std::to_string(kPort);
  }
  return text;
}

void ConsulCluster::Start(size_t index) {
  Server& server = servers_[index];
  ChildOptions options;
  options.network = hub_->network();
  options.argv = {ConsulServer::Binary(),
                  "agent",
                  "-server",
                  "-bootstrap-expect=" + std::to_string(servers_.size()),
                  "-bind=" + server.address,
                  "-client=" + server.address,
                  "-node=c" + std::to_string(index),
                  "-data-dir=" + server.data->path(),
                  "-log-level=warn",
                  "-dns-port=-1",
                  "-retry-interval=1s",
                  "-hcl=performance { raft_multiplier = 1 }",
                  "-hcl=disable_update_check = true"};
  for (const Server& other : servers_) options.argv.push_back("-retry-join=" + other.address);
  server.process = std::make_unique<ChildProcess>(options);
  server.answers = true;
}

Endpoint ConsulCluster::EndpointOf(size_t server) const {
  return {.ip = servers_[server].address, .port = kPort, .network = hub_->network()};
}

HttpResponse ConsulCluster::Send(const HttpRequest& request) {
  const HttpResponse response = Fetch(EndpointOf(WaitLeader()), request);
  if (response.status != 200) throw std::runtime_error("Consul: " + response.Summary());
  return response;
}

size_t ConsulCluster::WaitLeader() {
  size_t leader = 0;
  const bool found = WaitUntil(
      [&] {
        for (size_t asked = 0; asked < servers_.size(); ++asked) {
          if (!servers_[asked].answers) continue;
          const Endpoint endpoint = EndpointOf(asked);
          const std::string answer = Get(endpoint, "/v1/status/leader").body;
          // Its own word is only as good as that it can serve a consistent read.
          if (Get(endpoint, "/v1/kv/none?consistent").status != 404) continue;
          for (leader = 0; leader < servers_.size(); ++leader) {
            if (answer.find(servers_[leader].address + ":") != std::string::npos) {
              return servers_[leader].answers;
            }
          }
        }
        return false;
      },
      std::chrono::seconds(30), std::chrono::milliseconds(50));
  if (!found) throw std::runtime_error("Consul has no leader:\n" + servers_[0].process->Tail());
  return leader;
}

void ConsulCluster::Kill(size_t server) {
  servers_[server].process->Kill();
  servers_[server].answers = false;
}

void ConsulCluster::Pause(size_t server) {
  servers_[server].process->Signal(SIGSTOP);
  servers_[server].answers = false;
}

void ConsulCluster::Resume(size_t server) {
  servers_[server].process->Signal(SIGCONT);
  servers_[server].answers = true;
}

}  // namespace swarmgate::testing
