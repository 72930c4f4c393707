#include "swarmgate/proxy/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "proxy/child.h"
#include "proxy/master.h"
#include "proxy/run_command.h"
#include "proxy/unix_exchange.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::proxy {
namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t kMaxOpenFiles = 262'144;
constexpr off_t kMaxOldLog = 1 << 20;
/// HAProxy binds "<path>.<pid>.tmp" first.
constexpr std::size_t kSocketNameReserve = sizeof("/runtime.sock.1234567.tmp");

tl::unexpected<Error> SystemError(const std::string& what) {
  return Fail(Code::kUnavailable, std::strerror(errno), what);
}

Result<std::string> FindBinary(const std::string& binary) {
  if (binary.find('/') != std::string::npos) {
    if (access(binary.c_str(), X_OK) == 0) return binary;
    return Fail(Code::kNotFound, "no program " + Printable(binary));
  }
  // Debian keeps it in /usr/sbin, which is not in every PATH.
  const char* path = getenv("PATH");
  const std::string folders =
      std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin:/sbin";
  for (const std::string_view folder : Split(folders, ':')) {
    if (folder.empty()) continue;
    std::string candidate = std::string(folder) + "/" + binary;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return Fail(Code::kNotFound, "no program " + Printable(binary) + " in PATH");
}

Result<Fd> OpenLog(const std::string& path) {
  struct stat info {};
  const bool large = stat(path.c_str(), &info) == 0 && info.st_size > kMaxOldLog;
  Fd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (large ? O_TRUNC : 0), 0600));
  if (!fd.valid()) return SystemError(path);
  return fd;
}

Result<rlim_t> OpenFiles(std::uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return SystemError("RLIMIT_NOFILE");
  // HAProxy allocates in proportion to the limit, and some container engines set it to a thousand
  // million.
  return std::min<rlim_t>(limit.rlim_max, wanted != 0 ? wanted : kMaxOpenFiles);
}

}  // namespace

Result<UserIds> LookupUser(const std::string& name) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return Fail(Code::kNotFound, "no user " + Printable(name));
  }
  UserIds ids{entry.pw_uid, entry.pw_gid, {}};
  int count = 64;
  ids.groups.resize(64);
  if (getgrouplist(name.c_str(), entry.pw_gid, ids.groups.data(), &count) < 0) {
    return Fail(Code::kInternal, "user " + Printable(name) + " has more than 64 groups");
  }
  ids.groups.resize(static_cast<std::size_t>(count));
  return ids;
}

std::string RuntimeSocket(const std::string& run_dir) { return run_dir + "/runtime.sock"; }
std::string MasterSocket(const std::string& run_dir) { return run_dir + "/master.sock"; }
std::string HaproxyLog(const std::string& run_dir) { return run_dir + "/haproxy.log"; }

std::vector<std::string> HaproxyArguments(const HaproxyCommand& command) {
  return {command.binary, "-W",
          "-S",           MasterSocket(command.run_dir) + ",mode,600,level,admin",
          "-f",           command.files_dir + "/conf"};
}

Status PrepareRunDir(const std::string& run_dir, const std::optional<std::string>& user) {
  if (run_dir.size() + kSocketNameReserve > sizeof(sockaddr_un{}.sun_path)) {
    return Fail(Code::kInvalidArgument, "the path is too long for unix sockets: " + run_dir);
  }
  if (run_dir.find(',') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "HAProxy cannot take a ',' in this path: " + run_dir);
  }
  for (std::size_t at = run_dir.find('/', 1); at != std::string::npos;
       at = run_dir.find('/', at + 1)) {
    if (mkdir(run_dir.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST) {
      return SystemError(run_dir.substr(0, at));
    }
  }
  if (mkdir(run_dir.c_str(), 0700) != 0 && errno != EEXIST) return SystemError(run_dir);
  if (chmod(run_dir.c_str(), 0700) != 0) return SystemError(run_dir);
  if (!user) return Ok();
  const auto ids = LookupUser(*user);
  if (!ids) return Forward(ids.error());
  if (chown(run_dir.c_str(), ids->uid, ids->gid) != 0) return SystemError(run_dir);
  return Ok();
}

