#include "proxy/child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "proxy/unix_exchange.h"

namespace swarmgate::proxy {
namespace {

/// What the child reports when it could not become HAProxy.
struct Failure {
  int error = 0;
  char step[24] = {};
};

// From here to exec only functions that are safe after fork.

[[noreturn]] void Report(int pipe, const char* step) {
  Failure failure;
  failure.error = errno;
  std::strncpy(failure.step, step, sizeof failure.step - 1);
  (void)!write(pipe, &failure, sizeof failure);
  _exit(127);
}

/// Of all that root may do only the right to bind ports below 1024 is left, and it stays left over
/// reloads.
void BecomeUser(const UserIds& user, int pipe) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) Report(pipe, "PR_SET_KEEPCAPS");
  // The C library's wrappers would tell the other threads, which do not exist here.
  if (syscall(SYS_setgroups, user.groups.size(), user.groups.data()) != 0)
    Report(pipe, "setgroups");
  if (syscall(SYS_setresgid, user.gid, user.gid, user.gid) != 0) Report(pipe, "setresgid");
  if (syscall(SYS_setresuid, user.uid, user.uid, user.uid) != 0) Report(pipe, "setresuid");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  constexpr std::uint32_t kBind = 1U << CAP_NET_BIND_SERVICE;
  data[0] = {kBind, kBind, kBind};
  // A container may have been started without this right: then ports below 1024 need the sysctl,
  // and HAProxy says so.
  if (syscall(SYS_capset, &header, data.data()) != 0 ||
      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) != 0) {
    data[0] = {0, 0, 0};
    if (syscall(SYS_capset, &header, data.data()) != 0) Report(pipe, "capset");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Report(pipe, "PR_SET_NO_NEW_PRIVS");
}

[[noreturn]] void Child(const ChildPlan& plan, int pipe) {
  if (setsid() < 0) Report(pipe, "setsid");
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) (void)std::signal(signal, SIG_DFL);
  }
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) Report(pipe, "/dev/null");
  if (dup2(plan.output, STDOUT_FILENO) < 0 || dup2(plan.output, STDERR_FILENO) < 0) {
    Report(pipe, "dup2");
  }
  if (pipe != 3 && dup2(pipe, 3) < 0) Report(pipe, "dup2");
  pipe = 3;
  (void)fcntl(pipe, F_SETFD, FD_CLOEXEC);
  if (syscall(SYS_close_range, 4U, ~0U, 0U) != 0) {
    for (int fd = 4; fd < 65536; ++fd) (void)close(fd);  // a kernel before 5.9
  }
  const rlimit limit{plan.open_files, plan.open_files};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) Report(pipe, "RLIMIT_NOFILE");
  (void)umask(077);
  if (plan.user != nullptr) BecomeUser(*plan.user, pipe);
  if (chdir(plan.directory) != 0) Report(pipe, "chdir");
  execve(plan.argv[0], plan.argv.data(), plan.environment.data());
  Report(pipe, "exec");
}

}  // namespace

std::vector<std::string> HaproxyEnvironment() {
  std::vector<std::string> entries;
  for (const char* name : {"PATH", "TZ", "LANG", "HOSTNAME"}) {
    const char* value = getenv(name);
    if (value != nullptr) entries.push_back(std::string(name) + "=" + value);
  }
  return entries;
}

Result<pid_t> StartChild(const ChildPlan& plan) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(Code::kUnavailable, std::strerror(errno));
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return Fail(Code::kUnavailable, std::strerror(errno), "fork");
  if (pid == 0) Child(plan, writer.get());
  writer.Reset();

  Failure failure;
  ssize_t got = 0;
  do {
    got = read(reader.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return pid;  // exec closed the pipe
  (void)waitpid(pid, nullptr, 0);
  failure.step[sizeof failure.step - 1] = '\0';
  return Fail(Code::kUnavailable, std::strerror(failure.error),
              std::string("starting ") + plan.argv[0] + ": " + failure.step);
}

}  // namespace swarmgate::proxy
