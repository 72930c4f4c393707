// An engine that says what a test wants it to say, and remembers what it was told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/admin/backend.h"

namespace swarmgate::admin {

class FakeBackend final : public AdminBackend {
 public:
  engine::Snapshot snapshot;
  engine::Outcome outcome;
  Result<std::string> config = std::string("frontend services\n");
  std::string stats;  ///< CSV of HAProxy; empty: it does not answer
  std::vector<std::pair<std::string, std::map<std::string, std::string>>> calls;
  std::int64_t made = 0;  ///< as the last call had it

  [[nodiscard]] std::shared_ptr<const engine::Snapshot> GetSnapshot() const override {
    return std::make_shared<const engine::Snapshot>(snapshot);
  }
  engine::Outcome Reconfigure(const std::map<std::string, std::string>& parameters,
                              SteadyTime deadline, std::int64_t made_unix_ms) override {
    return Record("reconfigure", parameters, deadline, made_unix_ms);
  }
  engine::Outcome Validate(const std::map<std::string, std::string>& parameters,
                           SteadyTime deadline) override {
    return Record("validate", parameters, deadline);
  }
  engine::Outcome Remove(const std::map<std::string, std::string>& parameters, SteadyTime deadline,
                         std::int64_t made_unix_ms) override {
    return Record("remove", parameters, deadline, made_unix_ms);
  }
  engine::Outcome PutCertificate(const std::string& name, const std::string& pem,
                                 SteadyTime deadline, std::int64_t made_unix_ms) override {
    return Record("put-certificate", {{"certName", name}, {"pem", pem}}, deadline, made_unix_ms);
  }
  engine::Outcome RemoveCertificate(const std::string& name, SteadyTime deadline,
                                    std::int64_t made_unix_ms) override {
    return Record("remove-certificate", {{"certName", name}}, deadline, made_unix_ms);
  }
  engine::Outcome Reload(SteadyTime deadline) override { return Record("reload", {}, deadline); }
  engine::Outcome Resync(SteadyTime deadline) override { return Record("resync", {}, deadline); }
  Result<std::string> ConfigText(SteadyTime deadline) override {
    (void)deadline;
    return config;
  }
  Result<std::shared_ptr<const std::string>> ProxyStats(SteadyTime deadline) override {
    (void)deadline;
    if (stats.empty()) return Fail(Code::kUnavailable, "nobody listens");
    return std::make_shared<const std::string>(stats);
  }

 private:
  engine::Outcome Record(const char* call, const std::map<std::string, std::string>& parameters,
                         SteadyTime deadline, std::int64_t made_unix_ms = 0) {
    (void)deadline;
    made = made_unix_ms;
    calls.emplace_back(call, parameters);
    return outcome;
  }
};

/// A live service "web" with one route /demo and one task, a rejected one "bad", and one added by
/// API, "manual".
inline engine::Snapshot SampleSnapshot() {
  engine::Snapshot snapshot;
  snapshot.revision = 7;
  snapshot.was_ready = true;
  snapshot.ready = true;
  snapshot.instance = "docker-flow";
  snapshot.proxy = {true, "2.6.12", {}};
  snapshot.docker = {true, "API 1.41", {}};
  snapshot.store = {true, "", {}};
  snapshot.proxy_pid = 42;
  snapshot.proxy_version = "2.6.12";

  model::ServiceSpec spec;
  spec.name = model::ServiceName("web");
  spec.acl_name = "web";
  model::DestSpec dest;
  dest.paths = {{model::PathMatch::Kind::kPrefix, "/demo", "path_beg /demo"}};
  dest.hosts = {{model::HostMatch::Kind::kExact, "a.com", "A.com"}};
  dest.port = 8080;
  dest.policy.Edit().timeout_server = std::chrono::seconds(60);
  spec.dests = {dest};

  engine::ServiceStatus bad;
  bad.name = model::ServiceName("bad");
  bad.state = engine::ServiceState::kRejected;
  bad.reason = "no destination";
  bad.diagnostics = {{model::Severity::kError, "bad-port", bad.name, "com.df.port", "x\n",
                      "not a port", "write 1 to 65535"}};
  engine::ServiceStatus manual;
  manual.name = model::ServiceName("manual");
  manual.origin = model::Origin::kManual;
  manual.state = engine::ServiceState::kNoServer;
  engine::ServiceStatus web;
  web.name = spec.name;
  web.state = engine::ServiceState::kLive;
  web.spec = spec;
  web.reason = "served by 1 task";
  web.parameters = std::map<std::string, std::string>{
      {"servicePath", "/demo"}, {"port", "8080"}, {"serviceDomain", "A.com"}};
  web.backends = {model::BackendName("web-be8080_0")};
  web.tasks = {{"t1", "running", "10.0.1.3", true, false, ""},
               {"t2", "starting", "", false, false, "starting"}};
  for (const engine::ServiceStatus& service : {bad, manual, web}) {
    snapshot.services.push_back(service);
  }

  model::Desired desired;
  model::Route route;
  route.id = model::RouteId("web/0/0");
  route.service = spec.name;
  route.backend = model::BackendName("web-be8080_0");
  route.host = dest.hosts[0];
  route.path = dest.paths[0];
  desired.routes = {route};
  model::Backend backend;
  backend.name = route.backend;
  backend.service = spec.name;
  backend.servers = {{model::ServerName("t-1"), "10.0.1.3", 8080, "t1", {}}};
  desired.backends = {backend};
  snapshot.desired = std::make_shared<const model::Desired>(desired);
  snapshot.slots = std::make_shared<const SharedMap<model::BackendName, model::SlotName>>(
      SharedMap<model::BackendName, model::SlotName>{
          {route.backend, model::SlotName("sg_plain_00001")}});
  snapshot.counters.reloads = {{"start", 1}, {"slots", 2}};
  snapshot.counters.diagnostics = {{"bad-port", 1}};
  snapshot.counters.api_to_live.buckets[2] = 3;
  snapshot.counters.api_to_live.count = 3;
  snapshot.counters.api_to_live.sum_seconds = 0.012;
  return snapshot;
}

}  // namespace swarmgate::admin
