#include "engine/status.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
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
  std::vector<Diagnostic> diagnostics;
  std::vector<const model::Backend*> backends;
  std::size_t routes = 0;
  std::size_t raw_backends = 0;  ///< of a template
};

using TcpBackends = std::multimap<ServiceName, model::BackendName>;

Verdict Collect(const StatusContext& context, const ServiceName& name,
                const TcpBackends& tcp_backends) {
  Verdict verdict;
  const auto add = [&](const model::BackendName& wanted) {
    const model::Backend* backend = model::FindBackend(context.desired.backends, wanted);
    const bool known = std::find(verdict.backends.begin(), verdict.backends.end(), backend) !=
                       verdict.backends.end();
    if (backend != nullptr && !known) verdict.backends.push_back(backend);
  };
  if (const auto outcome = context.outcomes.find(name); outcome != context.outcomes.end()) {
    verdict.diagnostics = outcome->second.diagnostics;
    // Those of certificates came last.
    std::sort(verdict.diagnostics.begin(), verdict.diagnostics.end());
    verdict.routes = outcome->second.routes;
    for (const model::BackendName& backend : outcome->second.backends) add(backend);
  }
  // Those of a group share a backend, which is the first one's.
  const auto [begin, end] = tcp_backends.equal_range(name);
  for (auto route = begin; route != end; ++route) {
    ++verdict.routes;
    add(route->second);
  }
  for (const model::RawRoutes& raw : context.desired.raw) {
    if (raw.service == name) verdict.raw_backends = raw.raw.backends.size();
  }
  return verdict;
}

// Why a running task of a service without backends serves nobody.
std::string WithoutBackend(const Verdict& verdict) {
  const bool unreachable =
      std::any_of(verdict.diagnostics.begin(), verdict.diagnostics.end(), [](const Diagnostic& d) {
        return d.code == "no-common-network" || d.code == "unknown-network";
      });
  return unreachable ? "no address on a network in common" : "its service has no route";
}

