// Which servers a destination has: addresses of tasks on a network in common, or of a name.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "routing/collect.h"
#include "swarmgate/base/cow.h"
#include "swarmgate/base/text.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// An IPv4 or IPv6 literal.
bool IsAddress(const std::string& text);

/// Runs, is meant to run, and is healthy where it has a health check.
bool IsServing(const model::TaskFacts& task);

/// Will this service's tasks change soon (starting, ending, unhealthy yet, an update under way)?
bool IsConverging(const model::ServiceFacts& facts);

/// Chooses servers. Holds the context's networks by id. REQUIRES: the context outlives it, and its
/// networks stay as they are.
class EndpointChooser {
 public:
  explicit EndpointChooser(const BuildContext& context);

  /// The networks by which a service's own tasks are reached, the best first. When there is none: a
  /// diagnostic "no-common-network" or "unknown-network", and nothing.
  struct Way {
    bool reachable = false;
    /// Mostly all of the service's own, and then the facts' object.
    Cow<std::vector<std::string>> network_ids;
  };
  Way FindWay(const ServiceInput& service, std::vector<model::Diagnostic>& diagnostics) const;

  /// Does a destination go to the tasks themselves, or to a name?
  static bool UsesTasks(const ServiceInput& service, const model::DestSpec& dest);

  /// Sorted by name. Adds the names that it would like to have resolved.
  std::vector<model::Server> ByName(const ServiceInput& service, const ServedDest& dest,
                                    std::set<std::string>& names_wanted) const;
  /// Sorted by name. `unreached` counts running tasks that this place cannot reach.
  std::vector<model::Server> ByTasks(const ServiceInput& service, const ServedDest& dest,
                                     const Way& way, std::size_t& unreached) const;

 private:
  std::string NetworkName(const std::string& id) const;
  std::string NetworkNames(const std::vector<std::string>& ids) const;
  std::vector<std::string> ServiceNetworks(const model::ServiceFacts& facts) const;
  bool LocalWay(const model::ServiceFacts& facts) const;
  model::Diagnostic NoCommonNetwork(const ServiceInput& service,
                                    const std::vector<std::string>& networks) const;
  /// Address and port of one task; an empty address when it cannot be reached.
  std::pair<Text, std::uint16_t> TaskAddress(const model::TaskFacts& task, const Way& way,
                                             std::uint16_t port) const;

  const BuildContext& context_;
  std::unordered_map<std::string, const model::NetworkFacts*> networks_;
  std::unordered_set<std::string> own_;
};

}  // namespace swarmgate::routing
