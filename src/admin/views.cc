#include "admin/views.h"

#include <algorithm>
#include <map>

#include "swarmgate/codec/admin_json.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::admin {
namespace {

using codec::JsonWriter;
using engine::ServiceStatus;
using engine::Snapshot;

std::string TimeText(WallTime time) {
  return time == WallTime() ? std::string() : FormatWallTime(time);
}

void WritePartner(JsonWriter& json, const char* name, const engine::PartnerStatus& partner) {
  json.Key(name).BeginObject();
  json.Field("ok", partner.ok);
  json.Field("detail", partner.detail);
  json.Field("since", TimeText(partner.since));
  json.EndObject();
}

void WriteShared(JsonWriter& json, const engine::SharedStatus& shared) {
  json.Key("shared").BeginObject();
  json.Field("store", shared.name);
  json.Field("ok", shared.store.ok);
  json.Field("detail", shared.store.detail);
  json.Field("since", TimeText(shared.store.since));
  json.Field("revision", shared.revision);
  json.Field("waiting", shared.waiting);
  json.Field("waitingReason", shared.waiting_reason);
  json.Key("replicas").BeginArray();
  for (const ports::Replica& replica : *shared.replicas) {
    json.BeginObject();
    json.Field("id", replica.id);
    json.Field("address", replica.address);
    json.Field("version", replica.version);
    json.Field("revision", replica.revision);
    // What it told last may be newer than what we have seen.
    json.Field("behind",
               shared.revision > replica.revision ? shared.revision - replica.revision : 0UL);
    const WallTime started{Duration(replica.started_unix_ms)};
    json.Field("started", TimeText(started));
    json.EndObject();
  }
  json.EndArray().EndObject();
}

void WriteHistogram(JsonWriter& json, const char* name, const engine::Histogram& histogram) {
  json.Key(name).BeginObject();
  json.Field("count", histogram.count);
  json.Field("sumSeconds", histogram.sum_seconds);
  json.EndObject();
}

void WriteCounters(JsonWriter& json, const engine::Counters& counters) {
  json.Key("counters").BeginObject();
  json.Field("applies", counters.applies);
  json.Field("noops", counters.noops);
  json.Field("runtimeCommands", counters.runtime_commands);
  json.Field("applyFailures", counters.apply_failures);
  json.Key("reloads").BeginObject();
  for (const auto& [reason, count] : counters.reloads) json.Field(reason, count);
  json.EndObject();
  json.Field("dockerReconnects", counters.docker_reconnects);
  json.Field("quarantines", counters.quarantines);
  json.Field("haproxyRestarts", counters.haproxy_restarts);
  WriteHistogram(json, "eventToLive", counters.event_to_live);
  WriteHistogram(json, "apiToLive", counters.api_to_live);
  json.EndObject();
}

std::size_t Serving(const ServiceStatus& service) {
  return static_cast<std::size_t>(
      std::count_if(service.tasks.begin(), service.tasks.end(),
                    [](const engine::TaskStatus& task) { return task.serving; }));
}

void WriteSummary(JsonWriter& json, const ServiceStatus& service) {
  json.Field("name", service.name.str());
  json.Field("origin", model::OriginName(service.origin));
  json.Field("overridesLabels", service.overrides_labels);
  json.Field("state", engine::ServiceStateName(service.state));
  json.Field("reason", service.reason);
  json.Field("serving", Serving(service));
  json.Field("tasks", service.tasks.size());
}

void WriteTask(JsonWriter& json, const engine::TaskStatus& task) {
  json.BeginObject();
  json.Field("id", task.id);
  json.Field("state", task.state);
  json.Field("address", task.address);
  json.Field("serving", task.serving);
  json.Field("draining", task.draining);
  json.Field("reason", task.reason);
  json.EndObject();
}

void WriteTextMap(JsonWriter& json, const std::map<std::string, std::string>& texts) {
  json.BeginObject();
  for (const auto& [name, text] : texts) json.Field(name, text);
  json.EndObject();
}

}  // namespace

