// A web server for tests: what stands behind the proxy.
//
// It is compiled into one static file, so that an image made of nothing but
// this file is a working container, and it is deliberately strict about what a
// load test measures: HTTP/1.1 keep-alive, complete bodies, and an orderly end
// on SIGTERM (requests in flight are answered, idle connections are closed).
//
//   /...            200  host=<hostname> path=<path?query> port=<port> n=<request of this
//   connection> /headers...     the same, and then the request's header lines as received
//   /sleep/<ms>...  answers after so many milliseconds
//   /status/<code>  answers with this status
//   /size/<bytes>   answers with a body of so many bytes
//   /health         200, or 503 after /health/bad and until /health/good
//   Upgrade: ...    101, and then every byte comes back
//
// Usage: echo_server [PORT[,PORT...]]    serve (default 8080)
//        echo_server --check [PORT]      exit code of a Docker health check
// Environment: ECHO_START_DELAY_MS (wait before listening), ECHO_UNHEALTHY=1,
// ECHO_STOP=graceful|abrupt|linger|linger:<ms> (linger: so much longer service; two seconds),
// ECHO_NAME (instead of the host name).

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kMaxHead = 64 * 1024;
constexpr size_t kMaxBody = 64 * 1024 * 1024;

std::atomic<bool> g_stopping{false};
std::atomic<bool> g_healthy{true};
std::atomic<int> g_connections{0};
int g_stop_pipe[2] = {-1, -1};
std::string g_name;

void OnTerm(int) {
  // A byte that nobody reads: the pipe stays readable for every poll().
  const ssize_t written = write(g_stop_pipe[1], "x", 1);
  (void)written;  // nothing can be done about it inside a signal handler
}

bool SendAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

/// Appends what arrives to `buffer`. False at the end of the stream, and, for an
/// idle connection, as soon as the server stops.
bool ReadSome(int fd, std::string* buffer, bool idle) {
  pollfd fds[2] = {{fd, POLLIN, 0}, {g_stop_pipe[0], POLLIN, 0}};
  for (;;) {
    // A request that has begun gets its time; only an idle connection is let go.
    const nfds_t count = idle ? 2 : 1;
    if (poll(fds, count, 60'000) <= 0) return false;
    if (fds[0].revents == 0) {
      if (!g_stopping.load()) {  // the main thread decides when stopping begins
        std::this_thread::sleep_for(milliseconds(2));
        continue;
      }
      return false;
    }
    char chunk[16384];
    const ssize_t n = recv(fd, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    buffer->append(chunk, static_cast<size_t>(n));
    return true;
  }
}

struct Request {
  std::string method;
  std::string target;
  std::string head;  // the header lines, without the request line
  bool keep_alive = true;
  bool upgrade = false;
  size_t body_length = 0;
};

std::string HeaderValue(const std::string& head, const char* name) {
  const size_t name_length = strlen(name);
  size_t pos = 0;
  while (pos < head.size()) {
    size_t end = head.find("\r\n", pos);
    if (end == std::string::npos) end = head.size();
    if (end - pos > name_length && head[pos + name_length] == ':' &&
        strncasecmp(head.c_str() + pos, name, name_length) == 0) {
      size_t start = pos + name_length + 1;
      while (start < end && head[start] == ' ') ++start;
      return head.substr(start, end - start);
    }
    pos = end + 2;
  }
  return {};
}

bool ParseRequest(const std::string& text, Request* request) {
  const size_t line_end = text.find("\r\n");
  const std::string line = text.substr(0, line_end);
  const size_t first = line.find(' ');
  const size_t second = line.rfind(' ');
  if (first == std::string::npos || second <= first) return false;
  request->method = line.substr(0, first);
  request->target = line.substr(first + 1, second - first - 1);
  request->head = text.substr(line_end + 2);
  const bool http10 = line.compare(second + 1, std::string::npos, "HTTP/1.0") == 0;
  const std::string connection = HeaderValue(request->head, "connection");
  request->keep_alive = http10 ? strcasecmp(connection.c_str(), "keep-alive") == 0
                               : strcasecmp(connection.c_str(), "close") != 0;
  request->upgrade = !HeaderValue(request->head, "upgrade").empty();
  request->body_length = static_cast<size_t>(
      strtoull(HeaderValue(request->head, "content-length").c_str(), nullptr, 10));
  return request->body_length <= kMaxBody;
}

long NumberAfter(const std::string& target, const char* prefix) {
  const size_t length = strlen(prefix);
  return target.compare(0, length, prefix) == 0 ? strtol(target.c_str() + length, nullptr, 10) : -1;
}

int SpecialTargets(const Request& request, std::string* body) {
  const std::string& target = request.target;
  if (const long ms = NumberAfter(target, "/sleep/"); ms >= 0) {
    std::this_thread::sleep_for(milliseconds(ms));
  }
  if (target == "/health/bad") g_healthy = false;
  if (target == "/health/good") g_healthy = true;
  if (target == "/health" && !g_healthy) return 503;
  if (target.rfind("/headers", 0) == 0) *body += request.head;
  if (const long size = NumberAfter(target, "/size/"); size >= 0) {
    body->assign(static_cast<size_t>(size), 'x');
  }
  const long status = NumberAfter(target, "/status/");
  return status >= 200 && status <= 599 ? static_cast<int>(status) : 200;
}

/// False when the connection is to be closed.
bool Answer(int fd, const Request& request, int port, int serial) {
  std::string body = "host=" + g_name + " path=" + request.target +
                     " port=" + std::to_string(port) + " method=" + request.method +
                     " n=" + std::to_string(serial) +
                     " len=" + std::to_string(request.body_length) + "\n";
  const int status = SpecialTargets(request, &body);
  const bool keep_alive = request.keep_alive && !g_stopping.load();
  std::string answer = "HTTP/1.1 " + std::to_string(status) +
                       " Echo\r\nContent-Type: text/plain\r\n" + "X-Echo-Host: " + g_name +
                       "\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\nConnection: " + (keep_alive ? "keep-alive" : "close") + "\r\n\r\n";
  if (request.method != "HEAD") answer += body;
  return SendAll(fd, answer) && keep_alive;
}

void EchoBytes(int fd, const Request& request, const std::string& already_read) {
  std::string buffer = already_read;
  if (!SendAll(fd, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " +
                       HeaderValue(request.head, "upgrade") + "\r\n\r\n")) {
    return;
  }
  do {
    if (!SendAll(fd, buffer)) return;
    buffer.clear();
  } while (ReadSome(fd, &buffer, /*idle=*/true));
}

void ServeConnection(int fd, int port) {
  std::string buffer;
  for (int serial = 1;; ++serial) {
    size_t head_end;
    while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (buffer.size() > kMaxHead || !ReadSome(fd, &buffer, buffer.empty())) return;
    }
    Request request;
    if (!ParseRequest(buffer.substr(0, head_end + 2), &request)) return;
    if (strcasecmp(HeaderValue(request.head, "expect").c_str(), "100-continue") == 0 &&
        !SendAll(fd, "HTTP/1.1 100 Continue\r\n\r\n")) {
      return;
    }
    while (buffer.size() < head_end + 4 + request.body_length) {
      if (!ReadSome(fd, &buffer, false)) return;
    }
    buffer.erase(0, head_end + 4 + request.body_length);
    if (request.upgrade) return EchoBytes(fd, request, buffer);
    if (!Answer(fd, request, port, serial)) return;
  }
}

void ConnectionThread(int fd, int port) {
  ServeConnection(fd, port);
  // Half-close and wait for the peer, so that an answer just written is never
  // cut off by a reset.
  shutdown(fd, SHUT_WR);
  timeval limit{0, 200'000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char sink[1024];
  while (recv(fd, sink, sizeof sink, 0) > 0) {
  }
  close(fd);
  --g_connections;
}

int Listen(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 1024) != 0) {
    perror("echo_server: bind");
    exit(1);
  }
  return fd;
}

void Accept(int listener, int port) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ++g_connections;
  std::thread(ConnectionThread, fd, port).detach();
}

