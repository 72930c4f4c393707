#include "engine/status.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::engine {

const char* ServiceStateName(ServiceState state) {
  switch (state) {
    case ServiceState::kLive:
      return "live";
    case ServiceState::kNoServer:
      return "no-server";
    case ServiceState::kRejected:
      return "rejected";
    case ServiceState::kConflict:
      return "conflict";
    case ServiceState::kWithdrawn:
      return "withdrawn";
  }
  return "unknown";
}

namespace {

using model::Diagnostic;
using model::ServiceName;
using model::Severity;

// What the stages after parsing say about one service.
struct Verdict {
  std::vector<const Diagnostic*> diagnostics;
  std::vector<const model::Backend*> backends;
  std::size_t routes = 0;
  std::size_t raw_backends = 0;  ///< of a template
  std::uint64_t fingerprint = 0;

  void Mix(std::uint64_t value) {
    fingerprint = (fingerprint ^ value) * 0x9E3779B97F4A7C15ULL;
    fingerprint ^= fingerprint >> 29U;
  }
  void Mix(const std::string& text) { Mix(std::hash<std::string>()(text)); }
};

using Outcomes = std::unordered_map<std::string_view, Verdict>;

Outcomes Collect(const StatusContext& context) {
  Outcomes outcomes;
  outcomes.reserve(context.assembly.definitions.size());
  for (const Diagnostic& diagnostic : context.diagnostics) {
    Verdict& outcome = outcomes[diagnostic.service.str()];
    outcome.diagnostics.push_back(&diagnostic);
    outcome.Mix(static_cast<std::uint64_t>(diagnostic.severity));
    for (const std::string* text : {&diagnostic.code, &diagnostic.label, &diagnostic.value,
                                    &diagnostic.message, &diagnostic.hint}) {
      outcome.Mix(*text);
    }
  }
  for (const model::Backend& backend : context.desired.backends) {
    Verdict& outcome = outcomes[backend.service.str()];
    outcome.backends.push_back(&backend);
    outcome.Mix(backend.name.str());
    for (const model::Server& server : backend.servers) {
      outcome.Mix(server.task_id);
      outcome.Mix(server.address);
      outcome.Mix(server.port);
    }
  }
  for (const model::Route& route : context.desired.routes) {
    Verdict& outcome = outcomes[route.service.str()];
    ++outcome.routes;
    outcome.Mix(1);
    for (const model::Share& share : route.shares) {
      Verdict& sharer = outcomes[share.service.str()];
      // The route's own service is counted already.
      if (share.route != route.id) ++sharer.routes;
      sharer.Mix(share.thousandths);
    }
  }
  for (const model::TcpRoute& route : context.desired.tcp_routes) {
    Verdict& outcome = outcomes[route.service.str()];
    ++outcome.routes;
    outcome.Mix(route.port);
    // Those of a group share a backend, which is the first one's.
    const auto backend = std::lower_bound(
        context.desired.backends.begin(), context.desired.backends.end(), route.backend,
        [](const model::Backend& a, const model::BackendName& b) { return a.name < b; });
    const bool found = backend != context.desired.backends.end() && backend->name == route.backend;
    if (!found || backend->service == route.service) continue;
    if (std::find(outcome.backends.begin(), outcome.backends.end(), &*backend) ==
        outcome.backends.end()) {
      outcome.backends.push_back(&*backend);
    }
  }
  for (const model::RawRoutes& raw : context.desired.raw) {
    Verdict& outcome = outcomes[raw.service.str()];
    outcome.raw_backends = raw.raw.backends.size();
    outcome.Mix(2);
  }
  return outcomes;
}

// Why a running task of a service without backends serves nobody.
std::string WithoutBackend(const Verdict& verdict) {
  const bool unreachable =
      std::any_of(verdict.diagnostics.begin(), verdict.diagnostics.end(), [](const Diagnostic* d) {
        return d->code == "no-common-network" || d->code == "unknown-network";
      });
  return unreachable ? "no address on a network in common" : "its service has no route";
}

std::string WhyNotServing(const model::TaskFacts& task, const Verdict& verdict) {
  if (!task.desired_running) return task.message.empty() ? "is ending" : task.message;
  if (!task.running) {
    return task.state + (task.message.empty() ? std::string() : ": " + task.message);
  }
  if (task.health == model::Health::kStarting) return "its health check has not passed yet";
  if (task.health == model::Health::kUnhealthy) return "unhealthy";
  if (verdict.backends.empty()) return WithoutBackend(verdict);
  return task.addresses.empty() ? "no address yet" : "no address on a network in common";
}

// Tasks that ended long ago say nothing about why a service is not live.
bool IsPast(const model::TaskFacts& task) { return !task.running && !task.desired_running; }

void DescribeTasks(const StatusContext& context, const Definition& definition,
                   const Verdict& verdict, ServiceStatus& status) {
  const std::vector<const model::Backend*>& backends = verdict.backends;
  if (definition.facts == nullptr) return;
  std::map<std::string_view, const model::Server*> servers;
  for (const model::Backend* backend : backends) {
    for (const model::Server& server : backend->servers) servers.emplace(server.task_id, &server);
  }
  for (const model::TaskFacts& task : definition.facts->tasks) {
    TaskStatus shown;
    shown.id = task.id;
    shown.state = task.state;
    auto server = servers.find(task.id);
    shown.serving = server != servers.end();
    if (shown.serving) {
      shown.address = server->second->address;
    } else {
      shown.reason = WhyNotServing(task, verdict);
      const std::string prefix = "t-" + task.id.substr(0, 12) + "-";
      for (const model::Backend* backend : backends) {
        auto slot = context.slots.assigned.find(backend->name);
        shown.draining = shown.draining || (slot != context.slots.assigned.end() &&
                                            context.is_draining(slot->second, prefix));
      }
      if (IsPast(task) && !shown.draining) continue;
    }
    status.tasks.push_back(std::move(shown));
  }
}

std::string Count(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string FirstError(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity != Severity::kError) continue;
    std::string text = diagnostic.label.empty() ? "" : diagnostic.label + ": ";
    return text + diagnostic.message;
  }
  return {};
}