std::string OutcomeCode(int status) {
  Code code = Code::kInternal;
  if (status == 400) code = Code::kInvalidArgument;
  if (status == 404) code = Code::kNotFound;
  if (status == 409) code = Code::kConflict;
  if (status == 503) code = Code::kUnavailable;
  if (status == 504) code = Code::kDeadlineExceeded;
  return std::string(CodeName(code));
}

const ServiceStatus* FindService(const Snapshot& snapshot, const std::string& name) {
  const auto found = snapshot.services.PartitionPoint(
      [&](const Shared<ServiceStatus>& service) { return service->name.str() < name; });
  if (found == snapshot.services.end() || (*found)->name.str() != name) return nullptr;
  return &**found;
}

std::string StatusJson(const Snapshot& snapshot, const std::string& version) {
  JsonWriter json;
  json.BeginObject();
  json.Field("version", version);
  json.Field("instance", snapshot.instance);
  json.Field("ready", snapshot.ready);
  json.Field("reason", snapshot.not_ready_reason);
  json.Field("revision", snapshot.revision);
  json.Field("storeRevision", snapshot.store_revision);
  json.Field("started", TimeText(snapshot.started));
  json.Field("changed", TimeText(snapshot.changed));
  WritePartner(json, "docker", snapshot.docker);
  WritePartner(json, "haproxy", snapshot.proxy);
  WritePartner(json, "store", snapshot.store);
  if (snapshot.shared.configured) WriteShared(json, snapshot.shared);
  json.Field("haproxyPid", snapshot.proxy_pid);
  json.Field("haproxyVersion", snapshot.proxy_version);
  std::map<std::string, unsigned long> states;
  for (const auto& service : snapshot.services) ++states[engine::ServiceStateName(service->state)];
  json.Key("services").BeginObject();
  for (const auto& [state, count] : states) json.Field(state, count);
  json.EndObject();
  json.Field("routes", snapshot.desired ? snapshot.desired->routes.size() : 0UL);
  json.Field("backends", snapshot.desired ? snapshot.desired->backends.size() : 0UL);
  json.Field("drainingServers", snapshot.draining_servers);
  std::vector<model::Diagnostic> diagnostics = snapshot.diagnostics;
  for (const auto& service : snapshot.services) {
    diagnostics.insert(diagnostics.end(), service->diagnostics.begin(), service->diagnostics.end());
  }
  json.Key("diagnostics");
  codec::WriteDiagnostics(json, diagnostics);
  WriteCounters(json, snapshot.counters);
  json.EndObject();
  return std::move(json).Take();
}

std::string ServicesJson(const Snapshot& snapshot) {
  std::map<std::string_view, unsigned long> routes;
  if (snapshot.desired) {
    for (const model::Route& route : snapshot.desired->routes) {
      ++routes[route.service.str()];
      for (const model::Share& share : route.shares) {
        if (share.route != route.id) ++routes[share.service.str()];
      }
    }
    for (const model::TcpRoute& route : snapshot.desired->tcp_routes) {
      ++routes[route.service.str()];
    }
  }
  JsonWriter json;
  json.BeginObject().Field("revision", snapshot.revision).Key("services").BeginArray();
  for (const auto& service : snapshot.services) {
    json.BeginObject();
    WriteSummary(json, *service);
    const auto count = routes.find(service->name.str());
    json.Field("routes", count == routes.end() ? 0UL : count->second);
    json.Key("diagnostics");
    codec::WriteDiagnostics(json, service->diagnostics);
    json.EndObject();
  }
  json.EndArray();
  json.Field("ofOtherInstances", snapshot.of_other_instances).EndObject();
  return std::move(json).Take();
}

