#include <fmt/format.h>

#include <cmath>

#include "swarmgate/base/check.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::codec {

void JsonWriter::BeforeValue() {
  const bool in_object = !open_.empty() && open_.back() == '{';
  SWARMGATE_CHECK(after_key_ == in_object);
  SWARMGATE_CHECK(!open_.empty() || text_.empty());
  if (!first_ && !after_key_) text_.push_back(',');
  first_ = false;
  after_key_ = false;
}

void JsonWriter::Open(char bracket) {
  BeforeValue();
  text_.push_back(bracket);
  open_.push_back(bracket);
  first_ = true;
}

void JsonWriter::Close(char open, char close) {
  SWARMGATE_CHECK(!open_.empty() && open_.back() == open && !after_key_);
  open_.pop_back();
  text_.push_back(close);
  first_ = false;
}

JsonWriter& JsonWriter::BeginObject() {
  Open('{');
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  Close('{', '}');
  return *this;
}

JsonWriter& JsonWriter::BeginArray() {
  Open('[');
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  Close('[', ']');
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  SWARMGATE_CHECK(!open_.empty() && open_.back() == '{' && !after_key_);
  if (!first_) text_.push_back(',');
  first_ = false;
  after_key_ = true;
  text_.append(JsonQuote(key));
  text_.push_back(':');
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  text_.append(json);
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) { return Raw(JsonQuote(value)); }

JsonWriter& JsonWriter::Int(std::int64_t value) { return Raw(fmt::format("{}", value)); }

JsonWriter& JsonWriter::Uint(std::uint64_t value) { return Raw(fmt::format("{}", value)); }

JsonWriter& JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  std::string text = fmt::format("{}", value);
  // A whole number stays a double when it is read again.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return Raw(text);
}

JsonWriter& JsonWriter::Bool(bool value) { return Raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::Null() { return Raw("null"); }

JsonWriter& JsonWriter::Value(const JsonValue& value) {
  if (const auto text = value.AsString()) return String(*text);
  if (const auto flag = value.AsBool()) return Bool(*flag);
  if (const auto number = value.AsInt64()) return Int(*number);
  if (const auto number = value.AsUint64()) return Uint(*number);
  if (const auto number = value.AsDouble()) return Double(*number);
  if (value.is_array()) {
    BeginArray();
    for (const JsonValue& item : value.items()) Value(item);
    return EndArray();
  }
  if (value.is_object()) {
    BeginObject();
    for (const auto& [key, member] : value.members()) Key(key).Value(member);
    return EndObject();
  }
  return Null();
}

JsonWriter& JsonWriter::Field(std::string_view key, std::string_view value) {
  return Key(key).String(value);
}
JsonWriter& JsonWriter::Field(std::string_view key, const std::string& value) {
  return Key(key).String(value);
}
JsonWriter& JsonWriter::Field(std::string_view key, const Text& value) {
  return Key(key).String(value);
}
JsonWriter& JsonWriter::Field(std::string_view key, const char* value) {
  return Key(key).String(value);
}
JsonWriter& JsonWriter::Field(std::string_view key, bool value) { return Key(key).Bool(value); }
JsonWriter& JsonWriter::Field(std::string_view key, int value) { return Key(key).Int(value); }
JsonWriter& JsonWriter::Field(std::string_view key, long value) { return Key(key).Int(value); }
JsonWriter& JsonWriter::Field(std::string_view key, unsigned value) { return Key(key).Uint(value); }
JsonWriter& JsonWriter::Field(std::string_view key, unsigned long value) {
  return Key(key).Uint(value);
}
JsonWriter& JsonWriter::Field(std::string_view key, double value) { return Key(key).Double(value); }

std::string JsonWriter::Take() && {
  SWARMGATE_CHECK(open_.empty() && !text_.empty());
  return std::move(text_);
}

}  // namespace swarmgate::codec
