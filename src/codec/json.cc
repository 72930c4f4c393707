#include "swarmgate/codec/json.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <rapidjson/stream.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "codec/utf8.h"

namespace swarmgate::codec {
namespace {

// RapidJSON may scan strings 16 bytes at a time: the last scan stays inside of the buffer.
constexpr std::size_t kPadding = 16;

const JsonValue kNull;
const JsonValue::Array kNoItems;
const JsonValue::Object kNoMembers;

/// Builds the tree out of RapidJSON's calls. Holds the containers that are still open, so that
/// nothing recurses.
class TreeBuilder {
 public:
  TreeBuilder(std::size_t max_depth, const JsonShape* shape)
      : max_depth_(max_depth), root_shape_(shape) {}

  bool Null() { return Skipping() || Add(JsonValue()); }
  bool Bool(bool value) { return Skipping() || Add(JsonValue::OfBool(value)); }
  bool Int(int value) { return Skipping() || Add(JsonValue::OfInt(value)); }
  bool Uint(unsigned value) { return Skipping() || Add(JsonValue::OfInt(value)); }
  bool Int64(std::int64_t value) { return Skipping() || Add(JsonValue::OfInt(value)); }
  bool Uint64(std::uint64_t value) { return Skipping() || Add(JsonValue::OfUint(value)); }
  bool Double(double value) { return Skipping() || Add(JsonValue::OfDouble(value)); }
  bool RawNumber(const char* /*text*/, rapidjson::SizeType /*size*/, bool /*copy*/) {
    return false;
  }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    return Skipping() || Add(JsonValue::OfString(Text(text, size)));
  }
  bool StartObject() { return Open(false); }
  bool Key(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    if (skipped_ > 0) return true;
    Level& level = open_.back();
    level.member_shape = nullptr;
    if (level.shape != nullptr) {
      const auto& wanted = level.shape->members;
      const auto found = std::find_if(wanted.begin(), wanted.end(), [&](const auto& member) {
        return member.key == std::string_view(text, size);
      });
      if (found == wanted.end()) {
        skip_next_ = true;
        return true;
      }
      level.member_shape = found->inside;
    }
    level.key = Text(text, size);
    return true;
  }
  bool EndObject(rapidjson::SizeType /*count*/) {
    if (CloseSkipped()) return true;
    JsonValue value = JsonValue::OfObject(std::move(open_.back().members));
    open_.pop_back();
    return Add(std::move(value));
  }
  bool StartArray() { return Open(true); }
  bool EndArray(rapidjson::SizeType /*count*/) {
    if (CloseSkipped()) return true;
    JsonValue value = JsonValue::OfArray(std::move(open_.back().items));
    open_.pop_back();
    return Add(std::move(value));
  }

  JsonValue TakeRoot() { return std::move(root_); }
  [[nodiscard]] bool too_deep() const { return too_deep_; }

 private:
  /// RapidJSON makes bytes that are no UTF-8 out of a low surrogate that stands alone ("\ude00").
  static std::string Text(const char* text, std::size_t size) {
    return ValidUtf8(std::string_view(text, size));
  }

  struct Level {
    bool array = false;
    const JsonShape* shape = nullptr;         // of this container
    const JsonShape* member_shape = nullptr;  // of the value that follows the last key
    std::string key;
    JsonValue::Array items;
    JsonValue::Object members;
  };

  /// Is the value that begins now part of what nobody wants?
  bool Skipping() { return skipped_ > 0 || std::exchange(skip_next_, false); }
  bool CloseSkipped() {
    if (skipped_ == 0) return false;
    --skipped_;
    return true;
  }
  bool Open(bool array) {
    too_deep_ = open_.size() + skipped_ >= max_depth_;
    if (too_deep_) return false;
    if (Skipping()) {
      ++skipped_;
      return true;
    }
    const JsonShape* shape = root_shape_;
    if (!open_.empty()) shape = open_.back().array ? open_.back().shape : open_.back().member_shape;
    Level& level = open_.emplace_back();
    level.array = array;
    level.shape = shape;
    return true;
  }
  bool Add(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().array) {
      open_.back().items.push_back(std::move(value));
    } else {
      open_.back().members.emplace_back(std::move(open_.back().key), std::move(value));
    }
    return true;
  }

  std::size_t max_depth_;
  const JsonShape* root_shape_;
  bool too_deep_ = false;
  bool skip_next_ = false;   // the value of an unwanted key comes next
  std::size_t skipped_ = 0;  // containers that are open inside of such a value
  std::vector<Level> open_;
  JsonValue root_;
};

void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t length = 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\r') {
      out.append("\\r");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (c < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else if (length = Utf8Length(text); length == 0) {
      out.append("\xEF\xBF\xBD");
      length = 1;
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  out.push_back('"');
}

}  // namespace

