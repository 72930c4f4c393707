#include "support/http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "support/network.h"

namespace swarmgate::testing {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string ErrorName(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:
      return "refused";
    case ECONNRESET:
    case EPIPE:
      return "reset";
    case EAGAIN:
    case ETIMEDOUT:
      return "timeout";
    default:
      return "connect";
  }
}

int Remaining(steady_clock::time_point deadline) {
  const auto left = duration_cast<milliseconds>(deadline - steady_clock::now()).count();
  return static_cast<int>(std::max<int64_t>(left, 0));
}

socklen_t MakeAddress(const Endpoint& endpoint, sockaddr_storage* storage) {
  if (!endpoint.unix_path.empty()) {
    auto* address = reinterpret_cast<sockaddr_un*>(storage);
    address->sun_family = AF_UNIX;
    strncpy(address->sun_path, endpoint.unix_path.c_str(), sizeof address->sun_path - 1);
    return sizeof *address;
  }
  auto* address = reinterpret_cast<sockaddr_in*>(storage);
  address->sin_family = AF_INET;
  address->sin_port = htons(static_cast<uint16_t>(endpoint.port));
  inet_pton(AF_INET, endpoint.ip.c_str(), &address->sin_addr);
  return sizeof *address;
}

std::string Serialize(const HttpRequest& request, const Endpoint& endpoint) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  bool has_host = false;
  bool has_length = false;
  for (const auto& [name, value] : request.headers) {
    has_host = has_host || strcasecmp(name.c_str(), "host") == 0;
    has_length = has_length || strcasecmp(name.c_str(), "content-length") == 0 ||
                 strcasecmp(name.c_str(), "transfer-encoding") == 0;
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  }
  if (!has_host) {
    text += "Host: " +
            (endpoint.unix_path.empty() ? endpoint.ip + ":" + std::to_string(endpoint.port)
                                        : std::string("localhost")) +
            "\r\n";
  }
  if (!has_length &&
      (!request.body.empty() || request.method == "POST" || request.method == "PUT")) {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

}  // namespace

std::string HttpResponse::Header(const std::string& name) const {
  size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    at += 2;
    const size_t end = std::min(head.find("\r\n", at), head.size());
    if (end - at > name.size() && head[at + name.size()] == ':' &&
        strncasecmp(head.c_str() + at, name.c_str(), name.size()) == 0) {
      size_t start = at + name.size() + 1;
      while (start < end && head[start] == ' ') ++start;
      return head.substr(start, end - start);
    }
    at = head.find("\r\n", at);
  }
  return {};
}

std::string HttpResponse::Summary() const {
  return status == 0 ? "no answer: " + error : std::to_string(status) + " " + body.substr(0, 400);
}

HttpConnection::HttpConnection(Endpoint endpoint, milliseconds timeout)
    : endpoint_(std::move(endpoint)), timeout_(timeout) {}

HttpConnection::~HttpConnection() { Close(); }

void HttpConnection::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  buffer_.clear();
}

std::string HttpConnection::Connect() {
  const ScopedNetwork scope(endpoint_.network);
  const bool is_unix = !endpoint_.unix_path.empty();
  fd_ = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_storage storage{};
  const socklen_t length = MakeAddress(endpoint_, &storage);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    if (errno != EINPROGRESS) return ErrorName(errno);
    pollfd waiting{fd_, POLLOUT, 0};
    if (poll(&waiting, 1, Remaining(deadline_)) <= 0) return "timeout";
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return ErrorName(error);
  }
  const int one = 1;
  if (!is_unix) setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return {};
}

std::string HttpConnection::ReadMore() {
  char chunk[65536];
  for (;;) {
    const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
    if (n > 0) {
      buffer_.append(chunk, static_cast<size_t>(n));
      return {};
    }
    if (n == 0) return "eof";
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return ErrorName(errno);
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, Remaining(deadline_)) <= 0) return "timeout";
  }
}

std::string HttpConnection::ReadChunks(std::string* body) {
  for (;;) {
    size_t line_end;
    while ((line_end = buffer_.find("\r\n")) == std::string::npos) {
      if (std::string error = ReadMore(); !error.empty()) return error;
    }
    const size_t size = strtoull(buffer_.c_str(), nullptr, 16);
    while (buffer_.size() < line_end + 2 + size + 2) {
      if (std::string error = ReadMore(); !error.empty()) return error;
    }
    body->append(buffer_, line_end + 2, size);
    buffer_.erase(0, line_end + 2 + size + 2);
    if (size == 0) return {};
  }
}

std::string HttpConnection::ReadBody(HttpResponse* response) {
  if (response->Header("transfer-encoding") == "chunked") return ReadChunks(&response->body);
  const std::string length_text = response->Header("content-length");
  if (length_text.empty()) {
    response->closes = true;
    std::string error;
    while ((error = ReadMore()).empty()) {
    }
    response->body = buffer_;
    buffer_.clear();
    return error == "eof" ? std::string() : error;
  }
  const size_t length = strtoull(length_text.c_str(), nullptr, 10);
  while (buffer_.size() < length) {
    if (std::string error = ReadMore(); !error.empty()) return error;
  }
  response->body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return {};
}

HttpResponse HttpConnection::ReadResponse(bool head_only) {
  HttpResponse response;
  for (;;) {
    size_t head_end;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (std::string error = ReadMore(); !error.empty()) {
        response.error = error == "eof" && !buffer_.empty() ? "malformed" : error;
        return response;
      }
    }
    response.head = buffer_.substr(0, head_end + 2);
    buffer_.erase(0, head_end + 4);
    if (response.head.rfind("HTTP/1.", 0) != 0 || response.head.size() < 12) {
      response.error = "malformed";
      return response;
    }
    response.status = atoi(response.head.c_str() + 9);
    if (response.status >= 200 || response.status == 101) break;
  }
  const std::string connection = response.Header("connection");
  response.closes = strcasecmp(connection.c_str(), "close") == 0 ||
                    (response.head[7] == '0' && strcasecmp(connection.c_str(), "keep-alive") != 0);
  const bool no_body =
      head_only || response.status == 204 || response.status == 304 || response.status == 101;
  if (!no_body) {
    response.error = ReadBody(&response);
    if (!response.error.empty()) response.status = 0;
  }
  return response;
}

HttpResponse HttpConnection::Exchange(const HttpRequest& request) {
  deadline_ = steady_clock::now() + timeout_;
  HttpResponse response;
  if (!open()) response.error = Connect();
  std::string text = Serialize(request, endpoint_);
  size_t sent = 0;
  while (response.error.empty() && sent < text.size()) {
    const ssize_t n = send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<size_t>(n);
    } else if (errno == EAGAIN) {
      pollfd waiting{fd_, POLLOUT, 0};
      if (poll(&waiting, 1, Remaining(deadline_)) <= 0) response.error = "timeout";
    } else if (errno != EINTR) {
      break;  // the answer may be there already: the server may refuse a body
    }
  }
  if (response.error.empty()) response = ReadResponse(request.method == "HEAD");
  if (!response.error.empty() || response.closes) Close();
  return response;
}

HttpResponse Fetch(const Endpoint& endpoint, const HttpRequest& request, milliseconds timeout) {
  HttpConnection connection(endpoint, timeout);
  HttpRequest closing = request;
  closing.headers.emplace_back("Connection", "close");
  return connection.Exchange(closing);
}

HttpResponse Get(const Endpoint& endpoint, const std::string& target, const std::string& host) {
  HttpRequest request;
  request.target = target;
  if (!host.empty()) request.headers.emplace_back("Host", host);
  return Fetch(endpoint, request);
}

}  // namespace swarmgate::testing
