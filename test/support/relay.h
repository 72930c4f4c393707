// Somebody who stands between a client and a server, hands on what each says, reads and counts it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/network.h"

namespace swarmgate::testing {

class Relay {
 public:
  /// To a port of this machine.
  explicit Relay(int port) : target_(port) {
    accepting_ = std::thread([this] { Accept(); });
  }
  ~Relay() {
    stopped_ = true;
    shutdown(listener_.fd, SHUT_RDWR);
    accepting_.join();
    for (std::thread& thread : connections_) thread.join();
    close(listener_.fd);
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  [[nodiscard]] std::string address() const {
    return "127.0.0.1:" + std::to_string(listener_.port);
  }
  /// All that has passed, both ways.
  [[nodiscard]] std::string text() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return text_;
  }
  /// How much has passed, both ways.
  [[nodiscard]] std::size_t bytes() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return text_.size();
  }

 private:
  static int Socket() { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }

  void Accept() {
    for (int client = accept(listener_.fd, nullptr, nullptr); client >= 0 && !stopped_;
         client = accept(listener_.fd, nullptr, nullptr)) {
      connections_.emplace_back([this, client] { Carry(client); });
    }
  }

  void Carry(int client) {
    const int server = Socket();
    const sockaddr_in address = Loopback(target_);
    const int at_once = 1;
    for (const int end : {client, server}) {
      (void)setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    }
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      while (!stopped_ && Pass(client, server)) {
      }
    }
    close(server);
    close(client);
  }

  /// False: one of them has ended.
  bool Pass(int client, int server) {
    std::array<pollfd, 2> ends = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    constexpr int kLookForTheEnd = 50;
    if (poll(ends.data(), ends.size(), kLookForTheEnd) < 0) return false;
    for (const pollfd& end : ends) {
      if (end.revents == 0) continue;
      std::array<char, 65536> buffer{};
      const ssize_t size = recv(end.fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) return false;
      const auto length = static_cast<std::size_t>(size);
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        text_.append(buffer.data(), length);
      }
      if (send(end.fd == client ? server : client, buffer.data(), length, MSG_NOSIGNAL) != size) {
        return false;
      }
    }
    return true;
  }

  const int target_;
  const LoopbackListener listener_;
  std::atomic<bool> stopped_{false};
  std::thread accepting_;
  std::vector<std::thread> connections_;  ///< of the accepting thread, until that has ended
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace swarmgate::testing
