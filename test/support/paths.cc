#include "support/paths.h"

#include <cstdlib>
#include <filesystem>

namespace swarmgate::testing {

std::string SourcePath(std::string_view relative) {
  return std::string(SWARMGATE_SOURCE_DIR "/").append(relative);
}

std::string BuildDir() {
  // Programs stand in <build>/test or <build>/bench.
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
}

std::string SwarmgateBinary() {
  const char* binary = getenv("SWARMGATE_BINARY");
  return binary != nullptr ? binary : BuildDir() + "/swarmgate";
}

std::string EchoServerBinary() { return BuildDir() + "/test/echo_server"; }

std::string SandboxBinary() { return BuildDir() + "/test/sandbox"; }

}  // namespace swarmgate::testing
