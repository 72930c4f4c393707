// Any request to the admin API: the first line is the target, the others are headers, of which
// "remote" is the caller's address. Every answer is JSON where it says so, and nobody changes
// anything without the token.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "admin/handlers.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"
#include "unit/admin/fake_backend.h"

namespace {

using swarmgate::admin::FakeBackend;
using swarmgate::admin::HandlerContext;
using swarmgate::admin::Request;
using swarmgate::admin::Response;

constexpr const char* kToken = "open-sesame";

void Require(bool condition) {
  if (!condition) std::abort();
}

Request ReadRequest(std::string_view text) {
  Request request;
  request.remote_address = "127.0.0.1";
  const auto lines = swarmgate::Split(text, '\n');
  const std::string_view target = lines.front();
  const auto question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) {
    for (const std::string_view pair : swarmgate::Split(target.substr(question + 1), '&')) {
      const auto equals = pair.find('=');
      request.query.emplace(pair.substr(0, equals), equals == std::string_view::npos
                                                        ? std::string_view()
                                                        : pair.substr(equals + 1));
    }
  }
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string name = swarmgate::ToLower(lines[i].substr(0, colon));
    const std::string value(lines[i].substr(colon + 2));
    if (name == "remote") {
      request.remote_address = value;
    } else {
      request.headers.emplace(name, value);
    }
  }
  return request;
}

void CheckAnswer(const Response& response) {
  Require(response.status >= 200 && response.status < 600);
  if (response.content_type == "application/json") {
    Require(swarmgate::codec::JsonValue::Parse(response.body).has_value());
  }
  Require(response.body.find(kToken) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const swarmgate::engine::Snapshot kSnapshot = swarmgate::admin::SampleSnapshot();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Request request = ReadRequest(text);
  const bool has_token = text.find(kToken) != std::string_view::npos;
  for (const bool token : {false, true}) {
    FakeBackend backend;
    backend.snapshot = kSnapshot;
    HandlerContext context;
    context.backend = &backend;
    if (token) context.guard.token = kToken;
    const Response response = swarmgate::admin::Handle(request, context);
    if (!has_token) CheckAnswer(response);
    const bool changed = !backend.calls.empty() && backend.calls.front().first != "validate";
    if (changed && token) Require(has_token);
    if (changed && !token) Require(swarmgate::admin::IsLoopback(request.remote_address));
  }
  return 0;
}
