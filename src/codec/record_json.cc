#include "swarmgate/codec/record_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/strict_reader.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/model/docker.h"

namespace swarmgate::codec {
namespace {

using model::Origin;
using model::Record;

constexpr std::uint64_t kFormat = 1;

constexpr std::array<std::pair<Record::Kind, std::string_view>, 3> kKinds = {{
    {Record::Kind::kReconfigure, "service"},
    {Record::Kind::kWithdrawn, "withdrawn"},
    {Record::Kind::kCertificate, "certificate"},
}};
constexpr std::array kOrigins = {Origin::kDocker, Origin::kManual, Origin::kStatic};

/// The document's format is one that we know.
Status CheckFormat(StrictReader& reader, const JsonValue& document) {
  reader.ExpectObject(document, "the document");
  const std::uint64_t format = reader.Uint(document, "format").value_or(0);
  if (Status status = reader.status(); !status) return status;
  if (format == 0) return Fail(Code::kCorrupt, "the document has no format");
  if (format > kFormat) {
    return Fail(Code::kRejected, "the document has format " + std::to_string(format) +
                                     ", this version knows " + std::to_string(kFormat));
  }
  return Ok();
}

}  // namespace

std::string EncodeRecord(const Record& record) {
  std::string_view kind;
  for (const auto& [value, name] : kKinds) {
    if (value == record.kind) kind = name;
  }
  JsonWriter json;
  json.BeginObject().Key("format").Uint(kFormat).Field("service", record.service.str());
  json.Key("revision").Uint(record.revision);
  json.Field("kind", kind).Field("origin", model::OriginName(record.origin));
  json.Key("parameters").BeginObject();
  for (const auto& [name, value] : record.parameters) json.Field(name, value);
  json.EndObject();
  if (!record.labels_hash.empty()) json.Field("labelsHash", record.labels_hash);
  json.Key("updated").Int(record.updated_unix_ms);
  json.Key("created").Int(record.created_unix_ms);
  json.EndObject();
  return std::move(json).Take();
}

Result<Record> DecodeRecord(std::string_view text) {
  Result<JsonValue> document = JsonValue::Parse(text);
  if (!document) return Forward(document.error());
  StrictReader reader;
  if (Status known = CheckFormat(reader, *document); !known) return Forward(known.error());
  Record record;
  record.service = model::ServiceName(reader.String(*document, "service"));
  record.revision = reader.Uint(*document, "revision").value_or(0);
  record.parameters = reader.StringMap(*document, "parameters");
  record.labels_hash = reader.String(*document, "labelsHash");
  record.updated_unix_ms = reader.Int(*document, "updated");
  record.created_unix_ms = reader.Int(*document, "created");
  const std::string kind = reader.String(*document, "kind");
  const std::string origin = reader.String(*document, "origin");
  bool known_kind = false;
  for (const auto& [value, name] : kKinds) {
    if (name != kind) continue;
    record.kind = value;
    known_kind = true;
  }
  bool known_origin = false;
  for (const Origin value : kOrigins) {
    if (origin != model::OriginName(value)) continue;
    record.origin = value;
    known_origin = true;
  }
  if (record.service.empty()) reader.Reject("service", "is missing");
  if (record.revision == 0) reader.Reject("revision", "is missing");
  if (!known_kind) reader.Reject("kind", "is none that is known");
  if (!known_origin) reader.Reject("origin", "is none that is known");
  if (Status good = reader.status(); !good) return Forward(good.error());
  return record;
}

void Journal::Append(Change change, std::int64_t made_unix_ms) {
  ++revision;
  deletions_unix_ms.erase(change.name);
  if (change.deleted && made_unix_ms > 0) deletions_unix_ms[change.name] = made_unix_ms;
  changes.push_back(std::move(change));
  while (changes.size() > kLength) changes.pop_front();
  if (deletions_unix_ms.size() <= kDeletions) return;
  deletions_unix_ms.erase(
      std::min_element(deletions_unix_ms.begin(), deletions_unix_ms.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; }));
}

bool Journal::ReachesBackTo(std::uint64_t known) const {
  return known <= revision && revision - known <= changes.size();
}

std::string EncodeJournal(const Journal& journal) {
  JsonWriter json;
  json.BeginObject().Key("format").Uint(kFormat).Field("epoch", journal.epoch);
  json.Key("revision").Uint(journal.revision).Key("changes").BeginArray();
  for (const Journal::Change& change : journal.changes) {
    json.String((change.deleted ? "-" : "+") + change.name);
  }
  json.EndArray();
  if (!journal.deletions_unix_ms.empty()) {
    json.Key("deleted").BeginObject();
    for (const auto& [name, made] : journal.deletions_unix_ms) json.Key(name).Int(made);
    json.EndObject();
  }
  json.EndObject();
  return std::move(json).Take();
}

Result<Journal> DecodeJournal(std::string_view text) {
  Result<JsonValue> document = JsonValue::Parse(text);
  if (!document) return Forward(document.error());
  StrictReader reader;
  if (Status known = CheckFormat(reader, *document); !known) return Forward(known.error());
  Journal journal;
  journal.epoch = reader.String(*document, "epoch");
  journal.revision = reader.Uint(*document, "revision").value_or(0);
  for (const JsonValue& item : reader.Array(*document, "changes").items()) {
    const std::string change = item.StringOr();
    if (change.size() < 2 || (change[0] != '+' && change[0] != '-')) {
      reader.Reject("changes", "hold something that is no change");
      break;
    }
    journal.changes.push_back({change.substr(1), change[0] == '-'});
  }
  for (const auto& [name, made] : reader.Object(*document, "deleted").members()) {
    const std::int64_t when = made.AsInt64().value_or(0);
    if (when > 0) journal.deletions_unix_ms[name] = when;
  }
  if (journal.epoch.empty()) reader.Reject("epoch", "is missing");
  if (journal.changes.size() > journal.revision) reader.Reject("revision", "is too small");
  if (Status good = reader.status(); !good) return Forward(good.error());
  return journal;
}

}  // namespace swarmgate::codec
