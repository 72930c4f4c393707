// Bytes to a server and what comes back, untouched: for what no HTTP client would send.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "support/http_client.h"

namespace swarmgate::testing {

/// A TCP connection; every call ends after `patience` at the latest.
class RawConnection {
 public:
  explicit RawConnection(const Endpoint& endpoint,
                         std::chrono::milliseconds patience = std::chrono::seconds(10))
      : deadline_(std::chrono::steady_clock::now() + patience),
        fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(endpoint.port));
    (void)inet_pton(AF_INET, endpoint.ip.c_str(), &address.sin_addr);
    open_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawConnection() { close(fd_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool Send(std::string_view data) {
    while (open_ && !data.empty()) {
      const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      data.remove_prefix(static_cast<std::size_t>(sent));
    }
    return open_;
  }

  /// Everything received so far, as soon as `enough` says so, or the other side ends, or patience
  /// does.
  const std::string& ReadUntil(const std::function<bool(const std::string&)>& enough) {
    while (open_ && !enough(received_)) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          deadline_ - std::chrono::steady_clock::now());
      pollfd watched{fd_, POLLIN, 0};
      if (left.count() <= 0 || poll(&watched, 1, static_cast<int>(left.count())) <= 0) break;
      std::array<char, 16384> buffer{};
      const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        open_ = false;
      } else {
        received_.append(buffer.data(), static_cast<std::size_t>(got));
      }
    }
    return received_;
  }
  const std::string& ReadUntil(const std::string& text) {
    return ReadUntil(
        [&text](const std::string& all) { return all.find(text) != std::string::npos; });
  }

 private:
  std::chrono::steady_clock::time_point deadline_;
  int fd_;
  bool open_ = false;
  std::string received_;
};

/// Sends, and reads until the other side closes.
inline std::string RawExchange(const Endpoint& endpoint, std::string_view request) {
  RawConnection connection(endpoint);
  (void)connection.Send(request);  // an answer may come before everything is sent
  return connection.ReadUntil([](const std::string&) { return false; });
}

}  // namespace swarmgate::testing