std::string ServiceJson(const Snapshot& snapshot, const ServiceStatus& service) {
  JsonWriter json;
  json.BeginObject();
  WriteSummary(json, service);
  json.Field("version", service.version);
  json.Key("taskList").BeginArray();
  for (const engine::TaskStatus& task : service.tasks) WriteTask(json, task);
  json.EndArray();
  json.Key("backends").BeginArray();
  for (const model::BackendName& name : service.backends) {
    json.BeginObject().Field("name", name.str());
    const auto slot = snapshot.slots->find(name);
    json.Field("slot", slot == snapshot.slots->end() ? std::string() : slot->second.str());
    json.EndObject();
  }
  json.EndArray();
  json.Key("routes").BeginArray();
  if (snapshot.desired) {
    for (const model::Route& route : snapshot.desired->routes) {
      const bool shared =
          std::any_of(route.shares.begin(), route.shares.end(),
                      [&](const model::Share& share) { return share.service == service.name; });
      if (shared || route.service == service.name) codec::WriteRoute(json, route);
    }
  }
  json.EndArray();
  json.Key("parameters");
  WriteTextMap(json, service.parameters.Unpack());
  json.Key("spec");
  if (service.spec) {
    json.BeginObject().Field("ServiceName", service.name.str());
    codec::WriteSpecFields(json, *service.spec, service.parameters.Unpack());
    json.EndObject();
  } else {
    json.Null();
  }
  json.Key("diagnostics");
  codec::WriteDiagnostics(json, service.diagnostics);
  json.EndObject();
  return std::move(json).Take();
}

std::string RoutesJson(const Snapshot& snapshot) {
  JsonWriter json;
  json.BeginObject().Field("revision", snapshot.revision).Key("routes").BeginArray();
  if (snapshot.desired) {
    for (const model::Route& route : snapshot.desired->routes) codec::WriteRoute(json, route);
  }
  json.EndArray();
  json.Key("tcpRoutes").BeginArray();
  if (snapshot.desired) {
    for (const model::TcpRoute& route : snapshot.desired->tcp_routes) {
      json.BeginObject();
      json.Field("id", route.id.str());
      json.Field("service", route.service.str());
      json.Field("backend", route.backend.str());
      json.Field("port", static_cast<int>(route.port));
      const bool prefix = route.name.kind == model::HostMatch::Kind::kRegex;
      json.Field("name", prefix ? route.name.text + "…" : codec::HostText(route.name));
      json.EndObject();
    }
  }
  json.EndArray().EndObject();
  return std::move(json).Take();
}

std::string WhyJson(const Snapshot& snapshot, const routing::Question& question,
                    const routing::Explanation& explanation) {
  JsonWriter json;
  json.BeginObject();
  json.Key("question").BeginObject();
  json.Field("host", question.host);
  json.Field("path", question.path);
  json.Field("port", static_cast<int>(question.port));
  if (!question.headers.empty()) {
    json.Key("headers").BeginArray();
    for (const auto& [name, value] : question.headers) json.String(name + ": " + value);
    json.EndArray();
  }
  json.EndObject();
  json.Field("winner", explanation.winner ? explanation.winner->str() : std::string());
  json.Field("service", explanation.service.str());
  json.Field("backend", explanation.backend.str());
  json.Field("reason", explanation.reason);
  const ServiceStatus* service = FindService(snapshot, explanation.service.str());
  json.Field("serviceState", service == nullptr ? "" : engine::ServiceStateName(service->state));
  json.Field("serviceReason", service == nullptr ? std::string() : service->reason.str());
  json.Key("servers").BeginArray();
  const model::Backend* backend =
      snapshot.desired ? model::FindBackend(snapshot.desired->backends, explanation.backend)
                       : nullptr;
  if (backend != nullptr) {
    for (const model::Server& server : backend->servers) {
      const std::string& address = server.address;
      const bool v6 = address.find(':') != std::string::npos;
      json.String((v6 ? "[" + address + "]" : address) + ":" + std::to_string(server.port));
    }
  }
  json.EndArray();
  json.Key("candidates").BeginArray();
  for (const routing::Candidate& candidate : explanation.candidates) {
    json.BeginObject();
    json.Field("route", candidate.route.str());
    json.Field("service", candidate.service.str());
    json.Field("matches", candidate.matches);
    json.Field("wins", candidate.wins);
    json.Field("reason", candidate.reason);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return std::move(json).Take();
}

std::string ListenerServicesJson(const Snapshot& snapshot) {
  JsonWriter json;
  json.BeginArray();
  for (const auto& service : snapshot.services) {
    if (service->origin != model::Origin::kDocker) continue;
    std::map<std::string, std::string> flat = service->parameters.Unpack();
    flat["serviceName"] = service->name.str();
    flat.emplace("distribute", "true");
    if (!service->tasks.empty()) flat.emplace("replicas", std::to_string(service->tasks.size()));
    WriteTextMap(json, flat);
  }
  json.EndArray();
  return std::move(json).Take();
}

std::string ListenerNodesJson(const Snapshot& snapshot) {
  JsonWriter json;
  json.BeginArray();
  for (const model::NodeFacts& node : *snapshot.nodes) {
    std::map<std::string, std::string> flat = node.labels;
    flat["id"] = node.id;
    flat["hostname"] = node.hostname;
    flat["address"] = node.address;
    flat["versionIndex"] = std::to_string(node.version);
    flat["state"] = node.state;
    flat["role"] = node.role;
    flat["availability"] = node.availability;
    WriteTextMap(json, flat);
  }
  json.EndArray();
  return std::move(json).Take();
}

std::string ConfigJson(const Snapshot& snapshot) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& service : snapshot.services) {
    if (!service->spec) continue;
    json.Key(service->name.str()).BeginObject();
    json.Field("ServiceName", service->name.str());
    codec::WriteSpecFields(json, *service->spec, service->parameters.Unpack());
    json.EndObject();
  }
  json.EndObject();
  return std::move(json).Take();
}

