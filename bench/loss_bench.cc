// How many requests changes cost: load on one service, with kept connections and with a new one
// for each request, while everything else changes. The goal is none, ever.
//
// Usage: loss_bench [changes]

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "report.h"
#include "support/dockerd.h"
#include "support/gate.h"
#include "support/load_generator.h"
#include "support/wait.h"

namespace swarmgate::bench {
namespace {

using namespace swarmgate::testing;  // NOLINT(google-build-using-namespace): one program
using std::chrono::milliseconds;
using std::chrono::seconds;

void Require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

LoadOptions Load(const Gate& gate, bool keep_alive) {
  LoadOptions options;
  options.endpoint = gate.web();
  options.targets = {GetTarget("/steady")};
  options.threads = 8;
  options.keep_alive = keep_alive;
  options.think_time = std::chrono::microseconds(500);
  // A thousand changes of labels take some minutes.
  options.max_duration = seconds(1200);
  return options;
}

/// Runs `change` under both kinds of load, and prints what it cost.
void Measure(const Gate& gate, const std::string& what, const std::function<void()>& change) {
  Say("  " + what);
  const int reloads = gate.Reloads();
  LoadGenerator kept(Load(gate, true));
  LoadGenerator fresh(Load(gate, false));
  Require(kept.WaitForAnswers(200) && fresh.WaitForAnswers(200), "no load");
  change();
  Require(kept.WaitForAnswers(200) && fresh.WaitForAnswers(200), "no load after " + what);
  const LoadReport k = kept.Stop();
  const LoadReport f = fresh.Stop();
  // A restarted controller counts from nought again.
  printf(
      "{\"change\":\"%s\",\"kept_lost\":%llu,\"kept_asked\":%llu,\"new_lost\":%llu,"
      "\"new_asked\":%llu,\"reloads\":%d,\"kept_p99_ms\":%.3f,\"new_p99_ms\":%.3f}\n",
      what.c_str(), static_cast<unsigned long long>(k.lost),
      static_cast<unsigned long long>(k.ok + k.lost), static_cast<unsigned long long>(f.lost),
      static_cast<unsigned long long>(f.ok + f.lost), std::max(0, gate.Reloads() - reloads),
      static_cast<double>(k.Quantile(0.99).count()) / 1000,
      static_cast<double>(f.Quantile(0.99).count()) / 1000);
  fflush(stdout);
  if (k.lost > 0) Say("kept: " + k.Summary());
  if (f.lost > 0) Say("fresh: " + f.Summary());
}

/// Creates, updates and removes in turn, through the API.
void ApiChanges(const Gate& gate, int changes) {
  for (int i = 0; i < changes; ++i) {
    const std::string name = "api" + std::to_string(i / 3);
    const std::string path = i % 3 == 1 ? "/updated-" : "/created-";
    const std::string target =
        i % 3 == 2 ? "/v1/docker-flow-proxy/remove?serviceName=" + name
                   : "/v1/docker-flow-proxy/reconfigure?serviceName=" + name +
                         "&outboundHostname=127.0.0.1&port=65500&servicePath=" + path + name;
    const HttpResponse response = gate.Admin(target);
    Require(response.status == 200, target + ": " + response.Summary());
  }
}

/// The same with labels of Swarm services; each is waited for, or the news would be taken together.
void LabelChanges(Dockerd* docker, const Gate& gate, int changes) {
  for (int i = 0; i < changes; ++i) {
    const std::string name = "labels" + std::to_string(i / 3);
    const std::string path = (i % 3 == 1 ? "/updated-" : "/created-") + name;
    const ServiceOptions service{.name = name,
                                 .labels = {{"com.df.notify", "true"},
                                            {"com.df.servicePath", path},
                                            {"com.df.port", "8080"}},
                                 .networks = {"web"},
                                 .replicas = 0};
    const std::string url = "/v1/services/" + name;
    if (i % 3 == 2) {
      docker->RemoveService(name);
    } else if (i % 3 == 1) {
      docker->UpdateService(service);
    } else {
      docker->CreateService(service);
    }
    Require(WaitUntil([&] {
              const HttpResponse response = gate.Admin(url);
              return i % 3 == 2 ? response.status == 404
                                : response.body.find(path) != std::string::npos;
            }),
            name + " did not change");
  }
}

void KillController(const Gate& gate) {
  const pid_t controller = gate.controller();
  kill(controller, SIGKILL);
  Require(WaitUntil([&] {
            const pid_t now = gate.controller();
            return now > 0 && now != controller && gate.Admin("/readyz").status == 200;
          }),
          "the controller did not come back");
}

void Roll(Dockerd* docker, ServiceOptions* service) {
  ++service->force_update;
  const size_t before = docker->Tasks(service->name).size();
  docker->UpdateService(*service);
  Require(WaitUntil([&] { return docker->Tasks(service->name).size() > before; }, seconds(30)),
          "the update did not begin");
  Require(WaitUntil(
              [&] {
                return docker->Call("GET", "/services/" + service->name)
                           .find("\"State\":\"completed\"") != std::string::npos;
              },
              seconds(90), milliseconds(100)),
          "the update did not end");
}

void Run(int changes) {
  Dockerd docker;
  docker.SwarmInit();
  docker.CreateOverlay("web");
  const Anchor anchor(&docker, "anchor", {"web"});
  Gate gate({.network = anchor.network(),
             .docker_socket = docker.socket(),
             .own_container = anchor.id(),
             .environment = {{"MINIMUM_SLOTS", "1024"}}});
  gate.Start();
  ServiceOptions steady{.name = "steady",
                        .labels = {{"com.df.notify", "true"},
                                   {"com.df.servicePath", "/steady"},
                                   {"com.df.port", "8080"}},
                        .networks = {"web"},
                        .replicas = 2};
  docker.CreateService(steady);
  docker.WaitRunning("steady", 2);
  Require(gate.WaitServers(2, "/steady"), "steady is not live");

  const std::string number = std::to_string(changes);
  Measure(gate, number + " changes by the API", [&] { ApiChanges(gate, changes); });
  Measure(gate, number + " changes of Swarm labels", [&] { LabelChanges(&docker, gate, changes); });
  Measure(gate, "20 reloads", [&] {
    for (int i = 0; i < 20; ++i) {
      Require(gate.Admin("/v1/docker-flow-proxy/reload").status == 200, "reload");
    }
  });
  Measure(gate, "controller killed 5 times", [&] {
    for (int i = 0; i < 5; ++i) KillController(gate);
  });
  Measure(gate, "rolling update, start-first", [&] { Roll(&docker, &steady); });
  steady.update_order = "stop-first";
  Measure(gate, "rolling update, stop-first", [&] { Roll(&docker, &steady); });
}

}  // namespace
}  // namespace swarmgate::bench

int main(int argc, char** argv) {
  try {
    swarmgate::bench::Run(argc > 1 ? atoi(argv[1]) : 200);
  } catch (const std::exception& error) {
    fprintf(stderr, "loss_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
