#include "docker/daemon.h"

#include <fmt/format.h>

#include <chrono>

#include "swarmgate/base/strings.h"
#include "swarmgate/codec/docker_json.h"
#include "swarmgate/codec/json_splitter.h"

namespace swarmgate::docker {
namespace {

// What this adapter was written and tested for: 1.24 is Docker 1.12, the first with Swarm mode.
constexpr unsigned kNewest = 47;
constexpr unsigned kOldest = 24;

constexpr std::size_t kMaxElement = 8U << 20U;
constexpr std::size_t kMaxObject = 64U << 20U;
constexpr std::chrono::seconds kStreamSetUp{10};

/// The minor number of "1.41"; there never was another major number.
std::optional<unsigned> MinorOf(const std::string& version) {
  if (version.compare(0, 2, "1.") != 0) return std::nullopt;
  const auto minor = ParseUint(std::string_view(version).substr(2), 9999);
  if (!minor) return std::nullopt;
  return static_cast<unsigned>(*minor);
}

std::string Context(const std::string& path) {
  return "docker: GET " + path.substr(0, path.find('?'));
}

/// What a status other than 2xx means.
tl::unexpected<Error> Refusal(const http::Response& response, const std::string& path) {
  const Code code = response.status == 404   ? Code::kNotFound
                    : response.status >= 500 ? Code::kUnavailable
                    : response.status >= 400 ? Code::kRejected
                                             : Code::kCorrupt;
  return Fail(code,
              fmt::format("status {}: {}", response.status, codec::DecodeMessage(response.body)),
              Context(path));
}

bool IsGood(int status) { return status >= 200 && status < 300; }

}  // namespace

Result<std::string> NegotiateVersion(const std::string& api, const std::string& min_api) {
  const auto newest = MinorOf(api);
  const auto oldest = min_api.empty() ? std::optional<unsigned>(0) : MinorOf(min_api);
  if (!newest || !oldest) {
    return Fail(Code::kCorrupt, fmt::format("\"{}\" is no version of Docker's API",
                                            Printable(newest ? min_api : api, 40)));
  }
  if (*newest < kOldest) {
    return Fail(Code::kRejected,
                fmt::format("the daemon speaks API 1.{} at most; 1.{} is needed (Docker 1.12)",
                            *newest, kOldest));
  }
  if (*oldest > kNewest) {
    return Fail(Code::kRejected, fmt::format("the daemon speaks API 1.{} at least; this program "
                                             "speaks up to 1.{}: it is too old for this daemon",
                                             *oldest, kNewest));
  }
  return fmt::format("1.{}", std::min(*newest, kNewest));
}

Result<std::string> Daemon::Version(SteadyTime deadline) {
  if (!version_.empty()) return version_;
  const auto response = client_.Send({.target = "/version", .deadline = deadline});
  if (!response) return Forward(response.error(), Context("/version"));
  if (!IsGood(response->status)) return Refusal(*response, "/version");
  const auto json = codec::JsonValue::Parse(response->body);
  if (!json) return Forward(json.error(), Context("/version"));
  const auto version = codec::DecodeVersion(*json);
  if (!version) return Forward(version.error(), Context("/version"));
  auto negotiated = NegotiateVersion(version->api, version->min_api);
  if (!negotiated) return Forward(negotiated.error(), "docker");
  version_ = *negotiated;
  return version_;
}

Result<std::string> Daemon::Target(const std::string& path, SteadyTime deadline) {
  const auto version = Version(deadline);
  if (!version) return Forward(version.error());
  return "/v" + *version + path;
}

Result<codec::JsonValue> Daemon::Get(const std::string& path, SteadyTime deadline) {
  const auto target = Target(path, deadline);
  if (!target) return Forward(target.error());
  const auto response =
      client_.Send({.target = *target, .deadline = deadline, .max_body = kMaxObject});
  if (!response) return Forward(response.error(), Context(path));
  if (!IsGood(response->status)) return Refusal(*response, path);
  auto json = codec::JsonValue::Parse(response->body, {.max_bytes = kMaxObject});
  if (!json) return Forward(json.error(), Context(path));
  return json;
}

Status Daemon::GetList(const std::string& path, SteadyTime deadline, const ElementSink& sink) {
  const auto target = Target(path, deadline);
  if (!target) return Forward(target.error());
  codec::JsonSplitter splitter(codec::JsonSplitter::Form::kArray, kMaxElement, sink);
  const auto response = client_.Stream(
      {.target = *target, .deadline = deadline},
      {.on_open = {}, .on_data = [&](std::string_view piece) { return splitter.Feed(piece); }});
  if (!response) return Forward(response.error(), Context(path));
  if (!IsGood(response->status)) return Refusal(*response, path);
  if (Status status = splitter.Finish(); !status) return Forward(status.error(), Context(path));
  return Ok();
}

Error Daemon::GetStream(const std::string& path, const std::function<void()>& opened,
                        const ElementSink& sink) {
  const auto target = Target(path, std::chrono::steady_clock::now() + kStreamSetUp);
  if (!target) return target.error();
  codec::JsonSplitter splitter(codec::JsonSplitter::Form::kSequence, kMaxElement, sink);
  const auto response = client_.Stream(
      {.target = *target},
      {.on_open = opened, .on_data = [&](std::string_view piece) { return splitter.Feed(piece); }});
  if (!response) return Forward(response.error(), Context(path)).value();
  if (!IsGood(response->status)) return Refusal(*response, path).value();
  return Error{Code::kUnavailable, "the daemon ended the stream", Context(path)};
}

}  // namespace swarmgate::docker
