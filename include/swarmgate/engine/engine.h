// The engine: one owner thread that holds all mutable state, turns hints and commands into a
// desired state, and carries it out. Others talk to it by messages and read its snapshot.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/base/inbox.h"
#include "swarmgate/engine/snapshot.h"
#include "swarmgate/haproxy/image.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/ports/certificate_files.h"
#include "swarmgate/ports/docker_api.h"
#include "swarmgate/ports/proxy_control.h"
#include "swarmgate/ports/shared_store.h"
#include "swarmgate/ports/state_store.h"

namespace swarmgate::engine {

/// What is settled about certificates.
struct CertificateOptions {
  model::Secret self_signed;           ///< PEM: answers while there is no other
  std::vector<std::string> preferred;  ///< PREFERRED_CERTIFICATE: globs on names
  std::string directory = "/certs";    ///< for people
  Duration poll{2000};                 ///< how often files are looked at
};

/// How this replica stands among others; only looked at where there is a shared store.
struct SharingOptions {
  ports::Replica self;                ///< but for its revision
  std::string store_name = "consul";  ///< what people call the shared store
  Duration start_wait{5000};          ///< how long readiness waits for the shared store
  Duration answer_wait{500};          ///< how long the answer to a call waits for it
  Duration announce_every{5000};
};

/// Settings that are fixed for the life of the process.
struct EngineOptions {
  haproxy::Settings proxy;
  labels::ParseOptions parse;        ///< its source is set per use
  std::uint32_t minimum_slots = 64;  ///< per class
  Duration coalesce{50};             ///< further hints within this time are taken together
  Duration full_list_interval{30000};
  Duration poll_fast{50};    ///< first poll of a converging service …
  Duration poll_slow{2000};  ///< … backing off to this
  Duration poll_all{10000};
  Duration drain_timeout{
      30000};  ///< then a draining server's remaining sessions are left to their own end
  Duration resolve_interval{5000};
  CertificateOptions certificates;
  SharingOptions sharing;
  /// Nobody counts on Docker: without a list of its, what else is known is complete.
  bool docker_optional = false;
  /// DFP_SERVICE_*: origin static; names without prefix, by service.
  std::vector<std::map<std::string, std::string>> static_services;
  /// Where the proxy itself listens for something else than requests (the admin API).
  std::vector<std::uint16_t> reserved_ports;
  /// Could HAProxy listen on this port? Absent: yes.
  std::function<bool(std::uint16_t)> port_is_free;
};

/// The answer to a mutating call. `status` is an HTTP status: the API's contract is the engine's
/// contract.
struct Outcome {
  int status = 200;
  std::string message;  ///< empty on success
  Shared<model::ServiceSpec> spec;
  std::vector<model::Diagnostic> diagnostics;
  /// On this replica's disk, and where there is a shared store, there too. False: it will be.
  bool persisted = true;
  std::uint64_t revision = 0;  ///< applied with this revision
  /// When the change was made, as all replicas are to see it; 0: there was none.
  std::int64_t made_unix_ms = 0;
};

/// Everything that goes wrong with the ports is retried by code; after the first success nothing
/// ends the engine.
class Engine {
 public:
  /// The ports outlive the engine. `docker` may be null (no socket configured). `resolve` maps a
  /// name to addresses, blocking up to a second or two; it is called from threads of the
  /// engine's own, several at a time.
  struct Ports {
    ports::DockerApi* docker = nullptr;
    ports::ProxyControl* proxy = nullptr;
    ports::ConfigFiles* files = nullptr;
    ports::StateStore* store = nullptr;
    ports::SharedStore* shared = nullptr;             ///< null: this is the only replica
    ports::CertificateFiles* certificates = nullptr;  ///< may be null
    /// Called once, when a complete set of files lies on disk, so that the supervisor may start
    /// HAProxy: with what an earlier run has left at once, without it when Docker and the shared
    /// store have said what there is, or a few seconds later.
    std::function<void()> files_ready;
    std::function<Result<std::vector<std::string>>(const std::string& name)> resolve;
    /// What Docker says has changed, for replicas without a socket; may be null. Not called before
    /// WantFacts; the first one is everything, and comes after a good list. Thread: the owner.
    std::function<void(const ports::AppliedDelta& delta)> facts_changed;
    /// Docker answers, or is lost: then what was told is old; may be null. Thread: the owner.
    std::function<void(bool answers)> docker_answers;
    /// The text of a template's file; may be null: there are none. Thread: the owner.
    /// Errors: with what is wrong, for the owner of the service that names it.
    std::function<Result<std::string>(const std::string& path)> read_template;
    const Clock* clock = nullptr;
  };

  Engine(EngineOptions options, Ports ports);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Starts the owner thread and the sources.
  void Start();
  /// Ends them; HAProxy goes on. Thread: any, once.
  void Stop();

  /// Never null. Thread: any.
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;

  /// The calls below post a message and wait for the answer until the deadline (then: status 504).
  /// Thread: any. `parameters`: as received, with serviceName. `made_unix_ms`: see Outcome, of
  /// another replica that hands its change on; 0: it is made here and now.
  Outcome Reconfigure(const std::map<std::string, std::string>& parameters, SteadyTime deadline,
                      std::int64_t made_unix_ms = 0);
  /// Parses and judges as Reconfigure would, and changes nothing.
  Outcome Validate(const std::map<std::string, std::string>& parameters, SteadyTime deadline);
  Outcome Remove(const std::map<std::string, std::string>& parameters, SteadyTime deadline,
                 std::int64_t made_unix_ms = 0);
  /// Stores a certificate and serves it. Refused (400, 409) with the reason, nothing is changed.
  Outcome PutCertificate(const std::string& name, const std::string& pem, SteadyTime deadline,
                         std::int64_t made_unix_ms = 0);
  /// One that was put; 404 when there is none of this name.
  Outcome RemoveCertificate(const std::string& name, SteadyTime deadline,
                            std::int64_t made_unix_ms = 0);
  /// A hitless reload from freshly written files.
  Outcome Reload(SteadyTime deadline);
  /// A full list now; answers when it has been applied.
  Outcome Resync(SteadyTime deadline);
  /// `facts_changed` is called from now on: somebody follows. Does not wait. Thread: any.
  void WantFacts();
  /// The files' text (GET …/config).
  Result<std::string> ConfigText(SteadyTime deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarmgate::engine
