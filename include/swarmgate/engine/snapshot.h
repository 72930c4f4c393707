// What everybody but the owner thread may see: an immutable picture of the engine, published after
// each change. The admin API and the metrics are functions of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/chunked.h"
#include "swarmgate/base/clock.h"
#include "swarmgate/base/few.h"
#include "swarmgate/base/packed_texts.h"
#include "swarmgate/base/shared.h"
#include "swarmgate/base/text.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/model/routes.h"
#include "swarmgate/model/service_spec.h"
#include "swarmgate/ports/shared_store.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

enum class ServiceState : std::uint8_t {
  kLive,       ///< at least one route is served and has a server
  kNoServer,   ///< routed, but no task can take requests: answers 503
  kRejected,   ///< left out; the diagnostics say why
  kConflict,   ///< all of its claims lost to older services
  kWithdrawn,  ///< removed by API until its labels change
};
const char* ServiceStateName(ServiceState state);

struct TaskStatus {
  Text id;
  Text state;    ///< Docker's word
  Text address;  ///< the one that is used; empty when it is not a server
  bool serving = false;
  bool draining = false;
  Text reason;  ///< why it is not serving: "starting", "unhealthy", "no common network", …
  friend bool operator==(const TaskStatus&, const TaskStatus&) = default;
};

struct ServiceStatus {
  model::ServiceName name;
  Text reason;  ///< one sentence
  Shared<model::ServiceSpec> spec;
  /// As received; secrets redacted.
  PackedTexts parameters;
  std::vector<model::BackendName> backends;
  std::vector<TaskStatus> tasks;
  Few<model::Diagnostic> diagnostics;
  std::uint64_t version = 0;  ///< Docker's Version.Index
  model::Origin origin = model::Origin::kDocker;
  ServiceState state = ServiceState::kRejected;
  bool overrides_labels = false;  ///< a manual record stands before labels of the same name
  friend bool operator==(const ServiceStatus&, const ServiceStatus&) = default;
};

/// A certificate without its PEM.
struct CertificateStatus {
  model::Certificate certificate;
  std::vector<std::string> served;  ///< names that it answers for
  bool is_default = false;          ///< answers where no name fits
};

/// One outside partner: is it there, since when, and what did it say last.
struct PartnerStatus {
  bool ok = false;
  std::string detail;  ///< version, or the last error
  WallTime since;
};

/// What replicas share, as this one sees it.
struct SharedStatus {
  bool configured = false;
  std::string name;  ///< of the store: "consul", or "peers" where each replica holds it
  PartnerStatus store;
  std::uint64_t revision = 0;  ///< of the shared store; everything up to here is taken over
  std::size_t waiting = 0;     ///< changes that were accepted here and are not there yet
  std::string waiting_reason;  ///< why the oldest of them waits, when it was refused
  /// Never null; sorted by id. This one is among them, as the others see it.
  std::shared_ptr<const std::vector<ports::Replica>> replicas =
      std::make_shared<const std::vector<ports::Replica>>();
};

/// Upper bounds in seconds of the latency histograms; the last bucket is +Inf.
inline constexpr std::array<double, 14> kLatencyBounds = {
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0};
struct Histogram {
  std::array<std::uint64_t, kLatencyBounds.size() + 1> buckets{};  ///< not cumulative
  std::uint64_t count = 0;
  double sum_seconds = 0;
};

struct Counters {
  std::uint64_t applies = 0;  ///< plans carried out
  std::uint64_t noops = 0;    ///< looked, nothing to do
  std::uint64_t runtime_commands = 0;
  std::uint64_t apply_failures = 0;
  std::map<std::string, std::uint64_t>
      reloads;  ///< by reason class: "start", "slots", "settings", "fallback", …
  std::uint64_t docker_reconnects = 0;
  std::uint64_t quarantines = 0;
  std::uint64_t haproxy_restarts = 0;
  std::map<std::string, std::uint64_t> diagnostics;  ///< by code, of the current state
  Histogram event_to_live;                           ///< first hint → confirmed by HAProxy
  Histogram api_to_live;
};

struct Snapshot {
  /// Of the applied state; grows with every change that went live, and with every start.
  std::uint64_t revision = 0;
  std::uint64_t store_revision = 0;
  bool was_ready = false;  ///< the state found at start has been applied; stays true
  bool ready = false;      ///< that, and HAProxy answers
  std::string not_ready_reason;
  WallTime started;
  WallTime changed;      ///< last change that went live
  std::string instance;  ///< PROXY_INSTANCE_NAME
  PartnerStatus docker;
  PartnerStatus proxy;
  PartnerStatus store;
  SharedStatus shared;
  int proxy_pid = 0;
  std::string proxy_version;
  /// Sorted by name; never none. Shared between snapshots as long as the service does not change.
  Chunked<Shared<ServiceStatus>> services;
  /// Services that are left to other instances (FILTER_PROXY_INSTANCE_NAME); not among `services`.
  std::size_t of_other_instances = 0;
  /// Shared, not copied: only replaced when it changed.
  std::shared_ptr<const model::Desired> desired;
  /// Shared, not copied; never null. Routes that came to nothing, with the reason.
  std::shared_ptr<const Chunked<routing::LostRoute>> lost =
      std::make_shared<const Chunked<routing::LostRoute>>();
  /// Shared, not copied; never null.
  std::shared_ptr<const SharedMap<model::BackendName, model::SlotName>> slots =
      std::make_shared<const SharedMap<model::BackendName, model::SlotName>>();
  std::vector<model::Diagnostic> diagnostics;  ///< those of no service
  /// Shared, not copied; never null. Sorted by source and place.
  std::shared_ptr<const std::vector<CertificateStatus>> certificates =
      std::make_shared<const std::vector<CertificateStatus>>();
  /// Shared, not copied; never null. The Swarm's machines, sorted by id.
  std::shared_ptr<const std::vector<model::NodeFacts>> nodes =
      std::make_shared<const std::vector<model::NodeFacts>>();
  std::size_t draining_servers = 0;
  Counters counters;
};

}  // namespace swarmgate::engine
