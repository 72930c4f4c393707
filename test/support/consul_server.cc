#include "support/consul_server.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "support/network.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

std::string ConsulServer::Binary() {
  if (const std::string given = Variable("SWARMGATE_CONSUL"); !given.empty()) return given;
  if (HaveProgram("consul")) return "consul";
  std::string cache = Variable("XDG_CACHE_HOME");
  if (cache.empty()) cache = Variable("HOME") + "/.cache";
  const std::string path = cache + "/swarmgate/consul/usr/bin/consul";
  return access(path.c_str(), X_OK) == 0 ? path : std::string();
}

std::string ConsulServer::WhyNot() {
  return Binary().empty() ? "there is no consul (scripts/deps test brings one)" : "";
}

ConsulServer& ConsulServer::Shared() {
  static ConsulServer server;
  return server;
}

ConsulServer::ConsulServer(std::string configuration)
    : configuration_(std::move(configuration)),
      http_port_(FreePort()),
      rpc_port_(FreePort()),
      lan_port_(FreePort()),
      wan_port_(FreePort()) {
  StartEmpty();
}

void ConsulServer::StartEmpty() {
  data_ = std::make_unique<TempDir>("consul");
  Start();
}

void ConsulServer::Start() {
  ChildOptions options;
  options.argv = {Binary(),
                  "agent",
                  "-server",
                  "-bootstrap-expect=1",
                  "-bind=127.0.0.1",
                  "-client=127.0.0.1",
                  "-node=test",
                  "-data-dir=" + data_->path(),
                  "-log-level=warn",
                  "-http-port=" + std::to_string(http_port_),
                  "-server-port=" + std::to_string(rpc_port_),
                  "-serf-lan-port=" + std::to_string(lan_port_),
                  "-serf-wan-port=" + std::to_string(wan_port_),
                  "-dns-port=-1",
                  "-hcl=performance { raft_multiplier = 1 }",
                  "-hcl=disable_update_check = true"};
  if (!configuration_.empty()) options.argv.push_back("-hcl=" + configuration_);
  process_ = std::make_unique<ChildProcess>(options);
  // Its leader's address is there before it answers, and its own node, which sessions need, later.
  const bool ready = WaitUntil(
      [&] {
        if (!process_->Running()) return true;
        if (Get(endpoint(), "/v1/status/leader").body.size() <= 4) return false;
        const int keys = Get(endpoint(), "/v1/kv/none").status;
        if (keys == 403) return true;
        return keys == 404 &&
               Get(endpoint(), "/v1/catalog/node/test").body.find("\"Node\"") != std::string::npos;
      },
      seconds(30), milliseconds(50));
  if (!ready || !process_->Running()) {
    throw std::runtime_error("consul does not start:\n" + process_->Tail());
  }
}

void ConsulServer::Pause() { process_->Signal(SIGSTOP); }
void ConsulServer::Resume() { process_->Signal(SIGCONT); }

bool ConsulServer::PutKey(const std::string& key, const std::string& value) const {
  HttpRequest request;
  request.method = "PUT";
  request.target = "/v1/kv/" + key;
  request.body = value;
  return Fetch(endpoint(), request).body == "true";
}

bool ConsulServer::DeleteKey(const std::string& key) const {
  HttpRequest request;
  request.method = "DELETE";
  request.target = "/v1/kv/" + key;
  return Fetch(endpoint(), request).body == "true";
}

std::string ConsulServer::Key(const std::string& key) const {
  const HttpResponse response = Get(endpoint(), "/v1/kv/" + key + "?raw");
  return response.status == 200 ? response.body : "";
}

}  // namespace swarmgate::testing
