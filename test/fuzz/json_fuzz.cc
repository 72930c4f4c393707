// Any bytes as JSON. What is read must be written again and read back equal; cut into pieces, a
// list must give the same elements as at once.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/codec/json.h"
#include "swarmgate/codec/json_splitter.h"

namespace {

using swarmgate::codec::JsonSplitter;
using swarmgate::codec::JsonValue;
using swarmgate::codec::JsonWriter;

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Elements {
  bool whole = true;
  std::vector<std::string> texts;
  friend bool operator==(const Elements&, const Elements&) = default;
};

Elements Split(std::string_view text, std::size_t piece) {
  Elements elements;
  JsonSplitter splitter(JsonSplitter::Form::kArray, 4096, [&](std::string_view element) {
    elements.texts.emplace_back(element);
    return swarmgate::Ok();
  });
  for (std::size_t at = 0; at < text.size() && elements.whole; at += piece) {
    elements.whole = splitter.Feed(text.substr(at, piece)).has_value();
  }
  elements.whole = elements.whole && splitter.Finish().has_value();
  return elements;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto value = JsonValue::Parse(text); value) {
    JsonWriter writer;
    writer.Value(*value);
    const auto again = JsonValue::Parse(std::move(writer).Take());
    Require(again.has_value() && *again == *value);
  }
  const auto quoted = JsonValue::Parse(swarmgate::codec::JsonQuote(text));
  Require(quoted.has_value() && quoted->is_string());
  const Elements at_once = Split(text, text.size() + 1);
  if (at_once.whole) Require(at_once == Split(text, 1) && at_once == Split(text, 3));
  return 0;
}
