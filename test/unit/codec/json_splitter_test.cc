#include "swarmgate/codec/json_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace swarmgate::codec {
namespace {

using Form = JsonSplitter::Form;

struct Outcome {
  bool fed = true;
  bool finished = false;
  std::vector<std::string> elements;
};

Outcome Split(Form form, std::string_view text, std::size_t piece, std::size_t max = 1000) {
  Outcome outcome;
  JsonSplitter splitter(form, max, [&](std::string_view element) {
    outcome.elements.emplace_back(element);
    return Ok();
  });
  for (std::size_t at = 0; at < text.size() && outcome.fed; at += piece) {
    const Status status = splitter.Feed(text.substr(at, piece));
    outcome.fed = status.has_value();
    if (!status) {
      EXPECT_EQ(status.error().code, Code::kCorrupt);
    }
  }
  outcome.finished = outcome.fed && splitter.Finish().has_value();
  return outcome;
}

TEST(JsonSplitter, GivesTheSameElementsHoweverTheTextIsCut) {
  const struct {
    Form form;
    std::string_view text;
    std::vector<std::string> elements;
  } cases[] = {
      {Form::kArray, "[]", {}},
      {Form::kArray, " [ ] \n", {}},
      {Form::kArray, "null\n", {}},
      {Form::kArray, R"([{"a":1}])", {R"({"a":1})"}},
      {Form::kArray,
       R"( [ {"a":"}]\"\\"} , {"b":[{},[]]} , {} ] )",
       {R"({"a":"}]\"\\"})", R"({"b":[{},[]]})", "{}"}},
      {Form::kSequence, "", {}},
      {Form::kSequence, "\n", {}},
      {Form::kSequence, "{\"a\":1}\n{\"b\":\"\\\\\"}{}\r\n", {R"({"a":1})", R"({"b":"\\"})", "{}"}},
  };
  for (const auto& c : cases) {
    for (std::size_t piece = 1; piece <= c.text.size() + 1; ++piece) {
      const Outcome outcome = Split(c.form, c.text, piece);
      EXPECT_TRUE(outcome.finished) << c.text << " in pieces of " << piece;
      EXPECT_EQ(outcome.elements, c.elements) << c.text << " in pieces of " << piece;
    }
  }
}

TEST(JsonSplitter, EveryTruncationOfAListIsNoticed) {
  const std::string_view whole = R"([{"a":"x"},{"b":[1,2]}])";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Split(Form::kArray, whole.substr(0, size), 3).finished) << size;
  }
  EXPECT_FALSE(Split(Form::kArray, "nul", 10).finished);
  EXPECT_FALSE(Split(Form::kSequence, "{\"a\":1}\n{\"b\"", 3).finished);
}

TEST(JsonSplitter, RefusesWhatIsNotOfTheForm) {
  for (const char* text : {"{}", "[1]", "[\"x\"]", "[{}{}]", "[{},]", "[{}] x", "[,{}]", "nulx",
                           "null null", "<html>", "]"}) {
    EXPECT_FALSE(Split(Form::kArray, text, 100).finished) << text;
  }
  for (const char* text : {"[", "{},{}", "1", "x"}) {
    EXPECT_FALSE(Split(Form::kSequence, text, 100).fed) << text;
  }
}

TEST(JsonSplitter, RefusesAnElementLargerThanTheLimitWithoutKeepingIt) {
  const std::string text = "[{\"a\":\"" + std::string(100, 'x') + "\"}]";
  EXPECT_TRUE(Split(Form::kArray, text, 7, 108).finished);
  EXPECT_FALSE(Split(Form::kArray, text, 7, 107).fed);
  EXPECT_FALSE(Split(Form::kArray, text, 1000, 107).fed);
}

TEST(JsonSplitter, TheSinksErrorIsHandedOn) {
  JsonSplitter splitter(Form::kSequence, 100,
                        [](std::string_view) -> Status { return Fail(Code::kRejected, "no"); });
  const Status status = splitter.Feed("{}{}");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "no");
}

TEST(JsonSplitter, DeepNestingCostsNoStack) {
  const std::string text =
      "[{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}]";
  EXPECT_TRUE(Split(Form::kArray, text, 4096, 1'000'000).finished);
}

}  // namespace
}  // namespace swarmgate::codec
