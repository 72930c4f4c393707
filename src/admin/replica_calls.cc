#include "admin/replica_calls.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "admin/answers.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/ports/replicas.h"

namespace swarmgate::admin {
namespace {

constexpr const char* kMadeHeader = "x-swarmgate-made";
constexpr const char* kDistribute = "distribute";
// Clocks differ, and a change is later than every one before it, whoever's clock that had: nothing
// but nonsense is refused.
constexpr std::chrono::hours kFarAhead{24 * 366};
constexpr std::uint64_t kMostRevision = 1ULL << 62U;

model::PeerCall CallOf(const Request& request) {
  model::PeerCall call;
  call.method = request.method;
  call.path = request.path;
  call.query = request.query;
  call.body = request.body;
  return call;
}

/// What is sent on is not to be sent on again.
model::PeerCall OnwardCall(const Request& request) {
  model::PeerCall call = CallOf(request);
  call.query[kDistribute] = "false";
  return call;
}

bool IsTrue(const std::string& text) { return ToLower(text) == "true" || text == "1"; }

/// One sentence on what became of it at the others.
std::string Summary(const std::vector<model::PeerAnswer>& answers) {
  if (answers.empty()) return "no other replica is known; this one has applied it";
  std::string failed;
  std::size_t count = 0;
  for (const model::PeerAnswer& answer : answers) {
    if (answer.ok) continue;
    ++count;
    failed += (failed.empty() ? "" : ", ") + answer.address + " (" +
              (answer.message.empty() ? "HTTP " + std::to_string(answer.status) : answer.message) +
              ")";
  }
  if (count == 0) return "Distributed to all instances";
  return "applied here; " + std::to_string(count) + " of " + std::to_string(answers.size()) +
         " other replicas did not confirm it: " + failed;
}

Response Signed(ports::SignedAnswer answer) {
  Response response;
  response.body = std::move(answer.body);
  if (!answer.proof.empty()) {
    response.headers.emplace_back("X-Swarmgate-Proof", std::move(answer.proof));
  }
  return response;
}

Response Signed(Result<ports::SignedAnswer> answer) {
  if (answer) return Signed(*std::move(answer));
  const bool none = answer.error().code == Code::kNotFound;
  return Problem(none ? 404 : 503, std::string(CodeName(answer.error().code)),
                 answer.error().message);
}

}  // namespace

Result<Change> ReadChange(const Request& request) {
  Change change;
  change.parameters = request.query;
  const bool asked = IsTrue(request.Query(kDistribute));
  if (const std::string made = request.Header(kMadeHeader); !made.empty()) {
    const auto latest = std::chrono::system_clock::now() + kFarAhead;
    const auto limit =
        std::chrono::duration_cast<std::chrono::milliseconds>(latest.time_since_epoch()).count();
    const auto time = ParseUint(made, static_cast<std::uint64_t>(limit));
    if (!time || *time == 0) {
      return Fail(Code::kInvalidArgument,
                  "X-Swarmgate-Made is when another replica accepted the change, in milliseconds; "
                  "clocks of replicas must not be a year apart");
    }
    change.made_unix_ms = static_cast<std::int64_t>(*time);
    // As whoever handed it on stores it: records of replicas are equal to the letter.
    change.parameters[kDistribute] = "true";
    return change;
  }
  change.distribute = asked;
  if (asked) change.parameters[kDistribute] = "true";
  return change;
}

std::optional<std::vector<model::PeerAnswer>> HandOn(const Request& request,
                                                     const HandlerContext& context,
                                                     const Change& change,
                                                     engine::Outcome& outcome) {
  if (!change.distribute || outcome.status != 200 || context.replicas == nullptr) {
    return std::nullopt;
  }
  model::PeerCall call = OnwardCall(request);
  call.made_unix_ms = outcome.made_unix_ms;
  std::vector<model::PeerAnswer> answers = context.replicas->Send(call);
  outcome.message += (outcome.message.empty() ? "" : "; ") + Summary(answers);
  return answers;
}

bool AsksOthers(const Request& request) { return IsTrue(request.Query(kDistribute)); }

std::vector<model::PeerAnswer> AskOthers(const Request& request, const HandlerContext& context) {
  if (context.replicas == nullptr || !AsksOthers(request)) return {};
  return context.replicas->Send(OnwardCall(request));
}

Response ReplicaCall(const Request& request, const HandlerContext& context) {
  if (context.replicas == nullptr) return Problem(404, "not_found", "there are no replicas");
  return Signed(context.replicas->Identify(request.Query("nonce"), request.Query("instance"),
                                           request.Query("digest"),
                                           context.backend->GetSnapshot()->ready));
}

Response RecordsCall(const Request& request, const HandlerContext& context) {
  if (context.replicas == nullptr) return Problem(404, "not_found", "there are no replicas");
  const auto after = ParseUint(request.Query("after"), kMostRevision);
  if (!after) return Problem(400, "invalid_argument", "after is a revision");
  return Signed(
      context.replicas->Documents(request.Query("nonce"), request.Query("epoch"), *after));
}

Response FactsCall(const Request& request, const HandlerContext& context) {
  if (context.replicas == nullptr) return Problem(404, "not_found", "there are no replicas");
  const auto after = ParseUint(request.Query("after"), kMostRevision);
  const std::string wait = request.Query("wait");
  const auto milliseconds = ParseUint(wait.empty() ? "0" : wait, 60'000);
  if (!after || !milliseconds) {
    return Problem(400, "invalid_argument", "after is a revision, wait a time in milliseconds");
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(*milliseconds);
  return Signed(
      context.replicas->Facts(request.Query("nonce"), request.Query("epoch"), *after, deadline));
}

std::optional<Request> FromPeer(const Request& request, const HandlerContext& context) {
  if (context.replicas == nullptr) return std::nullopt;
  // "Swarmgate <challenge> <signature>"
  const std::string header = request.Header("authorization");
  const std::vector<std::string_view> words = Split(header, ' ');
  if (words.size() != 3 || ToLower(words[0]) != "swarmgate") return std::nullopt;
  model::PeerCall call = CallOf(request);
  const auto made = ParseUint(request.Header(kMadeHeader), 1ULL << 62U);
  call.made_unix_ms = static_cast<std::int64_t>(made.value_or(0));
  auto body = context.replicas->BodyOf(call, words[1], words[2]);
  if (!body) return std::nullopt;
  Request opened = request;
  opened.body = *std::move(body);
  return opened;
}

std::optional<Response> RefuseStranger(const Request& request, const HandlerContext& context) {
  if (!context.guard.token.empty()) return Refuse(request, Access::kWrite, context.guard);
  if (context.replicas != nullptr && context.replicas->IsHostOfPeer(request.remote_address)) {
    return std::nullopt;
  }
  return Problem(403, "replicas_only",
                 "this is told to other replicas only; they are known by their addresses, or, "
                 "where ADMIN_TOKEN is set, by that");
}

}  // namespace swarmgate::admin
