#include "cluster/proxy_image.h"

#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "cluster/hub.h"
#include "support/child_process.h"
#include "support/paths.h"

namespace swarmgate::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kHaproxy[] = "/usr/sbin/haproxy";

void CopyInto(const std::string& root, const std::string& file) {
  const std::string target = root + file;
  fs::create_directories(fs::path(target).parent_path());
  fs::copy_file(file, target, fs::copy_options::skip_existing);
}

/// The program, and every library that the loader would look for.
void CopyProgram(const std::string& root, const std::string& program, const std::string& as) {
  fs::create_directories(fs::path(root + as).parent_path());
  // Debug information is nine tenths of it.
  RunIn("", {"strip", "-o", root + as, program});
  std::istringstream lines(RunIn("", {"ldd", program}));
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find('/');
    if (begin == std::string::npos) continue;
    CopyInto(root, line.substr(begin, line.find(' ', begin) - begin));
  }
}

/// What the last stage of the Dockerfile says of how the program is run. (An import takes no
/// STOPSIGNAL; it is the default one.)
std::vector<std::string> SettingsOfDockerfile() {
  std::vector<std::string> settings;
  std::istringstream lines(ReadFile(SourcePath("Dockerfile")));
  for (std::string line; std::getline(lines, line);) {
    const std::string word = line.substr(0, line.find(' '));
    if (word == "FROM") settings.clear();
    for (const char* known : {"ENV", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}) {
      if (word == known) settings.push_back(line);
    }
  }
  return settings;
}

}  // namespace

std::string ProxyImage::WhyNot() {
  for (const char* program : {"strip", "ldd", "tar"}) {
    if (!HaveProgram(program)) return std::string(program) + " is not installed";
  }
  return fs::exists(kHaproxy) ? "" : std::string("there is no ") + kHaproxy;
}

ProxyImage::ProxyImage() : changes_(SettingsOfDockerfile()) {
  if (changes_.empty()) throw std::runtime_error("the Dockerfile has no settings");
  const std::string root = dir_.File("root");
  CopyProgram(root, SwarmgateBinary(), "/usr/local/bin/swarmgate");
  CopyProgram(root, kHaproxy, kHaproxy);
  for (const char* folder : {"/tmp", "/run", "/proc", "/sys", "/dev", "/etc", "/var", "/certs"}) {
    fs::create_directories(root + folder);
  }
  fs::create_directory_symlink("/run", root + "/var/run");
  WriteFile(root + "/etc/passwd", "root:x:0:0::/:\nhaproxy:x:101:101::/:\n");
  WriteFile(root + "/etc/group", "root:x:0:\nhaproxy:x:101:\n");
  RunIn("", {"tar", "-C", root, "-cf", archive(), "."});
  fs::remove_all(root);
  changes_.emplace_back("ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin");
}

}  // namespace swarmgate::testing
