// ports::ConfigFiles on a directory: HAProxy's configuration and maps, replaced file by file
// without a moment in which one is missing or half written.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "swarmgate/ports/proxy_control.h"

namespace swarmgate::proxy {

struct ConfigFilesOptions {
  std::string files_dir;  ///< holds conf/, maps/ and, while a set is being checked, staged/
  std::optional<gid_t>
      reader;  ///< HAProxy's group: directories 0750, files 0640. Absent: only we, 0700 and 0600
};

/// Thread: the engine's owner thread only.
class DiskConfigFiles final : public ports::ConfigFiles {
 public:
  explicit DiskConfigFiles(ConfigFilesOptions options);

  Status Write(const haproxy::Files& changed, const std::vector<std::string>& removed) override;
  Result<haproxy::Files> Load() override;
  Result<std::string> Stage(const haproxy::Files& files) override;

 private:
  ConfigFilesOptions options_;
  bool swept_ = false;  ///< left-overs of a killed predecessor were removed
};

}  // namespace swarmgate::proxy
