#include "admin/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "swarmgate/base/inbox.h"

namespace swarmgate::admin {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

thread_local bool close_after_request = false;
/// Set while a connection is handed over only to be closed: all threads are taken and too many
/// wait.
thread_local bool shedding = false;

/// A connection whose every wait ends: by data, by its deadline, or because the server stops.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(int socket, int stop_event, const ConnectionLimits& limits)
      : socket_(socket), stop_event_(stop_event), limits_(limits) {}

  /// True when the next request begins to come in.
  bool WaitForRequest(Duration patience) {
    return begin_ < end_ || WaitFor(POLLIN, Now() + patience);
  }
  void BeginRequest() {
    budget_ = limits_.max_request;
    deadline_ = Now() + limits_.request_timeout;
  }

  [[nodiscard]] bool is_readable() const override { return begin_ < end_ || Poll(POLLIN, 0); }
  [[nodiscard]] bool is_writable() const override {
    pollfd watched{socket_, POLLOUT | POLLRDHUP, 0};
    if (poll(&watched, 1, static_cast<int>(limits_.write_timeout.count())) <= 0) return false;
    return (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0;
  }

  ssize_t read(char* data, size_t size) override {
    if (begin_ == end_ && !Fill()) return end_of_stream_ ? 0 : -1;
    const std::size_t count = std::min({size, end_ - begin_, budget_});
    if (count == 0) return -1;
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count, data);
    begin_ += count;
    budget_ -= count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* data, size_t size) override {
    if (!WaitFor(POLLOUT, Now() + limits_.write_timeout)) return -1;
    ssize_t sent = -1;
    do {
      sent = send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent;
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    Describe(getpeername, ip, port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    Describe(getsockname, ip, port);
  }
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  bool Fill() {
    if (budget_ == 0 || !WaitFor(POLLIN, deadline_)) return false;
    ssize_t size = -1;
    do {
      size = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    end_of_stream_ = size == 0;
    if (size <= 0) return false;
    begin_ = 0;
    end_ = static_cast<std::size_t>(size);
    return true;
  }

  [[nodiscard]] bool Poll(short events, int milliseconds) const {
    std::array<pollfd, 2> watched = {pollfd{socket_, events, 0}, pollfd{stop_event_, POLLIN, 0}};
    int ready = -1;
    do {
      ready = poll(watched.data(), watched.size(), milliseconds);
    } while (ready < 0 && errno == EINTR);
    return ready > 0 && watched[1].revents == 0 && watched[0].revents != 0;
  }

  [[nodiscard]] bool WaitFor(short events, SteadyTime until) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Now()).count();
    return left > 0 && Poll(events, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
  }

  template <typename Function>
  void Describe(Function function, std::string& ip, int& port) const {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (function(socket_, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
      inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
      port = ntohs(v4->sin_port);
    } else if (storage.ss_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
      port = ntohs(v6->sin6_port);
    }
    ip = text.data();
  }

  const int socket_;
  const int stop_event_;
  const ConnectionLimits& limits_;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t budget_ = 0;  ///< bytes that this request may still have
  SteadyTime deadline_;
  bool end_of_stream_ = false;
};

/// Nothing with version 0.11 of the library, bool with later ones.
using Queued = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));

/// A fixed number of threads. A connection that finds too many before it is closed by the thread
/// that accepts.
class BoundedQueue final : public httplib::TaskQueue {
 public:
  BoundedQueue(std::size_t threads, std::size_t waiting) : most_waiting_(waiting) {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  Queued enqueue(std::function<void()> task) override {
    Take(std::move(task));
    return Queued(true);
  }

  void shutdown() override {
    inbox_.Close();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Take(std::function<void()> task) {
    if (waiting_.load() < most_waiting_) {
      ++waiting_;
      if (!inbox_.Push(std::move(task))) --waiting_;
      return;
    }
    shedding = true;
    task();
    shedding = false;
  }

  void Work() {
    while (true) {
      auto task = inbox_.PopUntil(Now() + std::chrono::hours(1));
      if (!task) {
        if (inbox_.closed()) return;
        continue;
      }
      --waiting_;
      (*task)();
    }
  }

  const std::size_t most_waiting_;
  std::atomic<std::size_t> waiting_{0};
  Inbox<std::function<void()>> inbox_;
  std::vector<std::thread> threads_;
};

}  // namespace

BoundedServer::BoundedServer(ConnectionLimits limits)
    : limits_(limits), stop_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  new_task_queue = [this] { return new BoundedQueue(limits_.threads, limits_.waiting); };
  set_tcp_nodelay(true);
  // The library would share the port with whoever else asks for it (SO_REUSEPORT).
  set_socket_options([](socket_t socket) {
    const int on = 1;
    (void)setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
}

BoundedServer::~BoundedServer() {
  if (stop_event_ >= 0) close(stop_event_);
}

void BoundedServer::WidenBacklog() { (void)::listen(svr_sock_, 128); }

void BoundedServer::Interrupt() {
  stopping_ = true;
  (void)eventfd_write(stop_event_, 1);
}

void BoundedServer::CloseAfterThisRequest() { close_after_request = true; }

/// Later versions of the library want to be told who is at the other end.
template <typename AnyStream>
bool BoundedServer::ProcessOne(AnyStream& stream, bool last, bool& closed) {
  if constexpr (requires {
                  this->process_request(stream, std::string(), 0, std::string(), 0, last, closed,
                                        nullptr);
                }) {
    std::string remote;
    std::string local;
    int remote_port = 0;
    int local_port = 0;
    stream.get_remote_ip_and_port(remote, remote_port);
    stream.get_local_ip_and_port(local, local_port);
    return this->process_request(stream, remote, remote_port, local, local_port, last, closed,
                                 nullptr);
  } else {
    return this->process_request(stream, last, closed, nullptr);
  }
}

bool BoundedServer::process_and_close_socket(socket_t socket) {
  if (!shedding) {
    BoundedStream stream(socket, stop_event_, limits_);
    Duration patience = limits_.request_timeout;
    for (int left = limits_.keep_alive_requests; left > 0 && !stopping(); --left) {
      if (!stream.WaitForRequest(patience)) break;
      stream.BeginRequest();
      close_after_request = false;
      bool closed = false;
      if (!ProcessOne(stream, left == 1, closed) || closed || close_after_request) break;
      patience = limits_.keep_alive;
    }
  }
  ::shutdown(socket, SHUT_RDWR);
  close(socket);
  return true;
}

}  // namespace swarmgate::admin
