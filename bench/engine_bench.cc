// What one change costs the engine itself, from the message to the published snapshot, with few and
// with many services: everything but the sockets, the disk and HAProxy, which are fakes here.
//
//   engine_bench [SERVICES [CHANGES]]    default: 10, 1,000 and 10,000 services, 40 changes
//
// Prints rows of a table: services, medians of an API change and of a Docker event, milliseconds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "swarmgate/base/log.h"
#include "unit/engine/rig.h"

namespace swarmgate::engine {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

struct Median {
  std::vector<double> values;
  [[nodiscard]] double Take() {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
};

void Measure(std::size_t services, int changes) {
  Rig rig;
  for (std::size_t i = 0; i < services; ++i) {
    const std::string number = std::to_string(i);
    model::ServiceFacts service = testing::MakeService(
        "web" + number, "/path" + number,
        {testing::MakeTask("a" + number,
                           "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)),
         testing::MakeTask("b" + number,
                           "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250))});
    if (i % 2 == 0) service.labels["com.df.serviceDomain"] = "h" + number + ".example.com";
    rig.docker.SetService(std::move(service));
  }
  rig.Start();
  rig.Advance(Duration(1000));
  Median api;
  Median event;
  const auto timed = [](Median& into, const auto& change) {
    const auto begin = steady_clock::now();
    change();
    into.values.push_back(duration<double, std::milli>(steady_clock::now() - begin).count());
  };
  for (int i = 0; i < changes; ++i) {
    timed(api, [&] {
      const Outcome outcome = rig.Reconfigure({{"serviceName", "own"},
                                               {"servicePath", "/own" + std::to_string(i)},
                                               {"port", "8080"},
                                               {"outboundHostname", "10.2.0.1"}});
      if (outcome.status != 200) {
        std::fprintf(stderr, "%s\n", outcome.message.c_str());
        std::exit(1);
      }
    });
    rig.Advance(Duration(200));
    const std::string number = std::to_string(i % 10);
    rig.docker.SetService(testing::MakeService("web" + number, "/moved" + std::to_string(i),
                                               {testing::MakeTask("a" + number, "10.0.0.9")}));
    timed(event, [&] {
      rig.Hint("service", "update", "id-web" + number);
      rig.Settle();
    });
    rig.Advance(Duration(200));
  }
  std::printf("| %zu | %.2f | %.2f |\n", services, api.Take(), event.Take());
}

}  // namespace
}  // namespace swarmgate::engine

int main(int argc, char** argv) {
  (void)swarmgate::SetLogLevel("error");
  const int changes = argc > 2 ? std::atoi(argv[2]) : 40;
  if (argc > 1) {
    swarmgate::engine::Measure(static_cast<std::size_t>(std::atol(argv[1])), changes);
    return 0;
  }
  for (const std::size_t services : {10U, 1000U, 10000U}) {
    swarmgate::engine::Measure(services, changes);
  }
  return 0;
}
