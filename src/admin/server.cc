#include "swarmgate/admin/server.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "admin/answers.h"
#include "admin/connection.h"
#include "admin/handlers.h"
#include "admin/views.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/base/system.h"

namespace swarmgate::admin {
namespace {

constexpr std::size_t kMaxPath = 1024;
constexpr std::size_t kMaxBody = 64U << 10U;
// The same as another replica sends it: encrypted, in hex.
constexpr std::size_t kMaxSealedBody = 2 * kMaxBody + 256;

Request FromLibrary(const httplib::Request& request) {
  Request ours;
  ours.method = request.method;
  ours.path = request.path;
  for (const auto& [name, value] : request.params) ours.query.emplace(name, value);
  for (const auto& [name, value] : request.headers) ours.headers.emplace(ToLower(name), value);
  ours.remote_address = request.remote_addr;
  if (IsCertificateCall(request.path)) ours.body = request.body;
  return ours;
}

bool HasBody(const httplib::Request& request) {
  return request.has_header("Transfer-Encoding") ||
         (request.has_header("Content-Length") &&
          request.get_header_value("Content-Length") != "0");
}

/// The library would read a body that is too large to its end before it answers.
std::uint64_t DeclaredBody(const httplib::Request& request) {
  if (!request.has_header("Content-Length")) return 0;
  return ParseUint(request.get_header_value("Content-Length"), 1ULL << 62U).value_or(1ULL << 62U);
}

std::size_t MostBody(const httplib::Request& request) {
  const bool of_peer = ToLower(request.get_header_value("Authorization")).starts_with("swarmgate ");
  return of_peer ? kMaxSealedBody : kMaxBody;
}

Response TooLarge() { return Problem(413, "too_large", "the body is larger than 64 KiB"); }

/// What the library refuses by itself, before a handler sees it.
Response OfLibrary(int status) {
  switch (status) {
    case 400:
      return Problem(status, "bad_request", "this is no HTTP request that can be understood");
    case 413:
      return TooLarge();
    case 414:
      return Problem(status, "too_long", "method and URL together are longer than 8192 bytes");
    default:
      return Problem(status, "http_" + std::to_string(status), "HTTP " + std::to_string(status));
  }
}

bool ReadsBody(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

}  // namespace

class AdminServer::Impl {
 public:
  Impl(AdminOptions options, AdminBackend& backend, ports::Replicas* replicas)
      : options_(std::move(options)), server_(Limits()) {
    context_.backend = &backend;
    context_.replicas = replicas;
    context_.version = options_.version;
    context_.write_deadline = options_.write_deadline;
    context_.guard = {options_.token, options_.allow_remote, HostName()};
    SetHandlers();
  }

