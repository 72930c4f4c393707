// Calls that go on to other replicas, and calls that come from them.
#include "admin/replica_calls.h"

#include <gtest/gtest.h>

#include <chrono>

#include "admin/handlers.h"
#include "swarmgate/codec/json.h"
#include "unit/admin/fake_backend.h"

namespace swarmgate::admin {
namespace {

using codec::JsonValue;

/// Replicas that answer as a test says, and remember what they were sent.
class FakeReplicas final : public ports::Replicas {
 public:
  std::vector<model::PeerAnswer> answers;
  std::vector<model::PeerCall> calls;
  std::string good_signature;
  std::string peer_host;

  std::vector<model::PeerAnswer> Send(const model::PeerCall& call) override {
    calls.push_back(call);
    return answers;
  }
  ports::SignedAnswer Identify(const std::string& nonce, const std::string& instance,
                               const std::string& digest, bool ready) override {
    return {nonce + "," + instance + "," + digest + (ready ? ",ready" : ""), "proof of " + nonce};
  }
  Result<ports::SignedAnswer> Documents(const std::string& nonce, const std::string& epoch,
                                        std::uint64_t revision) override {
    (void)nonce;
    if (epoch.empty()) return Fail(Code::kNotFound, "records are shared through Consul");
    return ports::SignedAnswer{epoch + "+" + std::to_string(revision), ""};
  }
  Result<ports::SignedAnswer> Facts(const std::string& nonce, const std::string& epoch,
                                    std::uint64_t revision, SteadyTime deadline) override {
    (void)nonce;
    waited = deadline - std::chrono::steady_clock::now();
    return ports::SignedAnswer{"facts " + epoch + "+" + std::to_string(revision), ""};
  }
  SteadyTime::duration waited{};
  [[nodiscard]] std::optional<std::string> BodyOf(const model::PeerCall& call,
                                                  std::string_view challenge,
                                                  std::string_view signature) const override {
    const bool good = challenge == "challenge" && !good_signature.empty() &&
                      signature == good_signature && call.path.size() > 1;
    if (!good) return std::nullopt;
    return call.body.empty() ? "" : "opened " + call.body;
  }
  [[nodiscard]] bool IsHostOfPeer(std::string_view host) const override {
    return !host.empty() && host == peer_host;
  }
};

class ReplicaCallsTest : public ::testing::Test {
 protected:
  ReplicaCallsTest() {
    backend_.snapshot = SampleSnapshot();
    backend_.outcome.made_unix_ms = 77;
    context_.backend = &backend_;
    context_.replicas = &replicas_;
    request_.remote_address = "127.0.0.1";
  }

  Response Call(const std::string& path, std::map<std::string, std::string> query = {},
                const std::string& method = "GET") {
    request_.path = path;
    request_.query = std::move(query);
    request_.method = method;
    return Handle(request_, context_);
  }
  static JsonValue Json(const Response& response) {
    auto json = JsonValue::Parse(response.body);
    EXPECT_TRUE(json) << response.body;
    return json ? *json : JsonValue();
  }

