// A server on a unix socket that answers as a test says: whole responses, halves of them, garbage,
// or nothing.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/test_root.h"

namespace swarmgate::testing {

/// What a script does with one request. It runs in a thread of the connection's own.
struct Exchange {
  int fd;
  std::string method;
  std::string target;  ///< path and query as received
  std::string head;    ///< with all header lines
  std::string body;

  /// Any bytes. False once the client has gone.
  bool Raw(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void Reply(int status, std::string_view text) const {
    Raw("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" +
        "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + std::string(text));
  }
  void BeginChunks() const { Raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"); }
  bool Chunk(std::string_view text) const {
    char size[32];
    (void)snprintf(size, sizeof(size), "%zx\r\n", text.size());
    return Raw(size + std::string(text) + "\r\n");
  }
  void EndChunks() const { Raw("0\r\n\r\n"); }
  /// Returns when the client (or the server's end) has closed the connection.
  void WaitClosed() const {
    char buffer[512];
    while (recv(fd, buffer, sizeof(buffer), 0) > 0) {
    }
  }
  /// Cuts the connection off after what has been sent.
  void Close() const { shutdown(fd, SHUT_RDWR); }
};

class ScriptedServer {
 public:
  using Script = std::function<void(const Exchange&)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path().c_str());
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(fd_, 16) != 0) {
      throw std::runtime_error("cannot listen on " + path());
    }
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~ScriptedServer() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
      for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
    }
    shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    close(fd_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::string path() const { return dir_.File("http.sock"); }
  /// How many requests came in whose target begins so.
  std::size_t CountOf(const std::string& prefix) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::size_t count = 0;
    for (const std::string& target : targets_) count += target.rfind(prefix, 0) == 0 ? 1U : 0U;
    return count;
  }
  std::vector<std::string> targets() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return targets_;
  }
  std::size_t connections() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return accepted_;
  }

 private:
  void Accept() {
    for (;;) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopped_) {
        close(fd);
        return;
      }
      ++accepted_;
      connections_.push_back(fd);
      threads_.emplace_back([this, fd] { Serve(fd); });
    }
  }

  void Serve(int fd) {
    std::string buffer;
    for (;;) {
      std::size_t end = std::string::npos;
      while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
        if (!Receive(fd, &buffer)) return Drop(fd);
      }
      const std::string head = buffer.substr(0, end + 2);
      buffer.erase(0, end + 4);
      std::size_t length = 0;
      if (const std::size_t at = head.find("Content-Length: "); at != std::string::npos) {
        length = std::stoul(head.substr(at + 16));
      }
      while (buffer.size() < length) {
        if (!Receive(fd, &buffer)) return Drop(fd);
      }
      const std::string body = buffer.substr(0, length);
      buffer.erase(0, length);
      const std::size_t space = head.find(' ');
      const std::string target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        targets_.push_back(target);
      }
      script_(Exchange{fd, head.substr(0, space), target, head, body});
    }
  }

  static bool Receive(int fd, std::string* buffer) {
    char piece[4096];
    const ssize_t got = recv(fd, piece, sizeof(piece), 0);
    if (got <= 0) return false;
    buffer->append(piece, static_cast<std::size_t>(got));
    return true;
  }

  void Drop(int fd) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase(connections_, fd);
    close(fd);
  }

  TempDir dir_{"http"};
  Script script_;
  int fd_ = -1;
  std::thread acceptor_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::size_t accepted_ = 0;
  std::vector<int> connections_;
  std::vector<std::string> targets_;
  std::vector<std::thread> threads_;
};

}  // namespace swarmgate::testing
