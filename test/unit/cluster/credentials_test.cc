#include "cluster/credentials.h"

#include <gtest/gtest.h>

namespace swarmgate::cluster {
namespace {

model::PeerCall SampleCall() {
  model::PeerCall call;
  call.method = "PUT";
  call.path = "/v1/docker-flow-proxy/cert";
  call.query = {{"certName", "a.pem"}, {"distribute", "false"}};
  call.body = "PEM";
  call.made_unix_ms = 5;
  return call;
}

class CredentialsTest : public ::testing::Test {
 protected:
  const SteadyTime now_{std::chrono::hours(5)};
  const Credentials asked_{"a token", "run of the one who is asked"};
  const Credentials asker_{"a token", "run of the asker"};
  const Credentials stranger_{"another", "run of a stranger"};
};

TEST_F(CredentialsTest, ACallIsTakenFromWhoKnowsTheToken) {
  const std::string challenge = asked_.MakeChallenge(now_);
  const model::PeerCall call = SampleCall();
  EXPECT_TRUE(asked_.Accepts(call, challenge, asker_.Sign(call, challenge), now_));
  EXPECT_FALSE(asked_.Accepts(call, challenge, stranger_.Sign(call, challenge), now_));
  EXPECT_FALSE(asked_.Accepts(call, challenge, "", now_));
  EXPECT_EQ(challenge.find("a token"), std::string::npos);
}

TEST_F(CredentialsTest, ASignatureIsWorthNothingForAnotherCallAnotherReplicaOrLater) {
  const std::string challenge = asked_.MakeChallenge(now_);
  const model::PeerCall call = SampleCall();
  const std::string signature = asker_.Sign(call, challenge);
  model::PeerCall other = call;
  other.query["certName"] = "b.pem";
  EXPECT_FALSE(asked_.Accepts(other, challenge, signature, now_));
  other = call;
  other.body = "another";
  EXPECT_FALSE(asked_.Accepts(other, challenge, signature, now_));
  other = call;
  other.made_unix_ms = 6;
  EXPECT_FALSE(asked_.Accepts(other, challenge, signature, now_));
  other = call;
  other.method = "DELETE";
  EXPECT_FALSE(asked_.Accepts(other, challenge, signature, now_));
  const Credentials third("a token", "run of a third");
  EXPECT_FALSE(third.Accepts(call, challenge, signature, now_));
  EXPECT_TRUE(asked_.Accepts(call, challenge, signature, now_ + Credentials::kChallengeLives));
  EXPECT_FALSE(asked_.Accepts(call, challenge, signature,
                              now_ + Credentials::kChallengeLives + Duration(1)));
  EXPECT_FALSE(asked_.Accepts(call, challenge, signature, now_ - Duration(1)));
}

TEST_F(CredentialsTest, AChallengeThatWasNotGivenIsNotTaken) {
  const model::PeerCall call = SampleCall();
  for (const std::string challenge : {"", "18000000", "18000000-", "18000000-00", "x-y", "-"}) {
    EXPECT_FALSE(asked_.Accepts(call, challenge, asker_.Sign(call, challenge), now_)) << challenge;
  }
}

TEST_F(CredentialsTest, AnAnswerIsProvedForItsNonceAndItsText) {
  const std::string proof = asked_.ProofOf("nonce", "body");
  EXPECT_TRUE(asker_.IsProof(proof, "nonce", "body"));
  EXPECT_FALSE(asker_.IsProof(proof, "nonce2", "body"));
  EXPECT_FALSE(asker_.IsProof(proof, "nonce", "body2"));
  EXPECT_FALSE(asker_.IsProof("", "nonce", "body"));
  EXPECT_FALSE(asker_.IsProof(stranger_.ProofOf("nonce", "body"), "nonce", "body"));
}

TEST_F(CredentialsTest, WhatIsSealedIsReadByWhoKnowsTheTokenAndWhatItIsOf) {
  const auto sealed = asker_.Seal("PRIVATE KEY", "challenge");
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->find("PRIVATE"), std::string::npos);
  EXPECT_EQ(*asked_.Open(*sealed, "challenge"), "PRIVATE KEY");
  EXPECT_FALSE(asked_.Open(*sealed, "another"));
  EXPECT_FALSE(stranger_.Open(*sealed, "challenge"));
  EXPECT_FALSE(asked_.Open("PRIVATE KEY", "challenge"));
}

TEST_F(CredentialsTest, WithoutATokenNothingIsProved) {
  const Credentials open("", "run");
  EXPECT_EQ(open.MakeChallenge(now_), "");
  EXPECT_EQ(open.ProofOf("nonce", "body"), "");
  EXPECT_FALSE(open.Accepts(SampleCall(), "", open.Sign(SampleCall(), ""), now_));
}

}  // namespace
}  // namespace swarmgate::cluster
