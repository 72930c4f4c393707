#include "swarmgate/codec/facts_json.h"

#include <utility>

#include "codec/strict_reader.h"
#include "swarmgate/codec/applied_json.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::codec {
namespace {

constexpr std::size_t kMostBytes = 64U << 20U;

std::string TextOf(const JsonValue& value) {
  JsonWriter json;
  json.Value(value);
  return std::move(json).Take();
}

}  // namespace

std::string EncodeFacts(const FactsTexts& facts) {
  JsonWriter json;
  json.BeginObject().Field("epoch", facts.epoch).Key("revision").Uint(facts.revision);
  json.Field("complete", facts.complete);
  if (!facts.host.empty()) json.Key("host").Raw(facts.host);
  json.Key("services").BeginArray();
  for (const std::string& service : facts.services) json.Raw(service);
  json.EndArray().Key("removed").BeginArray();
  for (const std::string& id : facts.removed) json.String(id);
  json.EndArray().EndObject();
  return std::move(json).Take();
}

Result<FactsList> DecodeFacts(std::string_view text) {
  JsonLimits limits;
  limits.max_bytes = kMostBytes;
  Result<JsonValue> json = JsonValue::Parse(text, limits);
  if (!json) return Forward(json.error());
  StrictReader reader;
  reader.ExpectObject(*json, "the facts");
  FactsList facts;
  facts.epoch = reader.String(*json, "epoch");
  facts.revision = reader.Uint(*json, "revision").value_or(0);
  facts.complete = reader.Bool(*json, "complete");
  const JsonValue& host = reader.Object(*json, "host");
  const JsonValue& services = reader.Array(*json, "services");
  for (const JsonValue& id : reader.Array(*json, "removed").items()) {
    facts.removed.push_back(id.StringOr());
  }
  if (facts.epoch.empty()) reader.Reject("epoch", "is missing");
  if (facts.complete && !host.is_object()) reader.Reject("host", "is missing");
  if (Status good = reader.status(); !good) return Forward(good.error());
  if (host.is_object()) {
    auto decoded = DecodeHostFacts(TextOf(host));
    if (!decoded) return Forward(decoded.error(), "host");
    facts.host = std::move(*decoded);
  }
  for (const JsonValue& service : services.items()) {
    auto decoded = DecodeServiceFacts(TextOf(service));
    if (!decoded) return Forward(decoded.error(), "a service");
    facts.services.push_back(std::move(*decoded));
  }
  return facts;
}

}  // namespace swarmgate::codec
