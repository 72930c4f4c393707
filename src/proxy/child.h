// The moment between fork and exec of the HAProxy master: everything that needs memory or the C
// library is prepared before, so that it works in a process with threads too.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/proxy/process.h"

namespace swarmgate::proxy {

struct ChildPlan {
  std::vector<char*> argv;         ///< argv[0] is a path; ends with nullptr
  std::vector<char*> environment;  ///< all of it, "NAME=value"; ends with nullptr
  const char* directory = "/";
  const UserIds* user = nullptr;  ///< null: stays who it is
  rlim_t open_files = 0;
  int output = -1;  ///< becomes standard output and error
};

/// All that HAProxy gets of our environment, "NAME=value", when it runs and when it only checks
/// files: the process that faces the network is to hold neither ADMIN_TOKEN nor any other setting
/// of ours.
[[nodiscard]] std::vector<std::string> HaproxyEnvironment();

/// Returns when exec has succeeded. Errors: kUnavailable, with the step that failed.
[[nodiscard]] Result<pid_t> StartChild(const ChildPlan& plan);

}  // namespace swarmgate::proxy
