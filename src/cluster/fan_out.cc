#include "cluster/fan_out.h"

#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "cluster/peer_link.h"
#include "cluster/thread.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::cluster {
namespace {

/// What the other one says in its own words.
std::string MessageOf(const http::Response& response) {
  const auto json = codec::JsonValue::Parse(response.body);
  if (json) return Printable((*json)["Message"].StringOr(), 400);
  return response.status == 200 ? "" : "HTTP " + std::to_string(response.status);
}

/// Nothing: not to be called, and not to be spoken of.
std::optional<model::PeerAnswer> CallOne(const Membership& self, Claims& claims,
                                         const std::string& address, const model::PeerCall& call,
                                         SteadyTime deadline) {
  model::PeerAnswer answer;
  answer.address = address;
  PeerLink link(self, address);
  const auto identity = link.Identify({}, deadline);
  if (!identity) {
    if (identity.error().code == Code::kNotFound) return std::nullopt;
    answer.message = "not called: " + identity.error().message;
    return answer;
  }
  if (!claims.Claim(identity->run)) return std::nullopt;
  answer.instance = identity->instance;
  auto response = link.Send(*identity, call, deadline);
  if (!response) {
    answer.message = response.error().message;
    return answer;
  }
  answer.status = response->status;
  answer.ok = response->status < 400;
  answer.message = MessageOf(*response);
  answer.body = std::move(response->body);
  return answer;
}

}  // namespace

std::vector<model::PeerAnswer> FanOut(const Membership& self,
                                      const std::vector<std::string>& addresses,
                                      const model::PeerCall& call, Duration deadline) {
  const SteadyTime until = std::chrono::steady_clock::now() + deadline;
  Claims claims;
  (void)claims.Claim(self.run);
  std::vector<std::optional<model::PeerAnswer>> each(addresses.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    try {
      threads.push_back(
          Spawn([&, i] { each[i] = CallOne(self, claims, addresses[i], call, until); }));
    } catch (const std::system_error& none) {
      model::PeerAnswer& answer = each[i].emplace();
      answer.address = addresses[i];
      answer.message = std::string("not called: no thread can be made: ") + none.what();
    }
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<model::PeerAnswer> answers;
  for (auto& answer : each) {
    if (answer) answers.push_back(std::move(*answer));
  }
  return answers;
}

}  // namespace swarmgate::cluster
