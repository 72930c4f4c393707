#include "cluster/faults.h"

#include <sstream>

#include "support/json.h"

namespace swarmgate::testing {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kServices = 7;
/// A replica that is busy with a fault answers late, and is not given up.
constexpr std::chrono::seconds kPatience{10};

std::string Name(unsigned number) { return "change-" + std::to_string(number % kServices); }

}  // namespace

void Changes::Start(std::vector<size_t> machines) {
  Stop();
  stop_ = false;
  random_.seed(seed_);
  thread_ = std::thread([this, machines = std::move(machines)] { Run(machines); });
}

void Changes::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Changes::Run(const std::vector<size_t>& machines) {
  std::uniform_int_distribution<size_t> any(0, machines.size() - 1);
  while (!stop_) {
    const unsigned number = sent_++;
    // One in six is a removal; the service is defined anew later.
    const std::string path = number % 6 == 5 ? "" : "/change/" + std::to_string(number);
    HttpRequest request;
    request.target = path.empty()
                         ? "/v1/docker-flow-proxy/remove?serviceName=" + Name(number)
                         : "/v1/docker-flow-proxy/reconfigure?serviceName=" + Name(number) +
                               "&servicePath=" + path + "&port=8080&outboundHostname=10.99.0.1";
    const size_t machine = machines[any(random_)];
    const HttpResponse response = Fetch(cluster_->Admin(machine), request, kPatience);
    calls_[Name(number)] += "'" + path + "' at machine " + std::to_string(machine) + ": " +
                            std::to_string(response.status) + ", persisted " +
                            JsonText(response.body, "/Persisted") + "\n";
    if (response.status == 200) {
      ++accepted_;
      last_[Name(number)] = path;
    } else {
      ++refused_["machine " + std::to_string(machine) + ": " + response.Summary().substr(0, 200)];
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
}

std::string Changes::Missing(size_t machine) const {
  const std::string routes = RoutesOf(*cluster_, machine);
  std::string missing;
  for (const auto& [service, path] : last_) {
    const bool right = path.empty() ? routes.find(service + " ") == std::string::npos
                                    : routes.find("path_beg " + path + "\n") != std::string::npos;
    if (right) continue;
    // The last calls, each with its place and its answer, tell which of them were taken for later.
    std::string calls = calls_.at(service);
    if (calls.size() > 1000) calls = "…" + calls.substr(calls.size() - 1000);
    missing += service + " with '" + path + "', after\n" + calls;
  }
  return missing.empty() ? missing : missing + "it has\n" + routes;
}

uint64_t LostByServing(const LoadReport& report) {
  uint64_t lost = report.lost;
  for (const char* unreachable : {"refused", "connect", "timeout"}) {
    const auto found = report.reasons.find(unreachable);
    if (found != report.reasons.end()) lost -= found->second;
  }
  return lost;
}

std::string ReliabilityPage(const std::vector<FaultResult>& results) {
  std::ostringstream page;
  page << R"(# What faults cost

Written by `SWARMGATE_SOAK=10 UPDATE_GOLDEN=1 build/dev/test/machines_test`; do not edit by hand.

Three machines, each a Swarm manager (Docker 20.10 in network namespaces of one computer with two
processors), three Consul servers (1.8.7), and the service `proxy` with three replicas, as
[the README](../README.md) has it: `MODE=swarm`, `CONSUL_ADDRESS=a,b,c`, ports in host mode. Clients keep
their connections and send nothing twice: a request counts as failed when its answer did not come
within ten seconds, or was not the right one. Requests go to the replicas that the fault does not hit;
where replicas are replaced, to all of them, and one fails when a replica that took its connection
does not answer. Meanwhile definitions of services are sent one after the other, each to any replica that the fault
does not hit.

*Right again* is how long it took, from the end of the fault (the server, the replica or the machine is
there again), until all replicas were ready and served the same routes, the last accepted ones.

Where a whole machine goes, the services have their tasks on the others. A task that vanishes with its machine,
without a word, takes with it the requests that it was answering: HAProxy gives them up after `timeoutServer`, and tries
a new connection elsewhere after `TIMEOUT_CONNECT`. Six replicas with a port of the host each would need six machines:
those that are scaled publish none, and are reached by their own addresses on the overlay network.

A new replica listens once Docker, and what the replicas share, have told it what there is (for that it waits up to five
seconds). One that finds on its disk what an earlier run served begins with that, at once: in front of ports in host
mode a balancer should ask `/readyz`. The routing mesh waits for the health check.

| Fault | Requests | Failed | Slowest answer | Changes meanwhile | Right again after |
|---|---|---|---|---|---|
)";
  for (const FaultResult& result : results) {
    page << "| " << result.fault << " | " << result.requests << " | " << result.failed << " | "
         << result.slowest.count() << " ms | " << result.changes << " | "
         << result.converged.count() << " ms |\n";
  }
  return page.str();
}

}  // namespace swarmgate::testing
