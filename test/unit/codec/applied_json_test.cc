#include "swarmgate/codec/applied_json.h"

#include <gtest/gtest.h>

namespace swarmgate::codec {
namespace {

TEST(AppliedJson, RefusesWhatHasAnUnexpectedForm) {
  for (const char* text : {"",
                           "{",
                           "[]",
                           "null",
                           "{}",
                           R"({"id":""})",
                           R"({"id":7})",
                           R"({"id":"a","kind":3})",
                           R"({"id":"a","version":-1})",
                           R"({"id":"a","labels":[]})",
                           R"({"id":"a","labels":{"x":1}})",
                           R"({"id":"a","tasks":{}})",
                           R"({"id":"a","tasks":[7]})",
                           R"({"id":"a","tasks":[{"health":4}]})",
                           R"({"id":"a","exposed":[65536]})",
                           R"({"id":"a","exposed":["80"]})",
                           R"({"id":"a","published":[{"target":70000}]})",
                           R"({"id":"a","networks":[1]})",
                           R"({"id":"a","replicas":"3"})",
                           R"({"id":"a","global":1})"}) {
    Result<model::ServiceFacts> facts = DecodeServiceFacts(text);
    ASSERT_FALSE(facts) << text;
    EXPECT_EQ(facts.error().code, Code::kCorrupt) << text;
  }
  for (const char* text : {"", "[]", R"({"networks":[{"id":1}]})", R"({"manager":"yes"})"}) {
    EXPECT_FALSE(DecodeHostFacts(text)) << text;
  }
  for (const char* text : {"", "[]", R"({"a":1})"}) EXPECT_FALSE(DecodeStringMap(text)) << text;
  for (const char* text : {"", "[]", R"({"a":"b"})", R"({"a":[1]})"}) {
    EXPECT_FALSE(DecodeStringLists(text)) << text;
  }
}

TEST(AppliedJson, MissingMembersKeepTheirDefaultAndUnknownOnesAreIgnored) {
  Result<model::ServiceFacts> facts = DecodeServiceFacts(R"({"id":"a","later":[1,{}]})");
  ASSERT_TRUE(facts);
  model::ServiceFacts expected;
  expected.id = "a";
  EXPECT_EQ(*facts, expected);
}

}  // namespace
}  // namespace swarmgate::codec
