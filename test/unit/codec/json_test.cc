#include "swarmgate/codec/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace swarmgate::codec {
namespace {

JsonValue Parsed(std::string_view text) {
  auto value = JsonValue::Parse(text);
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error().message);
  return value ? *std::move(value) : JsonValue();
}

TEST(JsonParse, ReadsEveryTypeOfValue) {
  const JsonValue json = Parsed(
      R"( {"s":"a\u00e9\n","b":true,"n":null,"i":-7,"u":18446744073709551615,"d":1.5,"a":[1,[]],"o":{}} )");
  EXPECT_EQ(json["s"].AsString(), "a\xC3\xA9\n");
  EXPECT_EQ(json["b"].AsBool(), true);
  EXPECT_TRUE(json["n"].is_null());
  EXPECT_EQ(json["i"].AsInt64(), -7);
  EXPECT_EQ(json["u"].AsUint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(json["d"].AsDouble(), 1.5);
  ASSERT_EQ(json["a"].items().size(), 2U);
  EXPECT_TRUE(json["a"].items()[1].is_array());
  EXPECT_TRUE(json["o"].is_object());
}

TEST(JsonParse, AShapeKeepsOnlyWhatIsWanted) {
  static const JsonShape kInner{{{"x"}}};
  static const JsonShape kShape{{{"a"}, {"b", &kInner}, {"list", &kInner}}};
  const auto json = JsonValue::Parse(
      R"({"no":{"a":[{"x":1}]},"a":{"all":[1,{"y":2}]},"s":"t","b":{"y":[[]],"x":3,"z":{}},)"
      R"("n":null,"list":[{"x":4,"y":5},{"y":6},7],"end":[1]})",
      {}, &kShape);
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(*json, Parsed(R"({"a":{"all":[1,{"y":2}]},"b":{"x":3},"list":[{"x":4},{},7]})"));
  // What is not kept is still checked.
  EXPECT_FALSE(JsonValue::Parse(R"({"no":{"a":}})", {}, &kShape));
  EXPECT_FALSE(JsonValue::Parse(R"({"no":["\x"]})", {}, &kShape));
  EXPECT_FALSE(JsonValue::Parse("{\"no\":" + std::string(10'000, '['), {}, &kShape));
  EXPECT_FALSE(JsonValue::Parse(R"({"no":[[[]]]})", {.max_bytes = 99, .max_depth = 3}, &kShape));
  EXPECT_TRUE(JsonValue::Parse(R"({"no":[[[]]]})", {.max_bytes = 99, .max_depth = 4}, &kShape));
}

TEST(JsonValue, GetterOfTheWrongTypeAnswersNothing) {
  const JsonValue json = Parsed(R"({"s":"1","i":-1,"d":1.5,"big":18446744073709551615})");
  EXPECT_EQ(json["s"].AsInt64(), std::nullopt);
  EXPECT_EQ(json["i"].AsString(), std::nullopt);
  EXPECT_EQ(json["i"].AsUint64(), std::nullopt);
  EXPECT_EQ(json["d"].AsInt64(), std::nullopt);
  EXPECT_EQ(json["big"].AsInt64(), std::nullopt);
  EXPECT_EQ(json.AsBool(), std::nullopt);
  EXPECT_TRUE(json["s"].items().empty());
  EXPECT_TRUE(json["s"].members().empty());
  EXPECT_EQ(json["i"].StringOr("x"), "x");
}

TEST(JsonValue, MissingMembersChainToNull) {
  const JsonValue json = Parsed(R"({"a":null})");
  EXPECT_TRUE(json["no"]["such"]["thing"].is_null());
  EXPECT_EQ(json.Find("no"), nullptr);
  ASSERT_NE(json.Find("a"), nullptr);
  EXPECT_TRUE(json.Find("a")->is_null());
}

TEST(JsonParse, SurrogatesThatStandAloneDoNotBecomeBrokenText) {
  const JsonValue json = Parsed(R"({"\ude08":"a\udc00b","pair":"\ud83d\ude00"})");
  EXPECT_EQ(json["pair"].AsString(), "\xF0\x9F\x98\x80");
  ASSERT_EQ(json.members().size(), 2U);
  EXPECT_EQ(json.members()[0].first, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_FALSE(JsonValue::Parse(R"("\ud83d")")) << "a high one alone is refused";
}

TEST(JsonValue, RepeatedMemberCountsByItsLastValue) {
  EXPECT_EQ(Parsed(R"({"a":1,"a":2})")["a"].AsInt64(), 2);
}

TEST(JsonParse, RefusesWhatIsNotExactlyOneValue) {
  const std::string nul("1\0", 2);
  for (const std::string_view text :
       {std::string_view(""), std::string_view(" "), std::string_view("{"),
        std::string_view("[1,]"), std::string_view("{} {}"), std::string_view("[1] x"),
        std::string_view("{\"a\":}"), std::string_view("{'a':1}"), std::string_view("\"\xff\""),
        std::string_view("\"\xed\xa0\x80\""), std::string_view("nul"), std::string_view("01"),
        std::string_view("NaN"), std::string_view("\"a\nb\""), std::string_view("1e999"),
        std::string_view("// c\n1"), std::string_view(nul)}) {
    const auto value = JsonValue::Parse(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Code::kCorrupt) << text;
    EXPECT_FALSE(value.error().message.empty());
  }
}

TEST(JsonParse, RefusesDeepNestingWithoutRecursion) {
  for (const std::size_t depth : {65UL, 10'000UL, 1'000'000UL}) {
    for (const char* open : {"[", "{\"a\":"}) {
      std::string text;
      for (std::size_t i = 0; i < depth; ++i) text += open;
      const auto value = JsonValue::Parse(text);
      ASSERT_FALSE(value);
      EXPECT_NE(value.error().message.find("nested deeper than 64"), std::string::npos)
          << value.error().message;
    }
  }
  EXPECT_TRUE(JsonValue::Parse(std::string(64, '[') + std::string(64, ']')));
  EXPECT_TRUE(JsonValue::Parse("[[[]]]", {.max_bytes = 100, .max_depth = 3}));
  EXPECT_FALSE(JsonValue::Parse("[[[[]]]]", {.max_bytes = 100, .max_depth = 3}));
}

TEST(JsonParse, RefusesWhatIsLargerThanTheLimit) {
  EXPECT_TRUE(JsonValue::Parse("[10]", {.max_bytes = 4}));
  const auto value = JsonValue::Parse("[100]", {.max_bytes = 4});
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message, "JSON of 5 bytes is larger than the limit of 4 bytes");
}

TEST(JsonWriter, WritesNestedValuesWithCommas) {
  JsonWriter json;
  json.BeginObject().Field("s", "x").Field("n", 1).Field("b", true).Key("a").BeginArray();
  json.Uint(1).Int(-2).Null().BeginObject().EndObject().BeginArray().EndArray().EndArray();
  json.Key("raw").Raw("{\"z\":0}").Key("d").Double(0.25).EndObject();
  EXPECT_EQ(std::move(json).Take(),
            R"({"s":"x","n":1,"b":true,"a":[1,-2,null,{},[]],"raw":{"z":0},"d":0.25})");
}

TEST(JsonWriter, WritesNullForNumbersThatJsonHasNot) {
  JsonWriter json;
  json.BeginArray().Double(std::nan("")).Double(INFINITY).EndArray();
  EXPECT_EQ(std::move(json).Take(), "[null,null]");
}

TEST(JsonWriter, EscapesEverythingThatIsNoText) {
  const struct {
    std::string_view text, json;
  } cases[] = {
      {"plain", R"("plain")"},
      {"q\"b\\", R"("q\"b\\")"},
      {"\n\r\t", R"("\n\r\t")"},
      {std::string_view("\0\x1f\x7f", 3), R"("\u0000\u001f\u007f")"},
      {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
      {"\xff", "\"\xEF\xBF\xBD\""},
      {"\xC3", "\"\xEF\xBF\xBD\""},
      {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const auto& c : cases) EXPECT_EQ(JsonQuote(c.text), c.json);
}

TEST(JsonWriter, WhatItWritesReadsBackEqual) {
  std::string every_byte;
  for (int c = 0; c < 128; ++c) every_byte.push_back(static_cast<char>(c));
  const JsonValue value = JsonValue::OfObject(
      {{every_byte, JsonValue::OfString(every_byte)},
       {"list", JsonValue::OfArray({JsonValue(), JsonValue::OfBool(false), JsonValue::OfInt(-5),
                                    JsonValue::OfUint(std::numeric_limits<std::uint64_t>::max()),
                                    JsonValue::OfDouble(0.1), JsonValue::OfDouble(-1500.0)})}});
  JsonWriter json;
  json.Value(value);
  EXPECT_EQ(Parsed(std::move(json).Take()), value);
}

TEST(JsonWriterDeathTest, MisuseIsABug) {
  EXPECT_DEATH(JsonWriter().EndObject(), "");
  EXPECT_DEATH(JsonWriter().BeginObject().String("value without key"), "");
  EXPECT_DEATH(JsonWriter().BeginArray().Key("key"), "");
  EXPECT_DEATH((void)std::move(JsonWriter().BeginArray()).Take(), "");
  EXPECT_DEATH(JsonWriter().Int(1).Int(2), "");
}

}  // namespace
}  // namespace swarmgate::codec
