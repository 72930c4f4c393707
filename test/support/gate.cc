#include "support/gate.h"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>
#include <stdexcept>

#include "support/json.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool IsHaproxy(pid_t pid) {
  return ReadFile("/proc/" + std::to_string(pid) + "/comm") == "haproxy\n";
}

}  // namespace

Gate::Gate(GateOptions options)
    : options_(std::move(options)),
      data_dir_("gate"),
      web_port_(FreePort(options_.network)),
      admin_port_(FreePort(options_.network)) {}

Gate::~Gate() {
  if (process_ != nullptr && process_->Running()) Stop();
  KillProcessesOf(data_dir_.path());
}

void Gate::Start() {
  Launch();
  const bool ready = WaitUntil(
      [&] { return Admin("/readyz").status == 200 || !process_->Running(); }, seconds(30));
  if (!ready || !process_->Running()) {
    throw std::runtime_error("swarmgate is not ready: " + Admin("/readyz").Summary() + "\n" +
                             process_->Tail());
  }
}

void Gate::Launch() {
  std::map<std::string, std::string> environment{
      {"DATA_DIR", data_dir_.path()},
      {"DEFAULT_PORTS", std::to_string(web_port_)},
      {"PORT", std::to_string(admin_port_)},
      {"IP", "127.0.0.1"},
      {"DOCKER_HOST", options_.docker_socket.empty() ? "none" : "unix://" + options_.docker_socket},
  };
  if (!options_.own_container.empty()) environment["OWN_CONTAINER"] = options_.own_container;
  for (const auto& [name, value] : options_.environment) environment[name] = value;

  ChildOptions child;
  child.argv = {SwarmgateBinary(), "run"};
  child.network = options_.network;
  child.environment.assign(environment.begin(), environment.end());
  process_ = std::make_unique<ChildProcess>(child);
}

int Gate::Stop() { return process_->Terminate(seconds(20)); }

Endpoint Gate::web() const { return {.port = web_port_, .network = options_.network}; }

Endpoint Gate::admin() const { return {.port = admin_port_, .network = options_.network}; }

std::string Gate::Log() const { return process_ == nullptr ? std::string() : process_->Output(); }

HttpResponse Gate::Web(const std::string& target, const std::string& host) const {
  return Get(web(), target, host);
}

HttpResponse Gate::Admin(const std::string& target, const std::string& method) const {
  HttpRequest request;
  request.method = method;
  request.target = target;
  return Fetch(admin(), request);
}

bool Gate::WaitStatus(int status, const std::string& target, const std::string& host,
                      milliseconds limit) const {
  return WaitUntil([&] { return Web(target, host).status == status; }, limit);
}

bool Gate::WaitServers(size_t count, const std::string& target, const std::string& host,
                       milliseconds limit) const {
  return WaitUntil(
      [&] {
        std::set<std::string> servers;
        for (size_t i = 0; i < 4 * count + 4; ++i) {
          const HttpResponse response = Web(target, host);
          if (response.status != 200) return false;
          servers.insert(response.Header("X-Echo-Host"));
        }
        return servers.size() == count;
      },
      limit, milliseconds(50));
}

std::string Gate::ServiceText(const std::string& service) const {
  return Admin("/v1/services/" + service).body;
}

bool Gate::WaitServiceSays(const std::string& service, const std::string& text,
                           milliseconds limit) const {
  return WaitUntil([&] { return ServiceText(service).find(text) != std::string::npos; }, limit,
                   milliseconds(20));
}

CommandResult Gate::Cli(std::vector<std::string> arguments) const {
  ChildOptions child;
  child.argv = std::move(arguments);
  child.argv.insert(child.argv.begin(), SwarmgateBinary());
  child.network = options_.network;
  child.environment = {{"IP", "127.0.0.1"}, {"PORT", std::to_string(admin_port_)}};
  if (const auto token = options_.environment.find("ADMIN_TOKEN");
      token != options_.environment.end()) {
    child.environment.emplace_back("ADMIN_TOKEN", token->second);
  }
  return RunCommand(child);
}

int Gate::Reloads() const {
  std::istringstream lines(Admin("/metrics").body);
  int total = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("swarmgate_reloads_total", 0) != 0) continue;
    if (line.find("reason=\"start\"") != std::string::npos) continue;
    total += atoi(line.c_str() + line.rfind(' ') + 1);
  }
  return total;
}

pid_t Gate::controller() const {
  for (pid_t pid : ChildrenOf(process_->pid())) {
    if (!IsHaproxy(pid)) return pid;
  }
  return 0;
}

pid_t Gate::haproxy_master() const {
  const std::vector<pid_t> pids = ProcessesOf(data_dir_.path());
  for (pid_t pid : pids) {
    // The master is the one with a child that is HAProxy too.
    if (!IsHaproxy(pid)) continue;
    const std::vector<pid_t> children = ChildrenOf(pid);
    if (std::any_of(children.begin(), children.end(), IsHaproxy)) return pid;
  }
  return 0;
}

pid_t Gate::haproxy_worker() const {
  pid_t youngest = 0;
  for (pid_t pid : ChildrenOf(haproxy_master())) {
    if (IsHaproxy(pid)) youngest = std::max(youngest, pid);
  }
  return youngest;
}

void Gate::KillEverything() {
  if (process_ != nullptr) process_->Signal(SIGKILL);
  KillProcessesOf(data_dir_.path());
  if (process_ != nullptr) process_->Wait(seconds(5));
}

}  // namespace swarmgate::testing
