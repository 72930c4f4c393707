#include "consul/servers.h"

#include <chrono>
#include <optional>
#include <utility>

#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json_splitter.h"

namespace swarmgate::consul {
namespace {

// Of the longest document: Consul itself takes half a megabyte.
constexpr std::size_t kMaxElement = 4U << 20U;
// Consul adds up to a sixteenth to how long it waits, so that not all come back at once.
constexpr int kWaitJitter = 16;
constexpr int kSlowReads = 10;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

/// May another server answer better?
bool IsFailureOfServer(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded || code == Code::kCorrupt;
}

tl::unexpected<Error> Refused(const http::Response& response) {
  std::string text = "Consul answers " + std::to_string(response.status);
  const std::string_view body = Trim(response.body);
  if (!body.empty()) text += ": " + Printable(body, 200);
  const bool later = response.status >= 500 || response.status == 429;
  return Fail(later ? Code::kUnavailable : Code::kRejected, std::move(text));
}

/// What stands in front of a Consul, or in its place, may answer 404 or an empty list as well.
Result<std::uint64_t> IndexIn(const http::Response& response) {
  const auto index = ParseUint(response.Header("x-consul-index"), UINT64_MAX);
  if (!index) return Fail(Code::kCorrupt, "the answer is not Consul's: it has no X-Consul-Index");
  if (response.Header("x-consul-knownleader") == "false") {
    return Fail(Code::kUnavailable, "Consul has no leader");
  }
  return *index;
}

std::string Escaped(const std::string& key) {
  // Keys are made of bytes that mean nothing in a path (keys.h).
  return "/v1/kv/" + key;
}

}  // namespace

Servers::Servers(const ConsulOptions& options)
    : token_(options.token),
      request_timeout_(options.request_timeout),
      return_after_(options.return_after) {
  for (const std::string& url : options.servers) {
    http::Endpoint endpoint;
    endpoint.base_url = url;
    endpoint.ca_file = options.ca_file;
    endpoint.cert_file = options.cert_file;
    endpoint.key_file = options.key_file;
    endpoint.verify_peer = options.verify_peer;
    endpoint.connect_timeout = options.connect_timeout;
    servers_.push_back({url, std::make_unique<http::Client>(std::move(endpoint)), SteadyTime()});
  }
}

void Servers::Cancel() {
  for (Server& server : servers_) server.client->Cancel();
}

Result<http::Response> Servers::AskAny(const char* what, const Try& one_try) {
  // Those that failed a moment ago come last, and are not left out: there may be no others.
  std::vector<std::size_t> order;
  std::vector<std::size_t> avoided;
  const SteadyTime now = Now();
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    (servers_[i].avoid_until <= now ? order : avoided).push_back(i);
  }
  order.insert(order.end(), avoided.begin(), avoided.end());
  std::optional<Error> last;
  for (const std::size_t i : order) {
    Server& server = servers_[i];
    if (i != current_) {
      current_ = i;
      ++switches_;
    }
    Result<http::Response> response = one_try(*server.client);
    if (response && (response->status >= 500 || response->status == 429)) {
      response = Refused(*response);
    }
    if (response || !IsFailureOfServer(response.error().code)) {
      server.avoid_until = SteadyTime();
      if (!response) return Forward(response.error(), std::string(what) + " from " + server.url);
      return response;
    }
    server.avoid_until = Now() + return_after_;
    last = Error(response.error());
    last->context = std::string(what) + " from " + server.url;
  }
  if (last) return tl::unexpected<Error>(std::move(*last));
  return Fail(Code::kInvalidArgument, "no Consul server is known");
}

http::Request Servers::RequestOf(std::string method, const std::string& target,
                                 Duration limit) const {
  http::Request request;
  request.method = std::move(method);
  request.target = target;
  request.deadline = Now() + limit;
  if (!token_.empty()) request.headers.emplace_back("X-Consul-Token", token_);
  return request;
}

Result<http::Response> Servers::Ask(http::Client& client, const std::string& target, Duration limit,
                                    const http::StreamHandler& handler) const {
  Result<http::Response> response = client.Stream(RequestOf("GET", target, limit), handler);
  if (!response) return response;
  if (response->status != 200 && response->status != 404) return Refused(*response);
  if (const auto index = IndexIn(*response); !index) return Forward(index.error());
  return response;
}

Result<Listing> Servers::Read(const std::string& key, bool recurse, std::uint64_t index,
                              Duration wait) {
  std::string target = Escaped(key);
  Duration limit = recurse ? request_timeout_ * kSlowReads : request_timeout_;
  if (recurse) target += "?recurse";
  if (index > 0) {
    target += (recurse ? "&" : "?") + std::string("index=") + std::to_string(index) +
              "&wait=" + std::to_string(std::max<std::int64_t>(wait.count(), 1)) + "ms";
    limit += wait + wait / kWaitJitter;
  }
  Listing listing;
  const auto response = AskAny("reading", [&](http::Client& client) -> Result<http::Response> {
    listing.entries.clear();  // a server that failed may have sent some
    codec::JsonSplitter splitter(codec::JsonSplitter::Form::kArray, kMaxElement,
                                 [&](std::string_view element) -> Status {
                                   auto entry = codec::DecodeConsulEntry(element);
                                   if (!entry) return Forward(entry.error());
                                   listing.entries.push_back(std::move(*entry));
                                   return Ok();
                                 });
    http::StreamHandler handler;
    handler.on_data = [&](std::string_view piece) { return splitter.Feed(piece); };
    Result<http::Response> answer = Ask(client, target, limit, handler);
    if (!answer || answer->status == 404) return answer;
    if (const Status whole = splitter.Finish(); !whole) return Forward(whole.error());
    return answer;
  });
  if (!response) return Forward(response.error());
  if (response->status == 404) listing.entries.clear();
  listing.index = *IndexIn(*response);
  return listing;
}

Result<std::uint64_t> Servers::IndexOf(const std::string& prefix) {
  const std::string target = Escaped(prefix) + "?keys&separator=/";
  http::StreamHandler handler;
  handler.on_data = [](std::string_view) { return Ok(); };
  const auto response = AskAny("reading", [&](http::Client& client) {
    return Ask(client, target, request_timeout_, handler);
  });
  if (!response) return Forward(response.error());
  return IndexIn(*response);
}

Result<http::Response> Servers::Put(const std::string& target, std::string body) {
  return AskAny("writing", [&](http::Client& client) {
    http::Request request = RequestOf("PUT", target, request_timeout_);
    request.body = body;
    return client.Send(request);
  });
}

}  // namespace swarmgate::consul
