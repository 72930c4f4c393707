#include "engine/status.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "swarmgate/base/strings.h"

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
    case ServiceState::kOverridden:
      return "overridden";
  }
  return "unknown";
}

namespace {

using model::Diagnostic;
using model::ServiceName;
using model::Severity;

// What the stages after parsing say about each service.
struct Outcomes {
  std::unordered_map<std::string, std::vector<const Diagnostic*>> diagnostics;
  std::unordered_map<std::string, std::vector<const model::Backend*>> backends;
  std::unordered_map<std::string, std::size_t> routes;
};

Outcomes Collect(const routing::Built& built) {
  Outcomes outcomes;
  for (const Diagnostic& diagnostic : built.diagnostics) {
    outcomes.diagnostics[diagnostic.service.str()].push_back(&diagnostic);
  }
  for (const model::Backend& backend : built.desired.backends) {
    outcomes.backends[backend.service.str()].push_back(&backend);
  }
  for (const model::Route& route : built.desired.routes) ++outcomes.routes[route.service.str()];
  return outcomes;
}

std::string WhyNotServing(const model::TaskFacts& task, bool has_addresses) {
  if (!task.desired_running) return task.message.empty() ? "is ending" : task.message;
  if (!task.running) {
    return task.state + (task.message.empty() ? std::string() : ": " + task.message);
  }
  if (task.health == model::Health::kStarting) return "its health check has not passed yet";
  if (task.health == model::Health::kUnhealthy) return "unhealthy";
  return has_addresses ? "no address on a network in common" : "no address yet";
}

// Tasks that ended long ago say nothing about why a service is not live.
bool IsPast(const model::TaskFacts& task) { return !task.running && !task.desired_running; }

void DescribeTasks(const StatusContext& context, const Definition& definition,
                   const std::vector<const model::Backend*>& backends, ServiceStatus& status) {
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
      shown.reason = WhyNotServing(task, !task.addresses.empty());
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

void Judge(const StatusContext& context, const Definition& definition, const Outcomes& outcomes,
           ServiceStatus& status) {
  const std::string& name = definition.name.str();
  auto routes = outcomes.routes.find(name);
  const std::size_t route_count = routes == outcomes.routes.end() ? 0 : routes->second;
  std::set<std::string> addresses;
  auto backends = outcomes.backends.find(name);
  if (backends != outcomes.backends.end()) {
    for (const model::Backend* backend : backends->second) {
      for (const model::Server& server : backend->servers) {
        addresses.insert(server.address + ":" + std::to_string(server.port));
      }
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
  if (route_count > 0 && !context.not_applied.empty()) {
    status.reason += "; not confirmed yet: " + context.not_applied;
  }
}

ServiceStatus Describe(const StatusContext& context, const Definition& definition,
                       const Outcomes& outcomes) {
  ServiceStatus status;
  const std::string& name = definition.name.str();
  status.name = definition.name;
  status.origin = definition.origin;
  status.overrides_labels = definition.overrides_labels;
  status.spec = definition.parsed->result.spec;
  status.parameters = RedactParameters(definition.parsed->parameters);
  if (definition.facts != nullptr) status.version = definition.facts->version;
  status.diagnostics = definition.parsed->diagnostics;
  status.diagnostics.insert(status.diagnostics.end(), definition.diagnostics.begin(),
                            definition.diagnostics.end());
  auto said = outcomes.diagnostics.find(name);
  if (said != outcomes.diagnostics.end()) {
    for (const Diagnostic* diagnostic : said->second) status.diagnostics.push_back(*diagnostic);
  }
  std::vector<const model::Backend*> backends;
  auto found = outcomes.backends.find(name);
  if (found != outcomes.backends.end()) backends = found->second;
  for (const model::Backend* backend : backends) status.backends.push_back(backend->name);
  DescribeTasks(context, definition, backends, status);
  Judge(context, definition, outcomes, status);
  return status;
}

bool IsSecret(const std::string& name) {
  const std::string base = ToLower(name.substr(0, name.find('.')));
  return base == "users" || base == "servicecert";
}

}  // namespace

Parameters RedactParameters(Parameters parameters) {
  for (auto& [name, value] : parameters) {
    if (IsSecret(name)) value = "***";
  }
  return parameters;
}

std::vector<std::shared_ptr<const ServiceStatus>> DescribeServices(
    const StatusContext& context, const std::vector<std::shared_ptr<const ServiceStatus>>& before) {
  const Outcomes outcomes = Collect(context.built);
  std::vector<std::shared_ptr<const ServiceStatus>> services;
  services.reserve(context.assembly.definitions.size());
  auto old = before.begin();
  for (const Definition& definition : context.assembly.definitions) {
    ServiceStatus status = Describe(context, definition, outcomes);
    while (old != before.end() && (*old)->name < status.name) ++old;
    if (old != before.end() && **old == status) {
      services.push_back(*old);
    } else {
      services.push_back(std::make_shared<const ServiceStatus>(std::move(status)));
    }
  }
  return services;
}

}  // namespace swarmgate::engine
