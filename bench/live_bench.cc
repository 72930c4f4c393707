// How long until a change is live: from the API call, and from the moment that a task or container
// runs, to the first request that it answers through the proxy. Everything is real: dockerd, the
// Swarm, HAProxy, requests.
//
// Usage: live_bench api|docker [services already there] [samples]

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "report.h"
#include "support/child_process.h"
#include "support/dockerd.h"
#include "support/gate.h"
#include "support/json.h"
#include "support/network.h"
#include "support/paths.h"
#include "support/wait.h"
#include "swarmgate/sqlite/store.h"

namespace swarmgate::bench {
namespace {

using namespace swarmgate::testing;  // NOLINT(google-build-using-namespace): one program
using std::chrono::duration;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

double Milliseconds(steady_clock::duration d) { return duration<double, std::milli>(d).count(); }

void Require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

std::string Reconfigure(const std::string& name, const std::string& port) {
  return "/v1/docker-flow-proxy/reconfigure?serviceName=" + name + "&servicePath=/" + name +
         "/&port=" + port + "&outboundHostname=127.0.0.1";
}

/// Puts the services where an earlier run would have left them: one call for each of ten thousand
/// would take longer than all the rest.
void StoreServices(const Gate& gate, int services, const std::string& port) {
  const std::string state = gate.data_dir() + "/state";
  std::filesystem::create_directories(state);
  const auto store = sqlite::MakeStore(state + "/state.db");
  for (int i = 0; i < services; ++i) {
    model::Record record;
    const std::string name = "there" + std::to_string(i);
    record.service = model::ServiceName(name);
    record.parameters = {
        {"servicePath", "/" + name + "/"}, {"port", port}, {"outboundHostname", "127.0.0.1"}};
    Require(store->Put(record, 0).has_value(), "cannot store " + name);
  }
}

/// Processor time of the controller, without its children: what a busy machine does not change.
double CpuMilliseconds(const Gate& gate) {
  const std::string stat = ReadFile("/proc/" + std::to_string(gate.controller()) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string field;
  double ticks = 0;
  for (int i = 3; i <= 15 && fields >> field; ++i) {
    if (i >= 14) ticks += strtod(field.c_str(), nullptr);
  }
  return 1000 * ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void RunApi(int services, int samples) {
  const std::string port = std::to_string(FreePort());
  ChildOptions options;
  options.argv = {EchoServerBinary(), port};
  ChildProcess server(options);
  Gate gate(GateOptions{});
  StoreServices(gate, services, port);
  const auto started = steady_clock::now();
  gate.Start();
  if (services > 0) {
    const std::string last = "/there" + std::to_string(services - 1) + "/";
    Require(gate.WaitStatus(200, last, {}, seconds(60)), last + " is not live");
    PrintTimes("start", services, {Milliseconds(steady_clock::now() - started)});
  }
  std::vector<double> answered;
  std::vector<double> live;
  const double cpu_before = CpuMilliseconds(gate);
  for (int i = 0; i < samples; ++i) {
    const std::string name = "new" + std::to_string(i);
    const auto start = steady_clock::now();
    const HttpResponse response = gate.Admin(Reconfigure(name, port));
    answered.push_back(Milliseconds(steady_clock::now() - start));
    Require(response.status == 200, response.Summary());
    Require(WaitUntil([&] { return gate.Web("/" + name + "/").status == 200; }, seconds(5),
                      std::chrono::milliseconds(1)),
            name + " is not live");
    live.push_back(Milliseconds(steady_clock::now() - start));
    gate.Admin("/v1/docker-flow-proxy/remove?serviceName=" + name);
  }
  // Each sample is two changes: it is removed again.
  PrintTimes("cpu", services, {(CpuMilliseconds(gate) - cpu_before) / (2 * samples)});
  PrintTimes("api-answered", services, answered);
  PrintTimes("api-live", services, live);
}

/// "2026-11-23T18:33:50.245622797Z" as seconds since the epoch.
double Seconds(const std::string& rfc3339) {
  tm parts{};
  const char* rest = strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  Require(rest != nullptr, "no time: " + rfc3339);
  return static_cast<double>(timegm(&parts)) + (*rest == '.' ? strtod(rest, nullptr) : 0.0);
}

/// When the first 200 came, as seconds since the epoch.
double FirstAnswer(const Gate& gate, const std::string& path) {
  // One millisecond of polling is the measurement's resolution.
  Require(WaitUntil([&] { return gate.Web(path).status == 200; }, seconds(60),
                    std::chrono::milliseconds(1)),
          path + " is never live");
  return duration<double>(system_clock::now().time_since_epoch()).count();
}

Labels RouteLabels(const std::string& name) {
  return {{"com.df.notify", "true"}, {"com.df.servicePath", "/" + name}, {"com.df.port", "8080"}};
}

void RunDocker(int services, int samples) {
  Dockerd docker;
  docker.SwarmInit();
  docker.CreateOverlay("web");
  const Anchor anchor(&docker, "anchor", {"web"});
  Gate gate({.network = anchor.network(),
             .docker_socket = docker.socket(),
             .own_container = anchor.id()});
  gate.Start();
  for (int i = 0; i < services; ++i) {
    // Labelled, routed, and without tasks: the machine is for the samples.
    const std::string name = "there" + std::to_string(i);
    docker.CreateService(
        {.name = name, .labels = RouteLabels(name), .networks = {"web"}, .replicas = 0});
  }
  std::vector<double> from_task;
  std::vector<double> from_container;
  for (int i = 0; i < samples; ++i) {
    const std::string name = "new" + std::to_string(i);
    docker.CreateService({.name = name, .labels = RouteLabels(name), .networks = {"web"}});
    const double live = FirstAnswer(gate, "/" + name);
    const Task task = docker.WaitRunning(name, 1).front();
    const std::string running =
        JsonText(docker.Call("GET", "/tasks/" + task.id), "/Status/Timestamp");
    const std::string started =
        JsonText(docker.Call("GET", "/containers/" + task.container + "/json"), "/State/StartedAt");
    from_task.push_back(1000 * (live - Seconds(running)));
    from_container.push_back(1000 * (live - Seconds(started)));
    docker.RemoveService(name);
  }
  PrintTimes("task-process-live", services, from_container);
  PrintTimes("task-live", services, from_task);
  docker.RemoveEverything("anchor");

  std::vector<double> container;
  for (int i = 0; i < samples; ++i) {
    const std::string name = "box" + std::to_string(i);
    const std::string id =
        docker.RunContainer({.name = name, .labels = RouteLabels(name), .network = "web"});
    const double live = FirstAnswer(gate, "/" + name);
    container.push_back(1000 *
                        (live - Seconds(JsonText(docker.Call("GET", "/containers/" + id + "/json"),
                                                 "/State/StartedAt"))));
    docker.RemoveContainer(id);
  }
  PrintTimes("container-live", services, container);
}

}  // namespace
}  // namespace swarmgate::bench

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "api";
  const int services = argc > 2 ? atoi(argv[2]) : 10;
  const int samples = argc > 3 ? atoi(argv[3]) : 100;
  try {
    if (what == "api") {
      swarmgate::bench::RunApi(services, samples);
    } else {
      swarmgate::bench::RunDocker(services, samples);
    }
  } catch (const std::exception& error) {
    fprintf(stderr, "live_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
