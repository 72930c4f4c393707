// What one change moves between replicas and Consul, in bytes and milliseconds, with few and with
// many services. The bytes are counted by a forwarder that stands between.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/consul_server.h"
#include "swarmgate/codec/consul_json.h"
#include "swarmgate/codec/record_json.h"
#include "swarmgate/consul/store.h"

namespace swarmgate {
namespace {

using std::chrono::duration;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// Passes TCP on and counts what goes through, both ways.
class CountingForwarder {
 public:
  explicit CountingForwarder(int to_port) : to_port_(to_port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] {
      for (int fd = accept(listener_, nullptr, nullptr); fd >= 0;
           fd = accept(listener_, nullptr, nullptr)) {
        connections_.emplace_back([this, fd] { Serve(fd); });
      }
    });
  }
  ~CountingForwarder() {
    stop_ = true;
    shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    for (std::thread& connection : connections_) connection.join();
    close(listener_);
  }
  CountingForwarder(const CountingForwarder&) = delete;
  CountingForwarder& operator=(const CountingForwarder&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] long bytes() const { return bytes_; }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  /// False at the end.
  bool Pass(int from, int to) {
    char buffer[65536];
    const ssize_t got = recv(from, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    bytes_ += got;
    for (ssize_t sent = 0; sent < got;) {
      const ssize_t part =
          send(to, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (part <= 0) return false;
      sent += part;
    }
    return true;
  }
  void Serve(int client) {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(to_port_);
    const int at_once = 1;
    for (const int fd : {client, server}) {
      (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    }
    bool open = connect(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    while (open && !stop_) {
      pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (poll(fds, 2, 50) <= 0) continue;
      if (fds[0].revents != 0) open = Pass(client, server);
      if (open && fds[1].revents != 0) open = Pass(server, client);
    }
    close(server);
    close(client);
  }

  int to_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<long> bytes_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> connections_;
  std::thread accepting_;
};

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
  CountingForwarder to_writer(server.endpoint().port);
  CountingForwarder to_watcher(server.endpoint().port);
  options.servers = {to_writer.url()};
  const auto writer = consul::MakeStore(options);
  options.servers = {to_watcher.url()};
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
  const long load_bytes = to_watcher.bytes();
  const long writer_before = to_writer.bytes();
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
      services, load_bytes, load, (to_writer.bytes() - writer_before) / kChanges,
      (to_watcher.bytes() - load_bytes) / kChanges, latency / kChanges);
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
