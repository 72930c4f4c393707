#include "swarmgate/codec/consul_json.h"

#include <array>
#include <utility>

#include "codec/strict_reader.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::codec {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// 64 for what is no digit.
constexpr std::array<unsigned char, 256> DigitValues() {
  std::array<unsigned char, 256> values{};
  for (unsigned char& value : values) value = 64;
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<unsigned char>(i);
  }
  return values;
}
constexpr std::array<unsigned char, 256> kValues = DigitValues();

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view three = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8U | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out.push_back(i <= three.size() ? kDigits[bits >> (18 - 6 * i) & 63U] : '=');
    }
  }
  return out;
}

Result<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return Fail(Code::kCorrupt, "not base64: its length");
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return Fail(Code::kCorrupt, "not base64: its padding");
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const unsigned char value = kValues[static_cast<unsigned char>(c)];
    if (value == 64) return Fail(Code::kCorrupt, "not base64: a byte that is no digit");
    bits = bits << 6U | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>(bits >> held & 0xFFU));
  }
  return out;
}

Result<ConsulEntry> DecodeConsulEntry(std::string_view text) {
  Result<JsonValue> json = JsonValue::Parse(text);
  if (!json) return Forward(json.error());
  StrictReader reader;
  reader.ExpectObject(*json, "the entry");
  ConsulEntry entry;
  entry.key = reader.String(*json, "Key");
  entry.modify_index = reader.Uint(*json, "ModifyIndex").value_or(0);
  // Without a value (null) it is empty.
  Result<std::string> value = DecodeBase64(reader.String(*json, "Value"));
  if (entry.key.empty()) reader.Reject("Key", "is missing");
  if (entry.modify_index == 0) reader.Reject("ModifyIndex", "is missing");
  if (Status good = reader.status(); !good) return Forward(good.error());
  if (!value) return Forward(value.error(), entry.key);
  entry.value = std::move(*value);
  return entry;
}

std::string EncodeConsulWrites(const std::vector<ConsulWrite>& writes) {
  JsonWriter json;
  json.BeginArray();
  for (const ConsulWrite& write : writes) {
    json.BeginObject().Key("KV").BeginObject();
    json.Field("Verb", write.remove ? "delete-cas" : "cas").Field("Key", write.key);
    if (!write.remove) json.Field("Value", EncodeBase64(write.value));
    json.Key("Index").Uint(write.index).EndObject().EndObject();
  }
  json.EndArray();
  return std::move(json).Take();
}

Result<std::vector<std::size_t>> DecodeConsulRefusals(std::string_view text) {
  Result<JsonValue> json = JsonValue::Parse(text);
  if (!json) return Forward(json.error());
  std::vector<std::size_t> refused;
  for (const JsonValue& error : (*json)["Errors"].items()) {
    const std::optional<std::uint64_t> index = error["OpIndex"].AsUint64();
    if (!index) return Fail(Code::kCorrupt, "a refused transaction does not say what was refused");
    const std::string what(error["What"].AsString().value_or(""));
    if (what.find("index is stale") == std::string::npos) {
      return Fail(Code::kRejected, "Consul refuses a transaction: " + Printable(what, 200));
    }
    refused.push_back(*index);
  }
  if (refused.empty()) return Fail(Code::kCorrupt, "a refused transaction does not say why");
  return refused;
}

}  // namespace swarmgate::codec
