// What one change moves between replicas and Consul, in bytes and milliseconds, with few and with
// many services. The bytes are counted by a forwarder that stands between.
#include <chrono>
#include <cstdio>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/consul_server.h"
#include "support/relay.h"
#include "swarmgate/codec/consul_json.h"
#include "swarmgate/codec/record_json.h"
#include "swarmgate/consul/store.h"

namespace swarmgate {
namespace {

using std::chrono::duration;
using std::chrono::seconds;
using std::chrono::steady_clock;

model::Record MakeRecord(int number) {
  model::Record record;
  record.service = model::ServiceName("service-" + std::to_string(number));
  record.revision = 1;
  record.parameters = {{"serviceName", record.service.str()},
                       {"servicePath", "/api/v1/service-" + std::to_string(number)},
                       {"port", "8080"},
                       {"distribute", "true"}};
  record.updated_unix_ms = record.created_unix_ms = 1'700'000'000'000;
  return record;
}

/// Quicker than by our own writes: 64 documents in one transaction.
void Fill(const testing::ConsulServer& server, const std::string& prefix, int services) {
  for (int at = 0; at < services; at += 64) {
    std::vector<codec::ConsulWrite> writes;
    for (int i = at; i < std::min(at + 64, services); ++i) {
      writes.push_back({prefix + "/services/service-" + std::to_string(i),
                        codec::EncodeRecord(MakeRecord(i)), 0});
    }
    testing::HttpRequest request;
    request.method = "PUT";
    request.target = "/v1/txn";
    request.body = codec::EncodeConsulWrites(writes);
    if (testing::Fetch(server.endpoint(), request).status != 200) {
      throw std::runtime_error("consul refuses the documents");
    }
  }
}

template <typename T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().ToString());
  return std::move(*result);
}

void Measure(const testing::ConsulServer& server, int services) {
  consul::ConsulOptions options;
  options.prefix = "bench-" + std::to_string(services);
  Fill(server, options.prefix, services);
  testing::Relay to_writer(server.endpoint().port);
  testing::Relay to_watcher(server.endpoint().port);
  options.servers = {"http://" + to_writer.address()};
  const auto writer = consul::MakeStore(options);
  options.servers = {"http://" + to_watcher.address()};
  const auto watcher = consul::MakeStore(options);
  // The journal at its longest.
  std::vector<std::uint64_t> revisions(10, 1);
  for (std::size_t i = 0; i < 260; ++i) {
    std::uint64_t& revision = revisions[i % 10];
    revision = Must(writer->Put(MakeRecord(static_cast<int>(i % 10)), revision));
  }
  const auto load_began = steady_clock::now();
  ports::SharedPosition position = Must(watcher->Watch({}, seconds(60))).position;
  const double load = duration<double, std::milli>(steady_clock::now() - load_began).count();
  const auto load_bytes = static_cast<long>(to_watcher.bytes());
  const auto writer_before = static_cast<long>(to_writer.bytes());
  constexpr int kChanges = 100;
  double latency = 0;
  std::uint64_t held = Must(writer->Get(model::ServiceName("service-5"))).record->revision;
  for (int i = 0; i < kChanges; ++i) {
    auto seen = std::async(std::launch::async, [&] {
      auto changes = Must(watcher->Watch(position, seconds(60)));
      return std::pair(changes.position, steady_clock::now());
    });
    // Time for the watch to block.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const auto began = steady_clock::now();
    held = Must(writer->Put(MakeRecord(5), held));
    const auto [reached, when] = seen.get();
    position = reached;
    latency += duration<double, std::milli>(when - began).count();
  }
  std::printf(
      "{\"services\":%d,\"all_bytes\":%ld,\"all_ms\":%.3f,\"writer_bytes\":%ld,"
      "\"watcher_bytes\":%ld,\"seen_ms\":%.3f}\n",
      services, load_bytes, load, (static_cast<long>(to_writer.bytes()) - writer_before) / kChanges,
      (static_cast<long>(to_watcher.bytes()) - load_bytes) / kChanges, latency / kChanges);
}

}  // namespace
}  // namespace swarmgate

int main() {
  if (const std::string why = swarmgate::testing::ConsulServer::WhyNot(); !why.empty()) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
  }
  try {
    swarmgate::testing::ConsulServer server;
    for (const int services : {10, 1000, 10000}) swarmgate::Measure(server, services);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
