// A server that is none of those that we speak to: it answers every request with the same bytes, or
// with nothing.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/network.h"

namespace swarmgate::testing {

class TcpStub {
 public:
  /// Empty: takes connections and says nothing.
  explicit TcpStub(std::string answer) : answer_(std::move(answer)) {
    const LoopbackListener listener;
    fd_ = listener.fd;
    port_ = listener.port;
    thread_ = std::thread([this] { Run(); });
  }
  ~TcpStub() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
    for (const int fd : connections_) close(fd);
  }
  TcpStub(const TcpStub&) = delete;
  TcpStub& operator=(const TcpStub&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int asked() const { return asked_; }
  /// The heads of all requests.
  [[nodiscard]] std::string received() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return received_;
  }

  static std::string Http(int status, const std::string& headers, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
           body;
  }

 private:
  void Run() {
    for (;;) {
      const int fd = accept(fd_, nullptr, nullptr);
      if (fd < 0) return;
      ++asked_;
      if (answer_.empty()) {
        connections_.push_back(fd);
        continue;
      }
      std::string head;
      char buffer[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
        if (got <= 0) break;
        head.append(buffer, static_cast<std::size_t>(got));
      }
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        received_ += head;
      }
      (void)send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      shutdown(fd, SHUT_WR);
      close(fd);
    }
  }

  std::string answer_;
  std::mutex mutex_;
  std::string received_;
  int fd_ = -1;
  int port_ = 0;
  std::atomic<int> asked_{0};
  std::vector<int> connections_;
  std::thread thread_;
};

}  // namespace swarmgate::testing