std::string WhyNotServing(const model::TaskFacts& task, const Verdict& verdict) {
  if (!task.desired_running) return task.message.empty() ? "is ending" : std::string(task.message);
  if (!task.running) {
    return task.state.str() + (task.message.empty() ? std::string() : ": " + task.message.str());
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
  if (!definition.facts) return;
  std::map<std::string_view, const model::Server*> servers;
  for (const model::Backend* backend : backends) {
    for (const model::Server& server : backend->servers) {
      servers.emplace(server.task_id.str(), &server);
    }
  }
  for (const model::TaskFacts& task : definition.facts->tasks) {
    TaskStatus shown;
    shown.id = task.id;
    shown.state = task.state;
    auto server = servers.find(task.id.str());
    shown.serving = server != servers.end();
    if (shown.serving) {
      shown.address = server->second->address;
    } else {
      shown.reason = WhyNotServing(task, verdict);
      const std::string prefix = std::string("t-").append(task.id.str().substr(0, 12)) + "-";
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
    if (definition.facts) return "no task is running";
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
  std::string reason;
  std::set<std::string> addresses;
  for (const model::Backend* backend : verdict.backends) {
    for (const model::Server& server : backend->servers) {
      addresses.insert(server.address + ":" + std::to_string(server.port));
    }
  }
  const std::string error = FirstError(status.diagnostics);
  if (!definition.parsed->opted_in) {
    status.state = ServiceState::kRejected;
    reason = "it has routing labels but com.df.notify is not true";
  } else if (definition.withdrawn) {
    status.state = ServiceState::kWithdrawn;
    reason = "removed by the API until its labels change";
  } else if (!definition.served()) {
    status.state = ServiceState::kRejected;
    reason = error.empty() ? "its labels define no route" : error;
  } else if (verdict.raw_backends > 0) {
    status.state = ServiceState::kLive;
    reason = "by templates of its own: " + Count(verdict.raw_backends, "backend");
  } else if (route_count == 0) {
    const bool conflict =
        std::any_of(status.diagnostics.begin(), status.diagnostics.end(),
                    [](const Diagnostic& diagnostic) { return diagnostic.code == "conflict"; });
    status.state = conflict ? ServiceState::kConflict : ServiceState::kRejected;
    reason = error.empty() ? "none of its routes can be served" : error;
  } else if (addresses.empty()) {
    status.state = ServiceState::kNoServer;
    reason = WhyNoServer(status, definition);
  } else {
    status.state = ServiceState::kLive;
    reason = Count(route_count, "route") + " to " + Count(addresses.size(), "server");
  }
  if (route_count + verdict.raw_backends > 0 && !context.not_applied.empty()) {
    reason += "; not confirmed yet: " + context.not_applied;
  }
  status.reason = reason;
}

ServiceStatus Describe(const StatusContext& context, const Definition& definition,
                       const Verdict& verdict) {
  ServiceStatus status;
  status.name = definition.name;
  status.origin = definition.origin;
  status.overrides_labels = definition.overrides_labels;
  const ParsedPtr& parsed = definition.parsed;
  status.spec = parsed->spec;
  const Parameters given = parsed->parameters.Unpack();
  const bool shown = std::all_of(given.begin(), given.end(), [](const auto& parameter) {
    return labels::MayShowValue(parameter.first);
  });
  // One text with what was parsed.
  status.parameters = shown ? parsed->parameters : PackedTexts(RedactParameters(given));
  if (definition.facts) status.version = definition.facts->version;
  std::vector<Diagnostic> diagnostics = definition.parsed->diagnostics;
  diagnostics.insert(diagnostics.end(), definition.diagnostics.begin(),
                     definition.diagnostics.end());
  diagnostics.insert(diagnostics.end(), verdict.diagnostics.begin(), verdict.diagnostics.end());
  status.diagnostics = std::move(diagnostics);
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

std::vector<Diagnostic> StatusBook::others() const {
  std::vector<Diagnostic> all;
  for (const auto& [name, diagnostics] : others_) {
    all.insert(all.end(), diagnostics.begin(), diagnostics.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<model::BackendName> StatusBook::BackendsOf(const ServiceName& name) const {
  const auto outcome = outcomes_.find(name);
  return outcome == outcomes_.end() ? std::vector<model::BackendName>() : outcome->second.backends;
}

std::set<ServiceName> StatusBook::Touched(const StatusContext& context) const {
  Names touched = context.changed;
  if (context.not_applied != not_applied_) {
    for (const auto& [name, definition] : context.assembly.definitions) touched.insert(name);
  }
  if (context.drains || drained_) touched.insert(unsettled_.begin(), unsettled_.end());
  using Outcomes = SharedMap<ServiceName, routing::ServiceOutcome>;
  const auto outcome = [&](const Outcomes::value_type& entry) { touched.insert(entry.first); };
  Outcomes::Diff(outcomes_, context.outcomes, outcome, outcome,
                 [&](const auto& before, const auto&) { outcome(before); });
  std::set<model::BackendName> changed;
  const auto backend = [&](const model::Backend& entry) {
    touched.insert(entry.service);
    changed.insert(entry.name);
  };
  Chunked<model::Backend>::Diff(
      backends_, context.desired.backends,
      [](const model::Backend& a, const model::Backend& b) { return a.name < b.name; }, backend,
      backend,
      [&](const model::Backend& before, const model::Backend& now) {
        backend(before);
        backend(now);
      });
  const bool other_routes = tcp_routes_ != context.desired.tcp_routes;
  for (const auto* routes : std::array<const std::vector<model::TcpRoute>*, 2>{
           &tcp_routes_, &context.desired.tcp_routes}) {
    if (!other_routes && changed.empty()) break;
    for (const model::TcpRoute& route : *routes) {
      if (other_routes || changed.contains(route.backend)) touched.insert(route.service);
    }
  }
  if (raw_ != context.desired.raw) {
    for (const auto* services :
         std::array<const std::vector<model::RawRoutes>*, 2>{&raw_, &context.desired.raw}) {
      for (const model::RawRoutes& raw : *services) touched.insert(raw.service);
    }
  }
  return touched;
}

void StatusBook::Remember(const StatusContext& context) {
  outcomes_ = context.outcomes;
  backends_ = context.desired.backends;
  if (tcp_routes_ != context.desired.tcp_routes) {
    tcp_routes_ = context.desired.tcp_routes;
    tcp_backends_.clear();
    for (const model::TcpRoute& route : tcp_routes_) {
      tcp_backends_.emplace(route.service, route.backend);
    }
  }
  raw_ = context.desired.raw;
  not_applied_ = context.not_applied;
  drained_ = context.drains;
}

void StatusBook::SetStatus(const ServiceName& name, StatusPtr now, StatusNews& news) {
  const auto place =
      services_.PartitionPoint([&](const StatusPtr& status) { return status->name < name; });
  const bool known = place != services_.end() && (*place)->name == name;
  const StatusPtr before = known ? *place : StatusPtr();
  if (before == now) return;
  if (!now) {
    services_.erase(place);
  } else if (known) {
    services_.Edit(place) = now;
  } else {
    services_.insert(place, now);
  }
  news.changes.push_back({before, std::move(now)});
}

void StatusBook::SetOthers(const ServiceName& name, std::vector<Diagnostic> now, StatusNews& news) {
  const auto held = others_.find(name);
  if (held != others_.end()) {
    if (held->second == now) return;
    news.gone.insert(news.gone.end(), held->second.begin(), held->second.end());
    others_.erase(held);
  }
  if (now.empty()) return;
  news.come.insert(news.come.end(), now.begin(), now.end());
  others_.emplace(name, std::move(now));
}

void StatusBook::ShareTexts(ServiceStatus& status) {
  texts_.Share(status.reason);
  for (TaskStatus& task : status.tasks) texts_.Share(task.reason);
  status.tasks.shrink_to_fit();
}

StatusNews StatusBook::Update(const StatusContext& context) {
  StatusNews news;
  const Names touched = Touched(context);
  Remember(context);
  for (const ServiceName& name : touched) {
    const Definition* definition = context.assembly.Find(name);
    Verdict verdict = Collect(context, name, tcp_backends_);
    unsettled_.erase(name);
    if (definition == nullptr) {
      SetStatus(name, {}, news);
      SetOthers(name, std::move(verdict.diagnostics), news);
      continue;
    }
    ServiceStatus status = Describe(context, *definition, verdict);
    ShareTexts(status);
    const bool settled =
        std::none_of(status.tasks.begin(), status.tasks.end(),
                     [](const TaskStatus& task) { return !task.serving; }) &&
        (!definition->facts || status.tasks.size() == definition->facts->tasks.size());
    if (!settled) unsettled_.insert(name);
    SetStatus(name, std::move(status), news);
    SetOthers(name, {}, news);
  }
  return news;
}

}  // namespace swarmgate::engine
