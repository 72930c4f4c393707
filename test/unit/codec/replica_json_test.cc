#include "swarmgate/codec/replica_json.h"

#include <gtest/gtest.h>

namespace swarmgate::codec {
namespace {

TEST(ReplicaJson, AnIdentityComesBackAsItWas) {
  model::ReplicaIdentity identity;
  identity.cluster = "docker-flow";
  identity.service = "proxy";
  identity.instance = "host-1";
  identity.run = "r";
  identity.version = "0.1.0";
  identity.role = "all";
  identity.ready = true;
  identity.started_unix_ms = 17;
  identity.epoch = "e";
  identity.revision = 1ULL << 53U;
  identity.applied = 3;
  identity.digest = "2-77";
  identity.challenge = "5-ab";
  const auto decoded = DecodeIdentity(EncodeIdentity(identity));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, identity);
  // What no replica can count up to would never be fetched again.
  identity.revision = (1ULL << 53U) + 1;
  EXPECT_FALSE(DecodeIdentity(EncodeIdentity(identity)));
}

TEST(ReplicaJson, WhatIsNoIdentityIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"instance":"a"})"),
        std::string(R"({"instance":7,"run":"r"})"),
        R"({"run":"r","instance":")" + std::string(300, 'x') + R"("})"}) {
    EXPECT_EQ(DecodeIdentity(text).error().code, Code::kCorrupt) << text;
  }
}

TEST(ReplicaJson, DocumentsComeBackAndThoseOfANewerVersionAreCounted) {
  model::Record record;
  record.service = model::ServiceName("web");
  record.parameters = {{"servicePath", "/\"x\""}};
  record.revision = 4;
  record.updated_unix_ms = record.created_unix_ms = 6;
  DocumentList list;
  list.epoch = "e";
  list.revision = 9;
  list.documents = {{model::ServiceName("web"), record, 6, 4},
                    {model::ServiceName("gone"), std::nullopt, 7, 0}};
  const std::string text = EncodeDocuments(list);
  const auto decoded = DecodeDocuments(text);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->documents, list.documents);
  EXPECT_EQ(decoded->revision, 9U);
  std::string newer = text;
  newer.replace(newer.find("\"format\":1"), 10, "\"format\":2");
  const auto rest = DecodeDocuments(newer);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->documents.size(), 1U);
  EXPECT_EQ(rest->unreadable, 1U);
}

TEST(ReplicaJson, WhatIsNoListOfDocumentsIsRefusedAsAWhole) {
  for (const char* text :
       {"", "{}", R"({"epoch":"e","documents":{}})", R"({"epoch":"e","documents":[7]})",
        R"({"epoch":"e","documents":[{"deleted":"a"}]})",
        R"({"epoch":"e","documents":[{"deleted":"a","changed":-1}]})",
        R"({"epoch":"e","documents":[{"deleted":"a","changed":999999999999999999}]})",
        R"({"epoch":"e","documents":[{"changed":1,"record":{"format":1}}]})"}) {
    EXPECT_EQ(DecodeDocuments(text).error().code, Code::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace swarmgate::codec
