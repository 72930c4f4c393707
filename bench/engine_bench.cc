// What one change costs the engine itself, from the message to the published snapshot, with few and
// with many services: everything but the sockets, the disk and HAProxy, which are fakes here.
//
//   engine_bench [SERVICES [CHANGES]]    default: 10, 1,000 and 10,000 services, 40 changes
//
// Prints one JSON object for each number of services: medians of an API change and of a Docker
// event in milliseconds, and how often and how much memory each of them allocates.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "services.h"
#include "swarmgate/base/log.h"
#include "unit/engine/rig.h"

namespace {

// The engine runs in one thread here.
std::uint64_t allocations = 0;
std::uint64_t allocated_bytes = 0;

void* Allocate(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Those of the library that are not replaced here end in these.
void* operator new(std::size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace swarmgate::engine {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

/// What changes of one kind cost.
struct Costs {
  std::vector<double> milliseconds;
  std::uint64_t allocations = 0;
  std::uint64_t bytes = 0;

  void Print(const char* kind) {
    std::sort(milliseconds.begin(), milliseconds.end());
    const std::size_t count = milliseconds.size();
    std::printf(",\"%s_ms\":%.3f,\"%s_allocations\":%llu,\"%s_bytes\":%llu", kind,
                milliseconds[count / 2], kind, static_cast<unsigned long long>(allocations / count),
                kind, static_cast<unsigned long long>(bytes / count));
  }
};

void Measure(std::size_t services, int changes) {
  Rig rig;
  for (std::size_t i = 0; i < services; ++i) rig.docker.SetService(bench::NthService(i));
  rig.Start();
  rig.Advance(Duration(1000));
  Costs api;
  Costs event;
  const auto timed = [](Costs& into, const auto& change) {
    const std::uint64_t allocations_before = allocations;
    const std::uint64_t bytes_before = allocated_bytes;
    const auto begin = steady_clock::now();
    change();
    into.milliseconds.push_back(duration<double, std::milli>(steady_clock::now() - begin).count());
    into.allocations += allocations - allocations_before;
    into.bytes += allocated_bytes - bytes_before;
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
    const std::string name = bench::NthName(static_cast<std::size_t>(i % 10));
    rig.docker.SetService(testing::MakeService(name, "/moved" + std::to_string(i),
                                               {testing::MakeTask("a-" + name, "10.0.0.9")}));
    timed(event, [&] {
      rig.Hint("service", "update", "id-" + name);
      rig.Settle();
    });
    rig.Advance(Duration(200));
  }
  std::printf("{\"services\":%zu", services);
  api.Print("api");
  event.Print("event");
  std::printf("}\n");
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