  ~Impl() { Stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<std::uint16_t> Bind() {
    errno = 0;
    int port = options_.port;
    const bool bound = port == 0 ? (port = server_.bind_to_any_port(options_.ip)) > 0
                                 : server_.bind_to_port(options_.ip, port);
    if (bound) {
      server_.WidenBacklog();
      return static_cast<std::uint16_t>(port);
    }
    const int why = errno;
    const std::string where = options_.ip + ":" + std::to_string(options_.port);
    if (why == EADDRINUSE) return Fail(Code::kConflict, "another program listens on " + where);
    if (why == EACCES) return Fail(Code::kRejected, "not allowed to bind " + where);
    return Fail(Code::kUnavailable,
                "cannot bind " + where + (why == 0 ? "" : std::string(": ") + std::strerror(why)));
  }

  void Start() {
    thread_ = std::thread([this] {
      try {
        (void)server_.listen_after_bind();  // ends by Stop
      } catch (const std::exception& error) {
        LogEvent(LogLevel::kError, "ADMIN_STOPPED", "the admin API ended",
                 {{"error", error.what()}});
      }
      listen_ended_ = true;
    });
    // The library forgets a stop() that comes before its loop runs.
    while (!server_.is_running() && !listen_ended_) std::this_thread::yield();
  }

  void Stop() {
    if (stopped_) return;
    stopped_ = true;
    server_.Interrupt();
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  [[nodiscard]] ConnectionLimits Limits() const {
    ConnectionLimits limits;
    limits.threads = options_.threads;
    limits.max_request = options_.max_request;
    limits.request_timeout = options_.request_timeout;
    limits.keep_alive = options_.keep_alive;
    return limits;
  }

  void SetHandlers() {
    server_.set_payload_max_length(kMaxSealedBody);
    const auto answer = [this](const httplib::Request& request, httplib::Response& response) {
      Answer(request, response);
    };
    // Requests without a body are answered before the library matches its regexes.
    server_.set_pre_routing_handler([this](const httplib::Request& request,
                                           httplib::Response& response) {
      if (request.path.size() > kMaxPath) {
        Send(Problem(414, "too_long", "the path is longer than 1024 bytes"), response);
      } else if (DeclaredBody(request) > MostBody(request)) {
        Send(TooLarge(), response);
      } else if (HasBody(request) && IsCertificateCall(request.path) && ReadsBody(request.method)) {
        // `curl --data-binary` says that it sends a form; the library would take it apart, and
        // refuse one above 8 KiB.
        const_cast<httplib::Request&>(request).headers.erase("Content-Type");
        return httplib::Server::HandlerResponse::Unhandled;
      } else if (HasBody(request) && ReadsBody(request.method)) {
        return httplib::Server::HandlerResponse::Unhandled;
      } else {
        Answer(request, response);
      }
      if (HasBody(request)) BoundedServer::CloseAfterThisRequest();
      return httplib::Server::HandlerResponse::Handled;
    });
    // Bodies are read and ignored: parameters come from the query, as users of the predecessor send
    // them.
    for (const char* pattern : {R"([\s\S]*)"}) {
      server_.Post(pattern, answer);
      server_.Put(pattern, answer);
      server_.Patch(pattern, answer);
      server_.Delete(pattern, answer);
    }
    server_.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
      (void)request;
      if (!response.body.empty()) return;
      response.set_content(OfLibrary(response.status).body, "application/json");
    });
    server_.set_exception_handler(
        [](const httplib::Request& request, httplib::Response& response, std::exception_ptr error) {
          (void)request;
          (void)error;
          Send(Problem(500, "internal", "an unexpected error"), response);
        });
  }

  void Answer(const httplib::Request& request, httplib::Response& response) {
    if (request.body.size() > MostBody(request)) return Send(TooLarge(), response);
    Response answer;
    try {
      answer = Handle(FromLibrary(request), context_);
    } catch (const std::exception& error) {
      LogEvent(LogLevel::kError, "ADMIN_HANDLER_FAILED", "a call ended with an unexpected error",
               {{"path", request.path}, {"error", error.what()}});
      answer = Problem(500, "internal", "an unexpected error");
    }
    if (answer.follow_after) {
      Follow(*answer.follow_after, answer.content_type, response);
    } else {
      Send(answer, response);
    }
  }

  static void Send(const Response& answer, httplib::Response& response) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_content(answer.body, answer.content_type);
  }

  void Follow(std::uint64_t after, const std::string& content_type, httplib::Response& response) {
    if (followers_.fetch_add(1) >= options_.followers) {
      --followers_;
      Send(Problem(503, "unavailable", "too many streams of events are open"), response);
      return;
    }
    response.set_header("Cache-Control", "no-store");
    response.set_chunked_content_provider(
        content_type,
        [this, after](std::size_t offset, httplib::DataSink& sink) mutable {
          (void)offset;
          if (server_.stopping()) {
            sink.done();
            return true;
          }
          const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
          std::string lines;
          for (const LoggedEvent& event : EventsAfter(after, until)) {
            after = event.sequence;
            lines += EventJson(event) + "\n";
          }
          return lines.empty() || sink.write(lines.data(), lines.size());
        },
        [this](bool success) {
          (void)success;
          --followers_;
        });
  }

  const AdminOptions options_;
  HandlerContext context_;
  std::atomic<std::size_t> followers_{0};
  std::atomic<bool> listen_ended_{false};
  bool stopped_ = false;
  BoundedServer server_;
  std::thread thread_;
};

AdminServer::AdminServer(AdminOptions options, AdminBackend& backend, ports::Replicas* replicas)
    : impl_(std::make_unique<Impl>(std::move(options), backend, replicas)) {}
AdminServer::~AdminServer() = default;
Result<std::uint16_t> AdminServer::Bind() { return impl_->Bind(); }
void AdminServer::Start() { impl_->Start(); }
void AdminServer::Stop() { impl_->Stop(); }

}  // namespace swarmgate::admin
