// What other threads tell the owner thread, and what it asks of them. Results come back as
// messages, so that the owner never waits for Docker, for a name server or for a check.
#pragma once

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
struct NamesResolved {
  std::map<std::string, Result<std::vector<std::string>>> names;
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
  std::function<void(Outcome)> reply;  ///< kConfigText: the text is Outcome::message
};

using Message = std::variant<DockerConnected, DockerLost, DockerHint, DockerListed, TasksListed,
                             NamesResolved, FilesChecked, CertificatesRead, Command>;

/// What the owner asks for; every call returns at once. Thread: owner.
class Sources {
 public:
  virtual ~Sources() = default;
  /// → DockerListed. `include`: see DockerApi::Include.
  virtual void List(std::uint64_t generation, std::vector<std::string> include) = 0;
  /// → TasksListed.
  virtual void ListTasks(std::vector<std::string> ids) = 0;
  /// → NamesResolved.
  virtual void Resolve(std::vector<std::string> names) = 0;
  /// `haproxy -c` on the live files → FilesChecked.
  virtual void CheckFiles(std::uint64_t writes) = 0;
};

}  // namespace swarmgate::engine
