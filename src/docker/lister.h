// Asks the daemon for everything that DockerFacts hold, or for some services alone. What does not
// change between two lists (what the daemon is, what an image exposes, in which container we run)
// is remembered; a failure forgets it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "docker/daemon.h"
#include "swarmgate/codec/docker_json.h"
#include "swarmgate/docker/docker_api.h"

namespace swarmgate::docker {

/// Thread: one at a time; Cancel from any.
class Lister {
 public:
  /// `own_candidates`: see OwnContainerCandidates. `local`: the daemon is on this machine.
  Lister(const DockerOptions& options, http::Endpoint endpoint,
         std::vector<std::string> own_candidates, bool local, const Clock& clock);

  Result<model::DockerFacts> List(SteadyTime deadline);
  Result<ports::DockerApi::SomeServices> ListServices(const std::vector<std::string>& service_ids,
                                                      SteadyTime deadline);
  Result<std::vector<ports::DockerApi::ServiceTasks>> ListTasks(
      const std::vector<std::string>& service_ids, SteadyTime deadline);
  Result<std::optional<ports::DockerApi::StartedTask>> LookAt(const std::string& container_id,
                                                              SteadyTime deadline);
  void Include(std::vector<std::string> names) { included_ = {names.begin(), names.end()}; }
  void Cancel() { daemon_.Cancel(); }

 private:
  struct Draft;  // a list in the making

  Result<model::DockerFacts> TryList(SteadyTime deadline);
  Status RefreshInfo(SteadyTime deadline);
  Result<ports::DockerApi::SomeServices> TryListServices(const std::set<std::string>& wanted,
                                                         SteadyTime deadline);
  Status ListAllServices(Draft* draft);
  /// Those of them that are there; the ids of these go to `there`.
  Status ReadServices(const std::set<std::string>& wanted, SteadyTime deadline,
                      std::set<std::string>* there,
                      const std::function<Status(const codec::JsonValue&)>& take);
  /// One of GET /services; one that carries no routing label is left out.
  Status TakeService(const codec::JsonValue& json, Draft* draft);
  Status JudgeNoManager(const Error& error, Draft* draft);
  Status ListTasksOf(Draft* draft);
  /// Tasks by service id; those of other services are left out.
  Status ReadTasks(const std::set<std::string>& wanted, SteadyTime deadline,
                   std::map<std::string, std::vector<codec::SwarmTask>>* tasks,
                   std::set<std::string>* unreadable);
  Status PlaceOnNodes(std::vector<model::TaskFacts*> tasks, bool refresh, SteadyTime deadline);
  Status ReadNodes(SteadyTime deadline);
  Status ListNodes(Draft* draft);
  void FillServicePorts(Draft* draft, codec::SwarmService* service);
  /// False: the container is gone.
  bool FillContainerPorts(Draft* draft, codec::Container* container);
  Status ListContainers(Draft* draft);
  Status ListNetworks(Draft* draft);
  Status FindOwnNetworks(Draft* draft);
  Result<std::optional<std::vector<std::string>>> NetworksOfContainer(const std::string& name,
                                                                      SteadyTime deadline);
  Result<std::optional<std::vector<std::string>>> NetworksOfOwnTask(SteadyTime deadline);
  Status ListGateway(Draft* draft);
  /// Container id → address on docker_gwbridge; nothing where there is no such network.
  Result<model::ContainerAddresses> GatewayAddresses(SteadyTime deadline);
  using Ports = std::vector<std::uint16_t>;
  /// What an image exposes; nothing when that cannot be found out now. One object that the daemon
  /// cannot describe must not cost everybody the list, so this never fails.
  std::optional<Ports> ImagePorts(const std::string& image, const Draft& draft);
  [[nodiscard]] bool Selected(const std::string& name, bool labelled) const;
  [[nodiscard]] bool WorthParsing(std::string_view element) const;
  void TellUnreadable(const std::string& what, const std::string& id, const Error& error);
  void TellPortsUnknown(const std::string& what, const std::string& id, const Error& error);
  void TellOwn(const std::string& text);

  DockerOptions options_;
  Daemon daemon_;
  std::vector<std::string> own_candidates_;
  bool local_;
  const Clock& clock_;
  bool prefix_is_plain_;  ///< appears in JSON as it is
  std::set<std::string> included_;

  std::optional<codec::DaemonInfo> info_;
  SteadyTime info_until_;
  std::string own_container_;            ///< the candidate that the daemon knew
  std::string own_task_;                 ///< of a container that another node runs
  bool on_host_ = false;                 ///< as the last list found
  std::vector<model::NodeFacts> nodes_;  ///< as they were last listed; sorted by id
  SteadyTime nodes_until_;               ///< not listed again before
  struct PortsEntry {
    std::optional<Ports> ports;  ///< nothing: could not be found out
    SteadyTime until;            ///< not asked again before
  };
  std::map<std::string, PortsEntry> images_;
  std::map<std::string, PortsEntry> container_ports_;
  std::map<std::string, std::string> told_unreadable_;
  std::string told_own_;
};

}  // namespace swarmgate::docker
