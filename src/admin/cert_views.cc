// Certificates as JSON: everything but their keys.
#include <chrono>
#include <cstdint>

#include "admin/views.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/codec/admin_json.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::admin {
namespace {

using codec::JsonWriter;

void WriteStrings(JsonWriter& json, const char* name, const std::vector<std::string>& values) {
  json.Key(name).BeginArray();
  for (const std::string& value : values) json.String(value);
  json.EndArray();
}

std::string TimeOf(std::int64_t unix_seconds) {
  return FormatWallTime(WallTime(std::chrono::seconds(unix_seconds)));
}

std::string Directory(const std::string& where) {
  const auto slash = where.rfind('/');
  return where.empty() || where.front() != '/' ? std::string() : where.substr(0, slash);
}

}  // namespace

std::string CertOutcomeJson(const engine::Outcome& outcome,
                            const std::vector<model::PeerAnswer>* others) {
  const bool good = outcome.status < 400;
  JsonWriter json;
  json.BeginObject();
  json.Field("Status", good ? "OK" : "NOK");
  json.Field("Message", outcome.message);
  json.Key("Certs").Null();
  if (good) {
    json.Field("Persisted", outcome.persisted);
  } else {
    json.Field("Code", OutcomeCode(outcome.status));
  }
  json.Field("Revision", outcome.revision);
  WriteAnswers(json, others);
  json.EndObject();
  return std::move(json).Take();
}

std::string CertsJson(const engine::Snapshot& snapshot) {
  JsonWriter json;
  json.BeginObject();
  json.Field("Status", "OK");
  json.Field("Message", "");
  json.Key("Certs").BeginArray();
  for (const engine::CertificateStatus& status : *snapshot.certificates) {
    const model::Certificate& certificate = status.certificate;
    json.BeginObject();
    // The predecessor's names; its CertContent, which had the private key in it, is not given.
    json.Field("ServicePort", "");
    json.Field("ProxyServiceName", certificate.name);
    json.Field("CertsDir", Directory(certificate.where));
    json.Field("Name", certificate.name);
    json.Field("Source", model::CertificateSourceName(certificate.source));
    json.Field("Where", certificate.where);
    WriteStrings(json, "DnsNames", certificate.dns_names);
    WriteStrings(json, "Served", status.served);
    json.Field("Default", status.is_default);
    json.Field("NotBefore", TimeOf(certificate.not_before));
    json.Field("NotAfter", TimeOf(certificate.not_after));
    json.Field("Fingerprint", certificate.fingerprint);
    json.Field("Subject", certificate.subject);
    json.Field("Issuer", certificate.issuer);
    json.Field("KeyKind", certificate.key_kind);
    json.Field("Chain", static_cast<std::uint64_t>(certificate.chain));
    json.EndObject();
  }
  json.EndArray().EndObject();
  return std::move(json).Take();
}

}  // namespace swarmgate::admin