/// Accepts until `deadline` or, when there is none, until SIGTERM.
void AcceptLoop(const std::vector<pollfd>& listeners, const std::vector<int>& ports,
                const steady_clock::time_point* deadline) {
  std::vector<pollfd> fds = listeners;
  if (deadline == nullptr) fds.push_back({g_stop_pipe[0], POLLIN, 0});
  for (;;) {
    if (deadline != nullptr && steady_clock::now() >= *deadline) return;
    if (poll(fds.data(), fds.size(), deadline != nullptr ? 10 : -1) < 0 && errno != EINTR) return;
    for (size_t i = 0; i < listeners.size(); ++i) {
      if ((fds[i].revents & POLLIN) != 0) Accept(fds[i].fd, ports[i]);
    }
    if (deadline == nullptr && fds.back().revents != 0) return;
  }
}

int Serve(const std::vector<int>& ports, const std::string& stop_mode) {
  std::vector<pollfd> listeners;
  for (int port : ports) listeners.push_back({Listen(port), POLLIN, 0});
  AcceptLoop(listeners, ports, nullptr);
  if (stop_mode == "abrupt") _exit(0);
  if (stop_mode.compare(0, 6, "linger") == 0) {
    const int more = stop_mode.size() > 7 ? atoi(stop_mode.c_str() + 7) : 2000;
    const auto until = steady_clock::now() + milliseconds(more);
    AcceptLoop(listeners, ports, &until);
  }
  // Whatever the kernel has already accepted for us is served before the door
  // is shut; otherwise closing the listener resets it.
  const auto until = steady_clock::now() + milliseconds(20);
  AcceptLoop(listeners, ports, &until);
  for (const pollfd& listener : listeners) close(listener.fd);
  g_stopping = true;
  const auto deadline = steady_clock::now() + std::chrono::seconds(8);
  while (g_connections > 0 && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  _exit(0);
}

int Check(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
  char answer[64] = {};
  if (!SendAll(fd, "GET /health HTTP/1.0\r\n\r\n")) return 1;
  if (recv(fd, answer, sizeof answer - 1, MSG_WAITALL) < 12) return 1;
  return strncmp(answer + 9, "200", 3) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--check") == 0) return Check(argc > 2 ? atoi(argv[2]) : 8080);
  if (pipe(g_stop_pipe) != 0) return 1;
  signal(SIGTERM, OnTerm);
  signal(SIGINT, OnTerm);
  signal(SIGPIPE, SIG_IGN);

  char host[256] = {};
  gethostname(host, sizeof host - 1);
  const char* name = getenv("ECHO_NAME");
  g_name = name != nullptr ? name : host;
  g_healthy = getenv("ECHO_UNHEALTHY") == nullptr;
  const char* stop = getenv("ECHO_STOP");
  if (const char* delay = getenv("ECHO_START_DELAY_MS")) {
    // Interruptible: a container that is stopped while it waits ends at once.
    pollfd stop_fd{g_stop_pipe[0], POLLIN, 0};
    if (poll(&stop_fd, 1, atoi(delay)) != 0) return 0;
  }

  std::vector<int> ports;
  for (const char* at = argc > 1 ? argv[1] : "8080"; at != nullptr && *at != '\0';) {
    ports.push_back(atoi(at));
    at = strchr(at, ',');
    if (at != nullptr) ++at;
  }
  return Serve(ports, stop != nullptr ? stop : "graceful");
}
