#include "support/test_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace swarmgate::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kRoot[] = "/tmp/swarmgate-test";

std::atomic<int> g_serial{0};

bool IsNumber(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return pids;
  while (const dirent* entry = readdir(proc)) {
    if (IsNumber(entry->d_name)) pids.push_back(static_cast<pid_t>(atoi(entry->d_name)));
  }
  closedir(proc);
  return pids;
}

/// Field 22 of /proc/<pid>/stat: with the id it names a process for ever, where
/// the id alone may have been given to another one since.
std::string StartTime(pid_t pid) {
  const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  const size_t after_name = stat.rfind(')');
  if (after_name == std::string::npos) return {};
  std::istringstream fields(stat.substr(after_name + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return field;
}

bool IsZombie(pid_t pid) {
  const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  const size_t after_name = stat.rfind(')');
  return after_name == std::string::npos || stat.compare(after_name, 3, ") Z") == 0;
}

std::string Identity(pid_t pid) { return std::to_string(pid) + " " + StartTime(pid); }

std::string GroupOf(const fs::path& dir) { return "swarmgate-test-" + dir.filename().string(); }

bool OwnerIsAlive(const fs::path& dir) {
  const std::string owner = ReadFile(dir / "owner");
  const auto pid = static_cast<pid_t>(atoi(owner.c_str()));
  return pid > 0 && Identity(pid) == owner;
}

void RemoveTree(const fs::path& dir) {
  std::error_code ignored;
  fs::remove_all(dir, ignored);
}

void RemoveDeadPrograms() {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot, error)) {
    if (OwnerIsAlive(entry.path())) continue;
    // A folder that is just being made has no owner yet.
    struct stat info {};
    if (!fs::exists(entry.path() / "owner") && stat(entry.path().c_str(), &info) == 0 &&
        time(nullptr) - info.st_mtime < 60) {
      continue;
    }
    KillProcessesOf(entry.path());
    RemoveControlGroups(GroupOf(entry.path()));
    RemoveTree(entry.path());
  }
}

class Program {
 public:
  Program() {
    fs::create_directories(kRoot);
    RemoveDeadPrograms();
    dir_ = std::string(kRoot) + "/" + std::to_string(getpid());
    RemoveTree(dir_);
    fs::create_directories(dir_);
    // Readable for the unprivileged user that a proxy under test runs as.
    chmod(dir_.c_str(), 0755);
    WriteFile(dir_ + "/owner", Identity(getpid()));
    owner_ = getpid();
  }
  ~Program() {
    if (getpid() != owner_ || getenv("SWARMGATE_TEST_KEEP") != nullptr) return;
    KillProcessesOf(dir_);
    RemoveControlGroups(GroupOf(dir_));
    RemoveTree(dir_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] const std::string& dir() const { return dir_; }

 private:
  std::string dir_;
  pid_t owner_ = 0;
};

bool Mentions(pid_t pid, const std::string& path) {
  const std::string proc = "/proc/" + std::to_string(pid);
  for (const char* file : {"/cmdline", "/environ"}) {
    const std::string text = ReadFile(proc + file);
    for (size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
      // /tmp/x/12 is not mentioned by /tmp/x/123.
      const size_t end = at + path.size();
      if (end == text.size() || std::isalnum(static_cast<unsigned char>(text[end])) == 0)
        return true;
    }
  }
  return false;
}

}  // namespace

const std::string& ProgramDir() {
  static const Program program;
  return program.dir();
}

std::string ControlGroupName() { return GroupOf(ProgramDir()); }

TempDir::TempDir(const std::string& name)
    : path_(ProgramDir() + "/" + name + "-" + std::to_string(++g_serial)) {
  fs::create_directories(path_);
}

TempDir::~TempDir() {
  if (!keep_ && getenv("SWARMGATE_TEST_KEEP") == nullptr) RemoveTree(path_);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  // A process that ends between opening and reading its file under /proc makes the buffer throw;
  // the stream's own functions turn that into a state.
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

std::vector<pid_t> ProcessesOf(const std::string& path) {
  std::vector<pid_t> found;
  for (pid_t pid : AllProcesses()) {
    if (pid != getpid() && !IsZombie(pid) && Mentions(pid, path)) found.push_back(pid);
  }
  return found;
}

void KillProcessesOf(const std::string& path) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (std::vector<pid_t> pids = ProcessesOf(path); !pids.empty(); pids = ProcessesOf(path)) {
    for (pid_t pid : pids) kill(pid, SIGKILL);
    if (std::chrono::steady_clock::now() > deadline) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::string CommandLineOf(pid_t pid) {
  std::string text = ReadFile("/proc/" + std::to_string(pid) + "/cmdline");
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  for (pid_t candidate : AllProcesses()) {
    const std::string stat = ReadFile("/proc/" + std::to_string(candidate) + "/stat");
    const size_t after_name = stat.rfind(')');
    if (after_name == std::string::npos || after_name + 4 >= stat.size()) continue;
    if (atoi(stat.c_str() + after_name + 4) == pid) children.push_back(candidate);
  }
  return children;
}

void RemoveControlGroups(const std::string& name) {
  std::error_code error;
  std::vector<fs::path> roots{"/sys/fs/cgroup"};
  for (const fs::directory_entry& entry : fs::directory_iterator("/sys/fs/cgroup", error)) {
    if (entry.is_directory(error)) roots.push_back(entry.path());
  }
  for (const fs::path& root : roots) {
    const fs::path group = root / name;
    if (!fs::is_directory(group, error)) continue;
    std::vector<fs::path> groups{group};
    for (const auto& entry : fs::recursive_directory_iterator(group, error)) {
      if (entry.is_directory(error)) groups.push_back(entry.path());
    }
    // Innermost first: the kernel removes only groups without children.
    std::reverse(groups.begin(), groups.end());
    std::sort(groups.begin(), groups.end(), [](const fs::path& a, const fs::path& b) {
      return std::distance(a.begin(), a.end()) > std::distance(b.begin(), b.end());
    });
    for (const fs::path& path : groups) rmdir(path.c_str());
  }
}

}  // namespace swarmgate::testing