Result<JsonValue> JsonValue::Parse(std::string_view text, const JsonLimits& limits,
                                   const JsonShape* shape) {
  if (text.size() > limits.max_bytes) {
    return Fail(Code::kCorrupt, fmt::format("JSON of {} bytes is larger than the limit of {} bytes",
                                            text.size(), limits.max_bytes));
  }
  // RapidJSON takes a NUL byte for the end of the text, and is slow at judging UTF-8.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Fail(Code::kCorrupt, fmt::format("not JSON at byte {}: a NUL byte", nul));
  }
  if (const std::size_t valid = Utf8Prefix(text); valid != text.size()) {
    return Fail(Code::kCorrupt, fmt::format("not JSON at byte {}: no UTF-8", valid));
  }
  TreeBuilder builder(limits.max_depth, shape);
  std::string buffer;
  buffer.reserve(text.size() + kPadding);
  buffer.append(text).append(kPadding, '\0');
  rapidjson::InsituStringStream stream(buffer.data());
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag |
                              rapidjson::kParseFullPrecisionFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (builder.too_deep()) {
    return Fail(Code::kCorrupt, fmt::format("JSON is nested deeper than {} levels at byte {}",
                                            limits.max_depth, result.Offset()));
  }
  if (!result) {
    return Fail(Code::kCorrupt, fmt::format("not JSON at byte {}: {}", result.Offset(),
                                            rapidjson::GetParseError_En(result.Code())));
  }
  return builder.TakeRoot();
}

bool JsonValue::is_number() const {
  return std::holds_alternative<std::int64_t>(value_) ||
         std::holds_alternative<std::uint64_t>(value_) || std::holds_alternative<double>(value_);
}

const char* JsonValue::type_name() const {
  if (is_null()) return "null";
  if (is_bool()) return "boolean";
  if (is_string()) return "string";
  if (is_array()) return "array";
  if (is_object()) return "object";
  return "number";
}

std::optional<bool> JsonValue::AsBool() const {
  if (const auto* value = std::get_if<bool>(&value_)) return *value;
  return std::nullopt;
}

std::optional<std::int64_t> JsonValue::AsInt64() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  return std::nullopt;
}

std::optional<std::uint64_t> JsonValue::AsUint64() const {
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return *value;
  const auto* value = std::get_if<std::int64_t>(&value_);
  if (value != nullptr && *value >= 0) return static_cast<std::uint64_t>(*value);
  return std::nullopt;
}

std::optional<double> JsonValue::AsDouble() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<std::string_view> JsonValue::AsString() const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  return std::nullopt;
}

std::string JsonValue::StringOr(std::string_view fallback) const {
  return std::string(AsString().value_or(fallback));
}

const JsonValue::Array& JsonValue::items() const {
  const auto* items = std::get_if<Array>(&value_);
  return items != nullptr ? *items : kNoItems;
}

const JsonValue::Object& JsonValue::members() const {
  const auto* members = std::get_if<Object>(&value_);
  return members != nullptr ? *members : kNoMembers;
}

const JsonValue* JsonValue::Find(std::string_view key) const {
  const Object& all = members();
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (it->first == key) return &it->second;
  }
  return nullptr;
}

const JsonValue& JsonValue::operator[](std::string_view key) const {
  const JsonValue* found = Find(key);
  return found != nullptr ? *found : kNull;
}

JsonValue JsonValue::OfBool(bool value) {
  JsonValue json;
  json.value_.emplace<bool>(value);
  return json;
}

JsonValue JsonValue::OfInt(std::int64_t value) {
  JsonValue json;
  json.value_.emplace<std::int64_t>(value);
  return json;
}

JsonValue JsonValue::OfUint(std::uint64_t value) {
  // One form per number, so that equal numbers compare equal.
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return OfInt(static_cast<std::int64_t>(value));
  }
  JsonValue json;
  json.value_.emplace<std::uint64_t>(value);
  return json;
}

JsonValue JsonValue::OfDouble(double value) {
  JsonValue json;
  json.value_.emplace<double>(value);
  return json;
}

JsonValue JsonValue::OfString(std::string value) {
  JsonValue json;
  json.value_.emplace<std::string>(std::move(value));
  return json;
}

JsonValue JsonValue::OfArray(Array value) {
  JsonValue json;
  json.value_.emplace<Array>(std::move(value));
  return json;
}

JsonValue JsonValue::OfObject(Object value) {
  JsonValue json;
  json.value_.emplace<Object>(std::move(value));
  return json;
}

std::string JsonQuote(std::string_view text) {
  std::string out;
  AppendQuoted(out, text);
  return out;
}

}  // namespace swarmgate::codec
