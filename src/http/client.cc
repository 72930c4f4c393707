#include "swarmgate/http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>

#include "swarmgate/base/strings.h"

namespace swarmgate::http {
namespace {

constexpr std::size_t kMaxHead = 64U << 10U;
constexpr std::size_t kMaxErrorBody = 64U << 10U;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using Multi = std::unique_ptr<CURLM, MultiDeleter>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

/// libcurl wants to be initialised before other threads use it; a function-local static is.
void InitOnce() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)result;
}

/// One request under way: what libcurl's callbacks see.
struct Transfer {
  CURL* easy = nullptr;
  const StreamHandler* handler = nullptr;  // null: the body is kept
  std::size_t max_body = 0;
  std::size_t head_size = 0;
  Response response;
  std::optional<Error> error;  // why a callback ended the transfer

  [[nodiscard]] bool streams() const {
    return handler != nullptr && response.status >= 200 && response.status < 300;
  }
};

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  transfer.head_size += line.size();
  if (transfer.head_size > kMaxHead) {
    transfer.error = Error{Code::kCorrupt, "the response's head is larger than 64 KiB", {}};
    return 0;
  }
  if (line == "\r\n" || line == "\n") {
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    if (transfer.streams() && transfer.handler->on_open) transfer.handler->on_open();
  } else if (line.starts_with("HTTP/")) {
    transfer.response.headers.clear();  // a head came before this one: 100 Continue
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    transfer.response.headers.emplace_back(ToLower(line.substr(0, colon)),
                                           Trim(line.substr(colon + 1)));
  }
  return line.size();
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view piece(data, size * count);
  if (transfer.streams()) {
    Status status = transfer.handler->on_data(piece);
    if (status) return piece.size();
    transfer.error = std::move(status).error();
    return 0;
  }
  std::string& body = transfer.response.body;
  const bool error_of_stream = transfer.handler != nullptr;
  const std::size_t limit = error_of_stream ? kMaxErrorBody : transfer.max_body;
  if (!error_of_stream && piece.size() > limit - std::min(limit, body.size())) {
    transfer.error = Error{Code::kCorrupt,
                           fmt::format("the response is larger than the limit of {} bytes", limit),
                           {}};
    return 0;
  }
  body.append(piece.substr(0, limit - std::min(limit, body.size())));
  return piece.size();
}

Code CodeOf(CURLcode result) {
  switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
      return Code::kDeadlineExceeded;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // HTTP/0.9, that is: no HTTP
    case CURLE_BAD_CONTENT_ENCODING:
      return Code::kCorrupt;
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return Code::kInvalidArgument;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return Code::kInternal;
    default:
      return Code::kUnavailable;
  }
}

