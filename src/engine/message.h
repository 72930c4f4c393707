// What other threads tell the owner thread, and what it asks of them. Results come back as
// messages, so that the owner never waits for Docker, for a name server or for a check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/model/certificate.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/ports/docker_api.h"

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
  SteadyTime received;
  SteadyTime deadline = SteadyTime::max();  ///< then the caller stops waiting
  std::function<void(Outcome)> reply;       ///< kConfigText: the text is Outcome::message
};

/// What a caller gets at its deadline, with status 504.
inline constexpr const char* kTooLate =
    "HAProxy has not confirmed the change in time; it stays asked for and is carried out as soon "
    "as HAProxy answers";

using Message = std::variant<DockerConnected, DockerLost, DockerHint, DockerListed, TasksListed,
                             ContainerSeen, NameResolved, FilesChecked, CertificatesRead, Command>;

/// How many names are resolved at a time.
inline constexpr std::size_t kResolverThreads = 4;

/// What the owner asks for; every call returns at once. Thread: owner.
class Sources {
 public:
  virtual ~Sources() = default;
  /// → DockerListed. `include`: see DockerApi::Include.
  virtual void List(std::uint64_t generation, std::vector<std::string> include) = 0;
  /// → TasksListed.
  virtual void ListTasks(std::vector<std::string> ids) = 0;
  /// → ContainerSeen.
  virtual void LookAt(std::string container_id, std::string service_id) = 0;
  /// → NameResolved. At most kResolverThreads at a time, others wait.
  virtual void Resolve(std::string name) = 0;
  /// `haproxy -c` on the live files → FilesChecked.
  virtual void CheckFiles(std::uint64_t writes) = 0;
};

}  // namespace swarmgate::engine
