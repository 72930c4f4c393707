#include "app/client.h"

#include <chrono>

namespace swarmgate::app {
namespace {

http::Endpoint EndpointOf(const std::string& address) {
  http::Endpoint endpoint;
  endpoint.base_url = address;
  return endpoint;
}

}  // namespace

AdminClient::AdminClient(const CommandLine& line)
    : token_(line.token), client_(EndpointOf(line.address)) {}

http::Request AdminClient::Make(const char* method, const std::string& target) const {
  http::Request request;
  request.method = method;
  request.target = target;
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  return request;
}

Result<http::Response> AdminClient::Send(const char* method, const std::string& target) {
  http::Request request = Make(method, target);
  request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  return client_.Send(request);
}

Result<http::Response> AdminClient::Get(const std::string& target) { return Send("GET", target); }
Result<http::Response> AdminClient::Post(const std::string& target) { return Send("POST", target); }

Result<http::Response> AdminClient::Lines(const std::string& target,
                                          const std::function<Status(std::string_view)>& on_line) {
  std::string rest;
  http::StreamHandler handler;
  handler.on_data = [&](std::string_view piece) -> Status {
    rest.append(piece);
    std::size_t begin = 0;
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      const Status told = on_line(std::string_view(rest).substr(begin, end - begin));
      if (!told) return told;
      begin = end + 1;
    }
    rest.erase(0, begin);
    return Ok();
  };
  return client_.Stream(Make("GET", target), handler);
}

std::string QueryText(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    text += (text.empty() ? "?" : "&") + http::EscapeQuery(name) + "=" + http::EscapeQuery(value);
  }
  return text;
}

}  // namespace swarmgate::app
