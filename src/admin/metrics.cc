#include "admin/metrics.h"

#include <chrono>
#include <map>

#include "admin/families.h"
#include "admin/proxy_metrics.h"

namespace swarmgate::admin {
namespace {

using prometheus::MetricType;

void AddState(Families& families, const engine::Snapshot& snapshot) {
  std::map<std::string, std::uint64_t> states;
  for (const engine::ServiceState state :
       {engine::ServiceState::kLive, engine::ServiceState::kNoServer,
        engine::ServiceState::kRejected, engine::ServiceState::kConflict,
        engine::ServiceState::kWithdrawn}) {
    states[engine::ServiceStateName(state)] = 0;
  }
  for (const auto& service : snapshot.services) ++states[engine::ServiceStateName(service->state)];
  families.Add("swarmgate_services", MetricType::Gauge, "Services by state");
  for (const auto& [state, count] : states) families.Value(count, {{"state", state}});
  std::size_t servers = 0;
  if (snapshot.desired) {
    for (const model::Backend& backend : snapshot.desired->backends)
      servers += backend.servers.size();
  }
  families.Gauge("swarmgate_routes", "Routes served",
                 snapshot.desired ? snapshot.desired->routes.size() : 0);
  families.Gauge("swarmgate_backends", "Backends in use",
                 snapshot.desired ? snapshot.desired->backends.size() : 0);
  families.Gauge("swarmgate_servers", "Servers that take requests", servers);
  families.Gauge("swarmgate_draining_servers", "Servers that end their last requests",
                 snapshot.draining_servers);
  families.Add("swarmgate_diagnostics", MetricType::Gauge,
               "Mistakes in the current services' parameters, by code");
  for (const auto& [code, count] : snapshot.counters.diagnostics) {
    families.Value(count, {{"code", code}});
  }
}

void AddCertificates(Families& families, const engine::Snapshot& snapshot) {
  if (snapshot.certificates->empty()) return;
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  families.Add("swarmgate_certificate_expiry_seconds", MetricType::Gauge,
               "Seconds until a certificate expires; negative: since it has");
  for (const engine::CertificateStatus& status : *snapshot.certificates) {
    families.Value(status.certificate.not_after - now,
                   {{"name", status.certificate.name},
                    {"source", model::CertificateSourceName(status.certificate.source)}});
  }
}

void AddCounters(Families& families, const engine::Counters& counters) {
  families.Counter("swarmgate_applies_total", "Plans carried out", counters.applies);
  families.Counter("swarmgate_noops_total", "Looks that found nothing to do", counters.noops);
  families.Counter("swarmgate_runtime_commands_total", "Commands sent to HAProxy",
                   counters.runtime_commands);
  families.Counter("swarmgate_apply_failures_total", "Plans that failed and were made anew",
                   counters.apply_failures);
  families.Add("swarmgate_reloads_total", MetricType::Counter, "Hitless reloads, by reason");
  for (const auto& [reason, count] : counters.reloads) families.Value(count, {{"reason", reason}});
  families.Counter("swarmgate_docker_reconnects_total", "Event streams that had to be opened again",
                   counters.docker_reconnects);
  families.Counter("swarmgate_quarantines_total", "Services that HAProxy refused",
                   counters.quarantines);
  families.Counter("swarmgate_haproxy_restarts_total", "HAProxy processes that came unasked",
                   counters.haproxy_restarts);
  families.Latency("swarmgate_event_to_live_seconds",
                   "From the first hint of a change to its confirmation by HAProxy",
                   counters.event_to_live);
  families.Latency("swarmgate_api_to_live_seconds",
                   "From an API call to its confirmation by HAProxy", counters.api_to_live);
}

}  // namespace

std::string MetricsText(const engine::Snapshot& snapshot, const std::string& version,
                        const std::string* proxy_stats) {
  Families families;
  families.Add("swarmgate_build_info", MetricType::Gauge, "Versions")
      .Value(1, {{"version", version}, {"haproxy", snapshot.proxy_version}});
  families.Gauge("swarmgate_ready", "1 when the state found at start has been applied",
                 snapshot.ready ? 1 : 0);
  families.Gauge("swarmgate_revision", "Revision of the applied state", snapshot.revision);
  families.Add("swarmgate_partner_up", MetricType::Gauge, "1 when the partner answers")
      .Value(snapshot.docker.ok ? 1 : 0, {{"partner", "docker"}})
      .Value(snapshot.proxy.ok ? 1 : 0, {{"partner", "haproxy"}})
      .Value(snapshot.store.ok ? 1 : 0, {{"partner", "store"}});
  if (snapshot.shared.configured) {
    families.Value(snapshot.shared.store.ok ? 1 : 0, {{"partner", "consul"}});
    families.Gauge("swarmgate_shared_revision", "Revision of the shared store that is taken over",
                   snapshot.shared.revision);
    families.Gauge("swarmgate_shared_waiting",
                   "Changes that were accepted here and are not in the shared store yet",
                   snapshot.shared.waiting);
  }
  AddState(families, snapshot);
  AddCertificates(families, snapshot);
  AddCounters(families, snapshot.counters);
  // The predecessor's listener counted so.
  families.Add("docker_flow_service_count", MetricType::Gauge, "Services that are listened to")
      .Value(snapshot.services.size(), {{"service", "swarm_listener"}});
  AddProxyMetrics(families, snapshot, proxy_stats);
  return families.Text();
}

}  // namespace swarmgate::admin
