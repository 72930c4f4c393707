// The part of Reconciler about certificates: those that come from files, and calls.
#include <chrono>
#include <utility>

#include "engine/reconciler.h"
#include "engine/sharing.h"
#include "swarmgate/base/log.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/certs/certificate.h"

namespace swarmgate::engine {
namespace {

using model::Record;
using model::ServiceName;

void Answer(const Command& command, int status, std::string message) {
  Outcome outcome;
  outcome.status = status;
  outcome.message = std::move(message);
  command.reply(std::move(outcome));
}

constexpr const char* kNoName = "Query parameter certName is mandatory";
constexpr const char* kBadName =
    "certName may have letters, digits, '.', '_' and '-' only, at most 128 of them, and not begin "
    "with '.'";

}  // namespace

void Reconciler::On(CertificatesRead message) {
  if (message.files) {
    certificates_unread_ = false;
    if (certificates_.TakeFiles(*message.files)) dirty_ = true;
    return;
  }
  // What cannot be listed is not gone.
  if (!std::exchange(certificates_unread_, true)) {
    LogEvent(LogLevel::kError, "CERTIFICATES_UNREAD",
             "certificates cannot be listed; those that were read before stay",
             {{"error", message.files.error().ToString()}});
  }
}

void Reconciler::AddCertificates(const Assembly& assembly, routing::Built& built) {
  certificates_.Update(store_.records(), assembly, clock_.WallNow());
  built.desired.tls = certificates_.tls();
  for (const model::Diagnostic& diagnostic : certificates_.diagnostics()) {
    built.services[diagnostic.service].diagnostics.push_back(diagnostic);
  }
}

void Reconciler::PutCertificate(Command command) {
  const std::string name = command.parameters["certName"];
  const std::string& pem = command.parameters[model::kPemParameter];
  if (name.empty()) return Answer(command, 400, kNoName);
  if (!certs::IsCertificateName(name)) return Answer(command, 400, kBadName);
  if (Trim(pem).empty()) return Answer(command, 400, "Body is empty");
  if (!options_.proxy.tls.crt_list.empty()) {
    return Answer(command, 409,
                  "certificates come from the operator's own list (CRT_LIST_PATH); nothing was "
                  "changed");
  }
  const auto parsed =
      certs::Parse({model::CertificateSource::kApi, name, "PUT cert", model::Secret(pem), ""});
  if (!parsed) {
    return Answer(
        command, 400,
        "certificate " + name + ": " + parsed.error().ToString() + "; nothing was changed");
  }
  Record record;
  record.kind = Record::Kind::kCertificate;
  record.service = model::CertificateRecordName(name);
  const auto held = store_.records().find(record.service);
  if (IsOutdated(command, record.service)) return AnswerOutdated(command);
  Stamp(command);
  record.parameters[model::kPemParameter] = std::string(parsed->pem.reveal());
  record.updated_unix_ms = record.created_unix_ms = command.made_unix_ms;
  if (held != store_.records().end()) {
    record.revision = held->second.revision;
    record.created_unix_ms = held->second.created_unix_ms;
  }
  const ServiceName key = record.service;
  const std::optional<Record> previous = store_.Set(key, std::move(record));
  if (!previous || !SameContent(*previous, store_.records().at(key))) {
    store_.Persist(key, command.made_unix_ms);
  }
  command.parameters.clear();
  pending_.push_back({std::move(command), key, true, std::nullopt, Outcome()});
  dirty_ = true;
}

void Reconciler::RemoveCertificate(Command command) {
  const std::string name = command.parameters["certName"];
  if (name.empty()) return Answer(command, 400, kNoName);
  const ServiceName key = model::CertificateRecordName(name);
  const auto held = store_.records().find(key);
  if (IsOutdated(command, key)) return AnswerOutdated(command);
  Stamp(command);
  if (held == store_.records().end()) {
    return Answer(command, 404,
                  "no certificate '" + Printable(name, 130) +
                      "' was put; those from files, secrets and services go with these");
  }
  (void)store_.Set(key, std::nullopt);
  store_.Persist(key, command.made_unix_ms);
  pending_.push_back({std::move(command), key, true, std::nullopt, Outcome()});
  dirty_ = true;
}

}  // namespace swarmgate::engine
