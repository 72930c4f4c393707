#include "swarmgate/codec/replica_json.h"

#include <utility>

#include "codec/strict_reader.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/codec/record_json.h"

namespace swarmgate::codec {
namespace {

using model::ReplicaIdentity;
using model::SharedDocument;

constexpr std::size_t kMostBytes = 64U << 20U;
constexpr std::size_t kMostText = 256;
// What every reader of JSON can hold, and more than there will ever be.
constexpr std::uint64_t kMostRevision = 1ULL << 53U;
constexpr std::int64_t kLastTime = 253'402'300'799'999;  // the end of the year 9999

/// A text of a stranger's that is kept and shown.
std::string ShortText(StrictReader& reader, const JsonValue& json, std::string_view key) {
  std::string text = reader.String(json, key);
  if (text.size() > kMostText) reader.Reject(key, "is too long");
  return text;
}

void WriteDocument(JsonWriter& json, const SharedDocument& document) {
  json.BeginObject().Key("changed").Int(document.changed_unix_ms);
  if (document.record) {
    model::Record record = *document.record;
    record.revision = document.sequence;
    json.Key("record").Raw(EncodeRecord(record));
  } else {
    json.Field("deleted", document.name.str());
  }
  json.EndObject();
}

/// Nothing of a newer version: it is none of ours to judge.
Result<std::optional<SharedDocument>> ReadDocument(const JsonValue& json) {
  StrictReader reader;
  reader.ExpectObject(json, "a document");
  SharedDocument document;
  document.changed_unix_ms = reader.Int(json, "changed");
  if (document.changed_unix_ms <= 0 || document.changed_unix_ms > kLastTime) {
    reader.Reject("changed", "is no time");
  }
  const std::string deleted = reader.String(json, "deleted");
  if (Status good = reader.status(); !good) return Forward(good.error());
  if (!deleted.empty()) {
    document.name = model::ServiceName(deleted);
    return std::optional(std::move(document));
  }
  JsonWriter text;
  text.Value(json["record"]);
  Result<model::Record> record = DecodeRecord(std::move(text).Take());
  if (!record && record.error().code == Code::kRejected) return std::optional<SharedDocument>();
  if (!record) return Forward(record.error(), "a record");
  document.name = record->service;
  document.sequence = record->revision;
  document.record = std::move(*record);
  return std::optional(std::move(document));
}

}  // namespace

std::string EncodeIdentity(const ReplicaIdentity& identity) {
  JsonWriter json;
  json.BeginObject();
  json.Field("cluster", identity.cluster).Field("service", identity.service);
  json.Field("instance", identity.instance).Field("run", identity.run);
  json.Field("version", identity.version).Field("role", identity.role);
  json.Field("ready", identity.ready).Key("started").Int(identity.started_unix_ms);
  json.Field("epoch", identity.epoch).Key("revision").Uint(identity.revision);
  json.Key("applied").Uint(identity.applied);
  json.Field("digest", identity.digest).Field("challenge", identity.challenge);
  json.EndObject();
  return std::move(json).Take();
}

Result<ReplicaIdentity> DecodeIdentity(std::string_view text) {
  Result<JsonValue> json = JsonValue::Parse(text);
  if (!json) return Forward(json.error());
  StrictReader reader;
  reader.ExpectObject(*json, "the identity");
  ReplicaIdentity identity;
  identity.cluster = ShortText(reader, *json, "cluster");
  identity.service = ShortText(reader, *json, "service");
  identity.instance = ShortText(reader, *json, "instance");
  identity.run = ShortText(reader, *json, "run");
  identity.version = ShortText(reader, *json, "version");
  identity.role = ShortText(reader, *json, "role");
  identity.ready = reader.Bool(*json, "ready");
  identity.started_unix_ms = reader.Int(*json, "started");
  identity.epoch = ShortText(reader, *json, "epoch");
  identity.revision = reader.Uint(*json, "revision").value_or(0);
  identity.applied = reader.Uint(*json, "applied").value_or(0);
  identity.digest = ShortText(reader, *json, "digest");
  identity.challenge = ShortText(reader, *json, "challenge");
  if (identity.revision > kMostRevision) reader.Reject("revision", "is beyond any that there is");
  if (identity.instance.empty()) reader.Reject("instance", "is missing");
  if (identity.run.empty()) reader.Reject("run", "is missing");
  if (Status good = reader.status(); !good) return Forward(good.error());
  return identity;
}

std::string EncodeDocuments(const DocumentList& list) {
  JsonWriter json;
  json.BeginObject().Field("epoch", list.epoch).Key("revision").Uint(list.revision);
  json.Key("documents").BeginArray();
  for (const SharedDocument& document : list.documents) WriteDocument(json, document);
  json.EndArray().EndObject();
  return std::move(json).Take();
}

Result<DocumentList> DecodeDocuments(std::string_view text) {
  JsonLimits limits;
  limits.max_bytes = kMostBytes;
  Result<JsonValue> json = JsonValue::Parse(text, limits);
  if (!json) return Forward(json.error());
  StrictReader reader;
  reader.ExpectObject(*json, "the list");
  DocumentList list;
  list.epoch = ShortText(reader, *json, "epoch");
  list.revision = reader.Uint(*json, "revision").value_or(0);
  const JsonValue& documents = reader.Array(*json, "documents");
  if (list.epoch.empty()) reader.Reject("epoch", "is missing");
  if (list.revision > kMostRevision) reader.Reject("revision", "is beyond any that there is");
  if (Status good = reader.status(); !good) return Forward(good.error());
  for (const JsonValue& item : documents.items()) {
    auto document = ReadDocument(item);
    if (!document) return Forward(document.error());
    if (*document) {
      list.documents.push_back(std::move(**document));
    } else {
      ++list.unreadable;
    }
  }
  return list;
}

}  // namespace swarmgate::codec