void WriteAnswers(JsonWriter& json, const std::vector<model::PeerAnswer>* others) {
  if (others == nullptr) return;
  json.Key("replicas").BeginArray();
  for (const model::PeerAnswer& other : *others) {
    json.BeginObject();
    json.Field("address", other.address);
    json.Field("instance", other.instance);
    json.Field("ok", other.ok);
    json.Field("status", other.status);
    json.Field("message", other.message);
    json.EndObject();
  }
  json.EndArray();
}

std::string OutcomeJson(const engine::Outcome& outcome,
                        const std::map<std::string, std::string>& given,
                        const std::vector<model::PeerAnswer>* others) {
  const bool good = outcome.status < 400;
  JsonWriter json;
  json.BeginObject();
  json.Field("Status", good ? "OK" : "NOK");
  json.Field("Message", outcome.message);
  const auto name = given.find("serviceName");
  const std::string service_name = name == given.end() ? std::string() : name->second;
  json.Field("ServiceName", outcome.spec ? outcome.spec->name.str() : service_name);
  if (!good) json.Field("Code", OutcomeCode(outcome.status));
  // The predecessor's answers have these fields whatever became of the call.
  if (outcome.spec || !given.empty()) {
    codec::WriteSpecFields(json, outcome.spec ? *outcome.spec : model::ServiceSpec(), given);
  }
  if (good) json.Field("Persisted", outcome.persisted);
  json.Field("Revision", outcome.revision);
  json.Key("Diagnostics");
  codec::WriteDiagnostics(json, outcome.diagnostics);
  WriteAnswers(json, others);
  json.EndObject();
  return std::move(json).Take();
}

std::string EventJson(const LoggedEvent& event) {
  const char* level = "info";
  if (event.level == LogLevel::kWarning) level = "warning";
  if (event.level == LogLevel::kError) level = "error";
  JsonWriter json;
  json.BeginObject();
  json.Field("sequence", static_cast<unsigned long>(event.sequence));
  json.Field("time", TimeText(event.time));
  json.Field("level", level);
  json.Field("id", event.id);
  json.Field("text", event.text);
  json.Key("fields").BeginObject();
  for (const auto& [name, value] : event.fields) json.Field(name, value);
  json.EndObject().EndObject();
  return std::move(json).Take();
}

}  // namespace swarmgate::admin