Result<pid_t> StartHaproxy(const HaproxyCommand& command) {
  if (command.user && geteuid() != 0) {
    return Fail(Code::kInvalidArgument, "only root can start HAProxy as another user");
  }
  const auto binary = FindBinary(command.binary);
  if (!binary) return Forward(binary.error());
  std::vector<std::string> arguments = HaproxyArguments(command);
  arguments.front() = *binary;

  ChildPlan plan;
  for (std::string& argument : arguments) plan.argv.push_back(argument.data());
  plan.argv.push_back(nullptr);
  std::vector<std::string> environment = HaproxyEnvironment();
  for (std::string& entry : environment) plan.environment.push_back(entry.data());
  plan.environment.push_back(nullptr);
  plan.directory = command.files_dir.c_str();
  std::optional<UserIds> ids;
  if (command.user) {
    auto found = LookupUser(*command.user);
    if (!found) return Forward(found.error());
    ids = std::move(*found);
    plan.user = &*ids;
  }
  const auto files = OpenFiles(command.max_open_files);
  if (!files) return Forward(files.error());
  plan.open_files = *files;
  const auto log = OpenLog(HaproxyLog(command.run_dir));
  if (!log) return Forward(log.error());
  plan.output = log->get();
  return StartChild(plan);
}

std::string HaproxyLogTail(const std::string& run_dir, std::size_t limit) {
  const Fd fd(open(HaproxyLog(run_dir).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return "";
  const off_t size = lseek(fd.get(), 0, SEEK_END);
  const auto wanted = static_cast<off_t>(limit);
  const off_t start = size > wanted ? size - wanted : 0;
  std::string text(limit, '\0');
  const ssize_t got = pread(fd.get(), text.data(), text.size(), start);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (start > 0) text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  std::string tail;
  for (const std::string_view line : Split(text, '\n')) {
    if (!line.empty()) tail += Printable(line, limit) + "\n";
  }
  return tail;
}

Result<haproxy::Version> ProbeVersion(const std::string& binary, SteadyTime deadline) {
  const auto path = FindBinary(binary);
  if (!path) return Forward(path.error());
  const auto result = RunCommand({*path, "-v"}, deadline);
  if (!result) return Forward(result.error(), *path + " -v");
  return haproxy::ParseVersion(result->output);
}

bool HaproxyAnswers(const std::string& run_dir) {
  const auto reply = Exchange(RuntimeSocket(run_dir), "show info\n",
                              steady_clock::now() + std::chrono::seconds(1), -1);
  return reply.has_value() && haproxy::ParsePid(*reply).has_value();
}

Result<pid_t> FindMaster(const std::string& run_dir) {
  const auto state =
      AskMaster(MasterSocket(run_dir), steady_clock::now() + std::chrono::seconds(1), -1);
  if (!state) return Fail(Code::kUnavailable, state.error().ToString());
  return static_cast<pid_t>(state->pid);
}

namespace {

Status Signal(pid_t master, int signal) {
  if (master > 1 && kill(master, signal) == 0) return Ok();
  return Fail(Code::kNotFound, "no process " + std::to_string(master));
}

}  // namespace

Status SoftStopHaproxy(pid_t master) { return Signal(master, SIGUSR1); }
Status HardStopHaproxy(pid_t master) { return Signal(master, SIGTERM); }

bool HaproxyEnded(pid_t master) {
  const pid_t reaped = waitpid(master, nullptr, WNOHANG);
  if (reaped == master) return true;
  return kill(master, 0) != 0 && errno == ESRCH;
}

Status StopHaproxy(pid_t master, SteadyTime graceful_until, SteadyTime deadline) {
  constexpr Duration kLastMoment{500};
  if (HaproxyEnded(master) || !SoftStopHaproxy(master)) return Ok();
  int stage = 0;
  while (!HaproxyEnded(master)) {
    const SteadyTime now = steady_clock::now();
    if (now >= deadline) {
      return Fail(Code::kDeadlineExceeded,
                  "HAProxy (pid " + std::to_string(master) + ") does not end");
    }
    // That it is gone by now is what we want.
    if (stage == 0 && now >= graceful_until) {
      stage = 1;
      (void)HardStopHaproxy(master);
    }
    if (stage == 1 && now + kLastMoment >= deadline) {
      stage = 2;
      (void)Signal(master, SIGKILL);
    }
    (void)Pause(Duration(5), deadline, -1);
  }
  return Ok();
}

}  // namespace swarmgate::proxy