  FakeBackend backend_;
  FakeReplicas replicas_;
  HandlerContext context_;
  Request request_;
};

TEST_F(ReplicaCallsTest, ADistributedCallTellsWhatBecameOfItAtEach) {
  replicas_.answers = {{"10.0.0.3:8080", "b", true, 200, "", ""},
                       {"10.0.0.4:8080", "", false, 0, "no answer in time", ""}};
  const Response response = Call("/v1/docker-flow-proxy/reconfigure",
                                 {{"serviceName", "web"}, {"port", "80"}, {"distribute", "true"}});
  EXPECT_EQ(response.status, 200) << "an accepted change is no error";
  const JsonValue json = Json(response);
  EXPECT_EQ(json["Status"].StringOr(), "OK");
  EXPECT_EQ(json["Message"].StringOr(),
            "applied here; 1 of 2 other replicas did not confirm it: 10.0.0.4:8080 (no answer in "
            "time)");
  ASSERT_EQ(json["replicas"].items().size(), 2U);
  EXPECT_EQ(json["replicas"].items()[0]["instance"].StringOr(), "b");
  EXPECT_EQ(json["replicas"].items()[0]["ok"].AsBool(), true);
  EXPECT_EQ(json["replicas"].items()[1]["message"].StringOr(), "no answer in time");
  ASSERT_EQ(replicas_.calls.size(), 1U);
  const model::PeerCall& sent = replicas_.calls[0];
  EXPECT_EQ(sent.path, "/v1/docker-flow-proxy/reconfigure");
  EXPECT_EQ(sent.query.at("distribute"), "false");
  EXPECT_EQ(sent.query.at("serviceName"), "web");
  EXPECT_EQ(sent.made_unix_ms, 77);
}

TEST_F(ReplicaCallsTest, EveryCallThatChangesSomethingCanBeDistributed) {
  replicas_.answers = {{"10.0.0.3:8080", "b", true, 200, "", ""}};
  request_.body = "PEM";
  const std::string prefix = "/v1/docker-flow-proxy";
  for (const auto& [path, method] : std::map<std::string, std::string>{
           {"/remove", "GET"}, {"/reload", "POST"}, {"/reconfigure", "GET"}, {"/cert", "PUT"}}) {
    replicas_.calls.clear();
    const Response response = Call(prefix + path, {{"distribute", "true"}}, method);
    EXPECT_EQ(Json(response)["Message"].StringOr(), "Distributed to all instances") << path;
    ASSERT_EQ(replicas_.calls.size(), 1U) << path;
    EXPECT_EQ(replicas_.calls[0].method, method);
    EXPECT_EQ(replicas_.calls[0].body, "PEM");
  }
  EXPECT_EQ(
      Json(Call(prefix + "/cert", {{"distribute", "true"}}, "DELETE"))["replicas"].items().size(),
      1U);
}

TEST_F(ReplicaCallsTest, WhatIsRefusedHereOrNotToBeDistributedGoesNowhere) {
  backend_.outcome.status = 400;
  EXPECT_EQ(Call("/v1/docker-flow-proxy/remove", {{"distribute", "true"}}).status, 400);
  backend_.outcome.status = 200;
  (void)Call("/v1/docker-flow-proxy/remove", {{"distribute", "false"}});
  (void)Call("/v1/docker-flow-proxy/remove", {});
  EXPECT_TRUE(replicas_.calls.empty());
  replicas_.answers.clear();
  const Response alone = Call("/v1/docker-flow-proxy/remove", {{"distribute", "true"}});
  EXPECT_EQ(alone.status, 200);
  EXPECT_NE(alone.body.find("no other replica is known"), std::string::npos) << alone.body;
}

TEST_F(ReplicaCallsTest, WhatAnybodyMayAskIsNotHandedOnForEverybody) {
  context_.guard.token = "secret";
  EXPECT_EQ(Call("/v1/docker-flow-proxy/metrics", {{"distribute", "true"}}).status, 401);
  EXPECT_TRUE(replicas_.calls.empty());
  EXPECT_NE(Call("/v1/docker-flow-proxy/metrics").status, 401);
}

TEST_F(ReplicaCallsTest, ACallThatWasHandedOnKeepsItsTimeAndGoesNoFurther) {
  request_.headers["x-swarmgate-made"] = "1234";
  EXPECT_EQ(Call("/v1/docker-flow-proxy/reconfigure", {{"distribute", "false"}}).status, 200);
  EXPECT_EQ(backend_.made, 1234);
  EXPECT_EQ(backend_.calls[0].second.at("distribute"), "true") << "as the other one stores it";
  EXPECT_TRUE(replicas_.calls.empty());
  // Not even when somebody in between changes the query.
  (void)Call("/v1/docker-flow-proxy/reconfigure", {{"distribute", "true"}});
  EXPECT_TRUE(replicas_.calls.empty());
  const auto nonsense = std::chrono::system_clock::now() + std::chrono::hours(24 * 367);
  const std::string far = std::to_string(
      std::chrono::duration_cast<std::chrono::milliseconds>(nonsense.time_since_epoch()).count());
  for (const std::string& bad : {std::string("x"), std::string("-1"), std::string("0"), far}) {
    request_.headers["x-swarmgate-made"] = bad;
    EXPECT_EQ(Call("/v1/docker-flow-proxy/reconfigure").status, 400) << bad;
  }
}

TEST_F(ReplicaCallsTest, StatisticsOfAllStandBehindOurs) {
  backend_.stats = "# pxname,svname\nservices,FRONTEND\n";
  replicas_.answers = {{"10.0.0.3:8080", "b", true, 200, "", "# theirs\n"},
                       {"10.0.0.4:8080", "c", false, 503, "", "{}"}};
  const std::string csv = Call("/v1/docker-flow-proxy/metrics", {{"distribute", "true"}}).body;
  EXPECT_EQ(csv.rfind("# pxname", 0), 0U);
  EXPECT_NE(csv.find("# theirs\n\n"), std::string::npos) << csv;
  EXPECT_EQ(csv.find("{}"), std::string::npos);
}

TEST_F(ReplicaCallsTest, ASignedCallIsTakenLikeOneWithTheToken) {
  context_.guard.token = "the token";
  request_.remote_address = "10.0.0.3";
  EXPECT_EQ(Call("/v1/docker-flow-proxy/remove").status, 401);
  replicas_.good_signature = "signature";
  request_.headers["authorization"] = "Swarmgate challenge signature";
  EXPECT_EQ(Call("/v1/docker-flow-proxy/remove").status, 200);
  request_.body = "sealed";
  EXPECT_EQ(Call("/v1/docker-flow-proxy/cert", {{"certName", "a.pem"}}, "PUT").status, 200);
  EXPECT_EQ(backend_.calls.back().second.at("pem"), "opened sealed");
  for (const char* bad :
       {"Swarmgate challenge", "Swarmgate challenge signature x", "Swarmgate challenge other",
        "Swarmgate other signature", "Bearer challenge signature", "Swarmgate"}) {
    request_.headers["authorization"] = bad;
    EXPECT_EQ(Call("/v1/docker-flow-proxy/remove").status, 401) << bad;
    EXPECT_EQ(Call("/v1/replica/records", {{"after", "0"}}).status, 401) << bad;
  }
}

TEST_F(ReplicaCallsTest, RecordsAreToldToReplicasOnly) {
  const std::map<std::string, std::string> query = {{"after", "5"}, {"epoch", "e"}};
  EXPECT_EQ(Call("/v1/replica/records", query).status, 403) << "not even to this machine";
  context_.guard.allow_remote = true;
  request_.remote_address = "10.0.0.3";
  EXPECT_EQ(Call("/v1/replica/records", query).status, 403) << "not even in MODE=swarm";
  replicas_.peer_host = "10.0.0.3";
  const Response told = Call("/v1/replica/records", query);
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.body, "e+5");
  const Response facts = Call("/v1/replica/facts", {{"after", "5"}, {"wait", "900"}});
  EXPECT_EQ(facts.body, "facts +5");
  EXPECT_GT(replicas_.waited, std::chrono::milliseconds(500));
  EXPECT_EQ(Call("/v1/replica/facts", {{"after", "5"}, {"wait", "x"}}).status, 400);
  EXPECT_EQ(Call("/v1/replica/records", {{"after", "x"}}).status, 400);
  EXPECT_EQ(Call("/v1/replica/records", {{"after", "1"}}).status, 404);
  // Where there is a token, an address is not enough.
  context_.guard.token = "the token";
  EXPECT_EQ(Call("/v1/replica/records", query).status, 401);
  request_.headers["authorization"] = "Bearer the token";
  EXPECT_EQ(Call("/v1/replica/records", query).status, 200);
}

TEST_F(ReplicaCallsTest, AnybodyMayAskWhoThisIs) {
  context_.guard.token = "the token";
  request_.remote_address = "10.0.0.3";
  const Response told = Call("/v1/replica", {{"nonce", "n"}, {"instance", "b"}, {"digest", "d"}});
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.body, "n,b,d,ready");
  ASSERT_EQ(told.headers.size(), 1U);
  EXPECT_EQ(told.headers[0].first, "X-Swarmgate-Proof");
  EXPECT_EQ(told.headers[0].second, "proof of n");
  context_.replicas = nullptr;
  EXPECT_EQ(Call("/v1/replica").status, 404);
  EXPECT_EQ(Call("/v1/replica/records").status, 401);
}

}  // namespace
}  // namespace swarmgate::admin
