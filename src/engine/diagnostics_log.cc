#include "engine/diagnostics_log.h"

#include <set>
#include <utility>
#include <vector>

#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

using model::Diagnostic;
using model::Severity;

void Tell(const Diagnostic& diagnostic) {
  LogFields fields = {{"service", diagnostic.service.str()}, {"code", diagnostic.code}};
  if (!diagnostic.label.empty()) fields.emplace_back("label", diagnostic.label);
  if (!diagnostic.value.empty()) fields.emplace_back("value", diagnostic.value);
  if (!diagnostic.hint.empty()) fields.emplace_back("hint", diagnostic.hint);
  if (diagnostic.code.starts_with("certificate-")) {
    if (diagnostic.service.empty()) fields.erase(fields.begin());
    LogEvent(LogLevel::kWarning, "CERTIFICATE_WARNING", diagnostic.message, std::move(fields));
    return;
  }
  switch (diagnostic.severity) {
    case Severity::kError:
      LogEvent(LogLevel::kError, "SERVICE_REJECTED", diagnostic.message, std::move(fields));
      break;
    case Severity::kWarning:
      LogEvent(LogLevel::kWarning, "SERVICE_WARNING", diagnostic.message, std::move(fields));
      break;
    case Severity::kInfo:
      LogEvent(LogLevel::kInfo, "SERVICE_NOTE", diagnostic.message, std::move(fields));
      break;
  }
}

void TellState(const ServiceStatus& status) {
  LogFields fields = {{"service", status.name.str()}, {"reason", status.reason}};
  switch (status.state) {
    case ServiceState::kLive:
      LogEvent(LogLevel::kInfo, "SERVICE_LIVE", "the service is live", std::move(fields));
      break;
    case ServiceState::kNoServer:
      LogEvent(LogLevel::kInfo, "SERVICE_NO_SERVER", "the service is routed but has no server",
               std::move(fields));
      break;
    case ServiceState::kWithdrawn:
      LogEvent(LogLevel::kInfo, "SERVICE_WITHDRAWN", "the service is withdrawn", std::move(fields));
      break;
    case ServiceState::kRejected:
    case ServiceState::kConflict:
      break;  // its diagnostics are told
  }
}

// Returns what is left.
template <typename Key>
std::uint64_t CountDown(std::map<Key, std::uint64_t>& counts, const Key& key) {
  const auto count = counts.find(key);
  if (--count->second > 0) return count->second;
  counts.erase(count);
  return 0;
}

}  // namespace

void DiagnosticsLog::TellDiagnostics(const StatusNews& news) {
  std::set<model::ServiceName> gone;  // which is no recovery
  // One may go with one picture and come with another.
  std::map<Diagnostic, std::int64_t> changes;
  const auto add = [&](const std::vector<Diagnostic>& diagnostics, std::int64_t count) {
    for (const Diagnostic& diagnostic : diagnostics) changes[diagnostic] += count;
  };
  add(news.gone, -1);
  add(news.come, 1);
  for (const StatusNews::Change& change : news.changes) {
    if (change.before) add(change.before->diagnostics, -1);
    if (change.now) add(change.now->diagnostics, 1);
    if (change.now) continue;
    for (const Diagnostic& diagnostic : change.before->diagnostics) gone.insert(diagnostic.service);
  }
  std::vector<const Diagnostic*> appeared;
  std::vector<Diagnostic> vanished;
  for (const auto& [diagnostic, count] : changes) {
    if (count == 0) continue;
    std::int64_t& held = shown_[diagnostic];
    if (held == 0) appeared.push_back(&diagnostic);
    held += count;
    if (held > 0) continue;
    vanished.push_back(diagnostic);
    shown_.erase(diagnostic);
  }
  for (const Diagnostic* diagnostic : appeared) {
    ++by_code_[diagnostic->code];
    if (diagnostic->severity == Severity::kError) ++errors_[diagnostic->service];
    Tell(*diagnostic);
  }
  std::set<model::ServiceName> recovered;
  for (const Diagnostic& diagnostic : vanished) {
    (void)CountDown(by_code_, diagnostic.code);
    if (diagnostic.severity != Severity::kError) continue;
    if (CountDown(errors_, diagnostic.service) == 0 && !gone.contains(diagnostic.service)) {
      recovered.insert(diagnostic.service);
    }
  }
  for (const model::ServiceName& service : recovered) {
    LogEvent(LogLevel::kInfo, "SERVICE_RECOVERED", "the service has no errors any more",
             {{"service", service.str()}});
  }
}

void DiagnosticsLog::Update(const StatusNews& news) {
  for (const auto& [before, now] : news.changes) {
    if (!now) {
      LogEvent(LogLevel::kInfo, "SERVICE_GONE", "the service is no longer served",
               {{"service", before->name.str()}});
    } else if (!before || before->state != now->state) {
      TellState(*now);
    }
  }
  TellDiagnostics(news);
}

}  // namespace swarmgate::engine
