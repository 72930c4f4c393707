// What other threads tell the owner thread, and what it asks of them. Results come back as
// messages, so that the owner never waits for Docker, for a name server or for a check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/ports/docker_api.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::engine {

struct DockerConnected {};
struct DockerLost {
  Error error;
};
struct DockerHint {
  ports::DockerEvent event;
};
struct DockerListed {
  std::uint64_t generation = 0;  ///< of the request
  SteadyTime started;
  Result<model::DockerFacts> facts;
};
struct ServicesListed {
  std::vector<std::string> ids;
  Result<ports::DockerApi::SomeServices> services;
};
struct TasksListed {
  SteadyTime started;
  std::vector<std::string> ids;
  Result<std::vector<ports::DockerApi::ServiceTasks>> tasks;
};
struct ContainerSeen {
  std::string container_id;
  std::string service_id;
  Result<std::optional<ports::DockerApi::StartedTask>> task;
};
struct NameResolved {
  std::string name;
  Result<std::vector<std::string>> addresses;
};
struct FilesChecked {
  std::uint64_t writes = 0;  ///< Applier::writes() when the check was asked for
  Status status;
};

struct CertificatesRead {
  Result<std::vector<model::CertificateFile>> files;
};

/// What others wrote, or why that is not known now.
struct SharedNews {
  Result<ports::Changes> changes;
};

/// One change of this replica's, for the shared store.
struct ShareRequest {
  model::ServiceName name;
  std::optional<model::Record> record;  ///< nothing: it is deleted
  std::uint64_t expected = 0;           ///< revision that the shared store is thought to hold
  bool deletion_seen = false;           ///< the news say that others have deleted it since
  ports::Waiting waiting;               ///< which write of ours this is
  std::string epoch;                    ///< of the history that `expected` belongs to
};
/// What has become of it.
struct Settlement {
  bool theirs_won = false;              ///< another replica's change stands, ours does not
  bool exists = false;                  ///< there is a record of this name now
  std::uint64_t revision = 0;           ///< in the shared store; 0: not known, of a deletion
  std::optional<model::Record> record;  ///< theirs_won: what is there; nothing: it was deleted
};
struct ShareDone {
  model::ServiceName name;
  ports::Waiting waiting;
  std::string epoch;  ///< as of the request
  Result<Settlement> outcome;
};

struct ReplicasSeen {
  Result<std::vector<ports::Replica>> replicas;
};

/// Another replica follows what Docker says here.
struct FactsWanted {};

/// A call of Engine's. `reply` is called exactly once, on the owner thread, and may come after the
/// caller has stopped waiting.
struct Command {
  enum class Kind {
    kReconfigure,
    kValidate,
    kRemove,
    kReload,
    kResync,
    kConfigText,
    kPutCertificate,     ///< parameters: certName, pem
    kRemoveCertificate,  ///< parameters: certName
  };
  Kind kind = Kind::kReconfigure;
  std::map<std::string, std::string> parameters;
  /// When the caller's change was made, where another replica has accepted it before; 0: now.
  std::int64_t made_unix_ms = 0;
  SteadyTime received;
  SteadyTime deadline = SteadyTime::max();  ///< then the caller stops waiting
  std::function<void(Outcome)> reply;       ///< kConfigText: the text is Outcome::message
};

/// What a caller gets at its deadline, with status 504.
inline constexpr const char* kTooLate =
    "HAProxy has not confirmed the change in time; it stays asked for and is carried out as soon "
    "as HAProxy answers";

/// The answer to a call that another replica hands on too late.
inline constexpr const char* kOutdated =
    "a later change of the same is known here; nothing was done";

using Message =
    std::variant<DockerConnected, DockerLost, DockerHint, DockerListed, ServicesListed, TasksListed,
                 ContainerSeen, NameResolved, FilesChecked, CertificatesRead, SharedNews, ShareDone,
                 ReplicasSeen, FactsWanted, Command>;

/// How many names are resolved at a time.
inline constexpr std::size_t kResolverThreads = 4;

/// What the owner asks for; every call returns at once. What is asked of Docker is asked by one
/// thread, one after another in the order of the calls, and answered in this order: what comes in
/// later was said later. Thread: owner.
class Sources {
 public:
  virtual ~Sources() = default;
  /// → DockerListed. `include`: see DockerApi::Include.
  virtual void List(std::uint64_t generation, std::vector<std::string> include) = 0;
  /// → ServicesListed.
  virtual void ListServices(std::vector<std::string> ids) = 0;
  /// → TasksListed.
  virtual void ListTasks(std::vector<std::string> ids) = 0;
  /// → ContainerSeen.
  virtual void LookAt(std::string container_id, std::string service_id) = 0;
  /// → NameResolved. At most kResolverThreads at a time, others wait.
  virtual void Resolve(std::string name) = 0;
  /// `haproxy -c` on the live files → FilesChecked.
  virtual void CheckFiles(std::uint64_t writes) = 0;
  /// Writes to the shared store → ShareDone.
  virtual void Share(ShareRequest request) = 0;
  /// → ReplicasSeen.
  virtual void Announce(ports::Replica self) = 0;
};

}  // namespace swarmgate::engine
