// Which cluster this replica is one of, and as whom.
#pragma once

#include <cstdint>
#include <string>

namespace swarmgate::cluster {

struct Membership {
  std::string cluster;   ///< PROXY_INSTANCE_NAME: others are strangers
  std::string service;   ///< SERVICE_NAME, likewise
  std::string instance;  ///< unique; stays the same over restarts
  std::string run;       ///< made up by each run
  std::string version;
  std::string role = "all";
  std::int64_t started_unix_ms = 0;
  std::string token;  ///< ADMIN_TOKEN; empty: none
};

}  // namespace swarmgate::cluster