bool HasControlBytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7F;
  });
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
    InitOnce();
    multi_.reset(curl_multi_init());
    if (multi_ != nullptr) curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 2L);
  }

  Result<Response> Run(const Request& request, const StreamHandler* handler) {
    if (cancelled_) return Cancelled();
    char error_text[CURL_ERROR_SIZE] = "";
    const Easy easy(curl_easy_init());
    if (multi_ == nullptr || easy == nullptr) return Fail(Code::kInternal, "libcurl has no memory");
    if (HasControlBytes(request.target)) {
      return Fail(Code::kInvalidArgument, "a target has no white space or control bytes");
    }
    Transfer transfer{easy.get(), handler, request.max_body, 0, {}, {}};
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, error_text);
    const List headers = SetUp(easy.get(), request, &transfer);
    if (const CURLMcode added = curl_multi_add_handle(multi_.get(), easy.get());
        added != CURLM_OK) {
      return Fail(Code::kInternal, curl_multi_strerror(added));
    }
    Result<CURLcode> ended = Drive(easy.get(), request.deadline);
    if (cancelled_) ended = Cancelled();
    Result<Response> answer = Judge(ended, &transfer, error_text);
    curl_multi_remove_handle(multi_.get(), easy.get());
    return answer;
  }

  void Cancel() {
    cancelled_ = true;
    if (multi_ != nullptr) curl_multi_wakeup(multi_.get());
  }

 private:
  static tl::unexpected<Error> Cancelled() { return Fail(Code::kCancelled, "cancelled"); }

  /// The returned header list must live as long as the transfer.
  List SetUp(CURL* easy, const Request& request, Transfer* transfer) const {
    const std::string url = endpoint_.base_url + request.target;
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // never wait for a name server at the end
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 131072L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 20L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    // curl's own limit for connecting is 300 s; ours is the request's deadline.
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(endpoint_.connect_timeout.count()));
    if (!endpoint_.unix_socket.empty()) {
      curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, endpoint_.unix_socket.c_str());
    }
    SetUpTls(easy);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    SetUpMethod(easy, request);
    List headers(curl_slist_append(nullptr, "Expect:"));
    for (const auto& [name, value] : request.headers) {
      // "Name;" is libcurl's way to send an empty value.
      const std::string line = value.empty() ? name + ";" : name + ": " + value;
      if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) continue;
      headers.reset(curl_slist_append(headers.release(), line.c_str()));
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    return headers;
  }

  static void SetUpMethod(CURL* easy, const Request& request) {
    if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (!request.body.empty() || request.method == "POST") {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request.body.c_str());
    }
    if (request.method != "HEAD") {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  void SetUpTls(CURL* easy) const {
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, endpoint_.verify_peer ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, endpoint_.verify_peer ? 2L : 0L);
    if (!endpoint_.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, endpoint_.ca_file.c_str());
      curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // this authority and no other
    }
    if (!endpoint_.cert_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_SSLCERT, endpoint_.cert_file.c_str());
      curl_easy_setopt(easy, CURLOPT_SSLKEY, endpoint_.key_file.c_str());
    }
  }

  /// Runs the transfer to its end, the deadline, or Cancel.
  Result<CURLcode> Drive(CURL* easy, SteadyTime deadline) {
    for (;;) {
      int running = 0;
      if (const CURLMcode code = curl_multi_perform(multi_.get(), &running); code != CURLM_OK) {
        return Fail(Code::kInternal, curl_multi_strerror(code));
      }
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE && message->easy_handle == easy) {
          return message->data.result;
        }
      }
      if (cancelled_) return Cancelled();
      const SteadyTime now = std::chrono::steady_clock::now();
      if (now >= deadline) return CURLE_OPERATION_TIMEDOUT;
      constexpr std::chrono::milliseconds kLongest{60'000};
      const auto wait = deadline - now < kLongest
                            ? std::chrono::ceil<std::chrono::milliseconds>(deadline - now)
                            : kLongest;
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
    }
  }

  [[nodiscard]] Result<Response> Judge(const Result<CURLcode>& ended, Transfer* transfer,
                                       const char* error_text) const {
    if (!ended) return Forward(ended.error());
    if (transfer->error) return tl::unexpected<Error>(std::move(*transfer->error));
    if (*ended == CURLE_OK) return std::move(transfer->response);
    std::string text = *error_text != '\0' ? error_text : curl_easy_strerror(*ended);
    if (*ended == CURLE_OPERATION_TIMEDOUT) text = "no answer in time";
    long os_error = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
    if (*ended == CURLE_COULDNT_CONNECT && os_error != 0) {
      const std::string& where =
          endpoint_.unix_socket.empty() ? endpoint_.base_url : endpoint_.unix_socket;
      char buffer[128];
      text = fmt::format("cannot connect to {}: {}", where,
                         strerror_r(static_cast<int>(os_error), buffer, sizeof(buffer)));
    }
    return Fail(CodeOf(*ended), std::move(text));
  }

  Endpoint endpoint_;
  Multi multi_;
  std::atomic<bool> cancelled_{false};
};

Client::Client(Endpoint endpoint) : impl_(std::make_unique<Impl>(std::move(endpoint))) {}
Client::~Client() = default;

Result<Response> Client::Send(const Request& request) { return impl_->Run(request, nullptr); }

Result<Response> Client::Stream(const Request& request, const StreamHandler& handler) {
  return impl_->Run(request, &handler);
}

void Client::Cancel() { impl_->Cancel(); }

std::string_view Response::Header(std::string_view name) const {
  for (const auto& [header, value] : headers) {
    if (header == name) return value;
  }
  return {};
}

std::string EscapeQuery(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    }
  }
  return out;
}

}  // namespace swarmgate::http