std::string WhyNoServer(const ServiceStatus& status, const Definition& definition) {
  std::map<std::string, std::size_t> reasons;
  for (const TaskStatus& task : status.tasks) {
    if (!task.serving) ++reasons[task.reason];
  }
  if (reasons.empty()) {
    if (definition.facts != nullptr) return "no task is running";
    return "its name has not been resolved to an address";
  }
  std::string text = "no task can take requests: ";
  std::string separator;
  for (const auto& [reason, count] : reasons) {
    text += separator + std::to_string(count) + " " + reason;
    separator = ", ";
  }
  return text;
}

void Judge(const StatusContext& context, const Definition& definition, const Verdict& verdict,
           ServiceStatus& status) {
  const std::size_t route_count = verdict.routes;
  std::set<std::string> addresses;
  for (const model::Backend* backend : verdict.backends) {
    for (const model::Server& server : backend->servers) {
      addresses.insert(server.address + ":" + std::to_string(server.port));
    }
  }
  const std::string error = FirstError(status.diagnostics);
  if (!definition.parsed->opted_in) {
    status.state = ServiceState::kRejected;
    status.reason = "it has routing labels but com.df.notify is not true";
  } else if (definition.withdrawn) {
    status.state = ServiceState::kWithdrawn;
    status.reason = "removed by the API until its labels change";
  } else if (!definition.served()) {
    status.state = ServiceState::kRejected;
    status.reason = error.empty() ? "its labels define no route" : error;
  } else if (verdict.raw_backends > 0) {
    status.state = ServiceState::kLive;
    status.reason = "by templates of its own: " + Count(verdict.raw_backends, "backend");
  } else if (route_count == 0) {
    const bool conflict =
        std::any_of(status.diagnostics.begin(), status.diagnostics.end(),
                    [](const Diagnostic& diagnostic) { return diagnostic.code == "conflict"; });
    status.state = conflict ? ServiceState::kConflict : ServiceState::kRejected;
    status.reason = error.empty() ? "none of its routes can be served" : error;
  } else if (addresses.empty()) {
    status.state = ServiceState::kNoServer;
    status.reason = WhyNoServer(status, definition);
  } else {
    status.state = ServiceState::kLive;
    status.reason = Count(route_count, "route") + " to " + Count(addresses.size(), "server");
  }
  if (route_count + verdict.raw_backends > 0 && !context.not_applied.empty()) {
    status.reason += "; not confirmed yet: " + context.not_applied;
  }
}

ServiceStatus Describe(const StatusContext& context, const Definition& definition,
                       const Verdict& verdict) {
  ServiceStatus status;
  status.name = definition.name;
  status.origin = definition.origin;
  status.overrides_labels = definition.overrides_labels;
  status.spec = definition.parsed->result.spec;
  status.parameters = RedactParameters(definition.parsed->parameters);
  if (definition.facts != nullptr) status.version = definition.facts->version;
  status.diagnostics = definition.parsed->diagnostics;
  status.diagnostics.insert(status.diagnostics.end(), definition.diagnostics.begin(),
                            definition.diagnostics.end());
  for (const Diagnostic* diagnostic : verdict.diagnostics) {
    status.diagnostics.push_back(*diagnostic);
  }
  for (const model::Backend* backend : verdict.backends) status.backends.push_back(backend->name);
  DescribeTasks(context, definition, verdict, status);
  Judge(context, definition, verdict, status);
  return status;
}

}  // namespace

Parameters RedactParameters(Parameters parameters) {
  for (auto& [name, value] : parameters) {
    if (!labels::MayShowValue(name)) value = "***";
  }
  return parameters;
}

StatusBook::Services StatusBook::Update(const StatusContext& context) {
  const Outcomes outcomes = Collect(context);
  static const Verdict kNothing;
  Services services;
  std::vector<Entry> entries;
  services.reserve(context.assembly.definitions.size());
  entries.reserve(context.assembly.definitions.size());
  auto old = entries_.begin();
  for (const Definition& definition : context.assembly.definitions) {
    auto found = outcomes.find(definition.name.str());
    const Verdict& verdict = found == outcomes.end() ? kNothing : found->second;
    Key key{definition.parsed,           definition.facts_revision, definition.origin,
            definition.overrides_labels, definition.withdrawn,      definition.quarantined,
            definition.diagnostics,      verdict.fingerprint,       context.not_applied};
    while (old != entries_.end() && old->status->name < definition.name) ++old;
    const bool known = old != entries_.end() && old->status->name == definition.name;
    if (known && old->lasting && old->key == key) {
      entries.push_back(std::move(*old++));
    } else {
      ServiceStatus status = Describe(context, definition, verdict);
      const bool lasting =
          std::none_of(status.tasks.begin(), status.tasks.end(),
                       [](const TaskStatus& task) { return task.draining; }) &&
          (definition.facts == nullptr || status.tasks.size() == definition.facts->tasks.size());
      std::shared_ptr<const ServiceStatus> shown =
          known && *old->status == status
              ? old->status
              : std::make_shared<const ServiceStatus>(std::move(status));
      entries.push_back({std::move(key), std::move(shown), lasting});
    }
    services.push_back(entries.back().status);
  }
  entries_ = std::move(entries);
  return services;
}

}  // namespace swarmgate::engine
