#include "engine/diagnostics_log.h"

#include <algorithm>
#include <memory>
#include <utility>

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

}  // namespace

void DiagnosticsLog::Update(const std::vector<Diagnostic>& now) {
  std::set<Diagnostic> next(now.begin(), now.end());
  std::set<model::ServiceName> still_bad;
  for (const Diagnostic& diagnostic : next) {
    if (diagnostic.severity == Severity::kError) still_bad.insert(diagnostic.service);
    if (!shown_.contains(diagnostic)) Tell(diagnostic);
  }
  std::set<model::ServiceName> recovered;
  for (const Diagnostic& diagnostic : shown_) {
    if (diagnostic.severity == Severity::kError && !still_bad.contains(diagnostic.service)) {
      recovered.insert(diagnostic.service);
    }
  }
  for (const model::ServiceName& service : recovered) {
    LogEvent(LogLevel::kInfo, "SERVICE_RECOVERED", "the service has no errors any more",
             {{"service", service.str()}});
  }
  shown_ = std::move(next);
}

void DiagnosticsLog::TellChanges(const std::vector<std::shared_ptr<const ServiceStatus>>& before,
                                 const std::vector<std::shared_ptr<const ServiceStatus>>& after) {
  auto old = before.begin();
  for (const std::shared_ptr<const ServiceStatus>& status : after) {
    for (; old != before.end() && (*old)->name < status->name; ++old) {
      LogEvent(LogLevel::kInfo, "SERVICE_GONE", "the service is no longer served",
               {{"service", (*old)->name.str()}});
    }
    const bool known = old != before.end() && (*old)->name == status->name;
    if (!known || (*old)->state != status->state) TellState(*status);
    if (known) ++old;
  }
  for (; old != before.end(); ++old) {
    LogEvent(LogLevel::kInfo, "SERVICE_GONE", "the service is no longer served",
             {{"service", (*old)->name.str()}});
  }
}

}  // namespace swarmgate::engine
