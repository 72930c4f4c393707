#include "support/lying_daemon.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <utility>

namespace swarmgate::testing {
namespace {

sockaddr_un Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

bool SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    data += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

/// Passes what is there from one to the other; false at the end of the stream.
bool Pass(int from, int to) {
  char chunk[65536];
  const ssize_t n = recv(from, chunk, sizeof chunk, 0);
  return n > 0 && SendAll(to, chunk, static_cast<size_t>(n));
}

}  // namespace

LyingDaemon::LyingDaemon(std::string socket, std::string real)
    : socket_(std::move(socket)), real_(std::move(real)) {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = Address(socket_);
  unlink(socket_.c_str());
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 64) != 0) {
    throw std::runtime_error("cannot listen on " + socket_);
  }
  accepting_ = std::thread([this] { Accept(); });
}

LyingDaemon::~LyingDaemon() {
  stop_ = true;
  accepting_.join();
  close(listener_);
  unlink(socket_.c_str());
}

void LyingDaemon::AnswerWith(const std::string& bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  answer_ = bytes;
  lies_ = 0;
  ++generation_;
}

void LyingDaemon::Accept() {
  while (!stop_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 20) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int generation = generation_;
    connections_.emplace_back([this, client, generation] { Serve(client, generation); });
  }
  for (std::thread& connection : connections_) connection.join();
}

void LyingDaemon::Serve(int client, int generation) {
  std::string answer;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    answer = answer_;
  }
  if (answer.empty()) {
    Pump(client, generation);
  } else {
    char request[65536];
    pollfd waiting{client, POLLIN, 0};
    while (!stop_ && poll(&waiting, 1, 20) == 0) {
    }
    if (recv(client, request, sizeof request, MSG_DONTWAIT) > 0) {
      ++lies_;
      SendAll(client, answer.data(), answer.size());
    }
  }
  close(client);
}

void LyingDaemon::Pump(int client, int generation) {
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = Address(real_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    while (!stop_ && generation == generation_) {
      pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (poll(both, 2, 20) <= 0) continue;
      if (both[0].revents != 0 && !Pass(client, server)) break;
      if (both[1].revents != 0 && !Pass(server, client)) break;
    }
  }
  close(server);
}

std::string JsonAnswer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nApi-Version: 1.41\r\n"
         "Connection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace swarmgate::testing
