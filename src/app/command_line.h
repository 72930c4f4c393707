// The arguments of the client commands: the same few flags everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/error.h"

namespace swarmgate::app {

struct CommandLine {
  std::vector<std::string> words;  ///< what is no flag
  std::string address;             ///< of the admin API, "http://127.0.0.1:8080"
  std::string token;
  std::string prefix = "com.df.";            ///< --label-prefix, for lint
  bool allow_raw_config = false;             ///< --allow-raw-config, for lint
  std::string templates_path = "/cfg/tmpl";  ///< --templates-path, for lint
  bool json = false;
  bool help = false;
  bool follow = false;
  bool ready = false;  ///< --ready, for health
  std::uint64_t after = 0;
};

/// Pure. Address and token come from flags, else from the environment (SWARMGATE_ADDRESS, or IP and
/// PORT as `run` understands them; ADMIN_TOKEN), and what lint has to know of the proxy from
/// LABEL_PREFIX, ALLOW_RAW_CONFIG, TEMPLATES_PATH. Errors: kInvalidArgument.
[[nodiscard]] Result<CommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments,
    const std::map<std::string, std::string>& environment);

}  // namespace swarmgate::app
