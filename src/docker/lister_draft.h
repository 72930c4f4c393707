// A list in the making: what the steps of Lister::List hand to each other.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "docker/lister.h"

namespace swarmgate::docker {

struct Lister::Draft {
  SteadyTime deadline;
  model::DockerFacts facts;
  std::vector<codec::SwarmService> services;  ///< until they have their tasks
  std::set<std::string> unreadable;           ///< ids of services
  std::set<std::string> ports_unknown;        ///< ids of services
  SteadyTime inspect_until;                   ///< no inspection of a single object begins later
  bool read_nodes = true;                     ///< anew, even if those of the tasks are known
};

}  // namespace swarmgate::docker
