#include "proxy/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "proxy/child.h"
#include "proxy/unix_exchange.h"

namespace swarmgate::proxy {
namespace {

constexpr std::size_t kMaxOutput = 65536;

Result<pid_t> Spawn(const std::vector<std::string>& argv, int output) {
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> entries = HaproxyEnvironment();
  std::vector<char*> environment;
  environment.reserve(entries.size() + 1);
  for (std::string& entry : entries) environment.push_back(entry.data());
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT || error == EACCES)
    return Fail(Code::kNotFound, std::strerror(error), argv[0]);
  if (error != 0) return Fail(Code::kUnavailable, std::strerror(error), argv[0]);
  return pid;
}

/// Reads until the child closes its end.
Status Drain(int fd, SteadyTime deadline, int cancel, std::string& output) {
  std::array<char, 8192> buffer{};
  for (;;) {
    std::array<pollfd, 2> fds = {{{fd, POLLIN, 0}, {cancel, POLLIN, 0}}};
    const int ready = poll(fds.data(), cancel >= 0 ? 2 : 1, PollTimeout(deadline));
    if (ready < 0 && errno != EINTR) return Fail(Code::kUnavailable, std::strerror(errno));
    if (cancel >= 0 && fds[1].revents != 0) return Fail(Code::kCancelled, "stopped");
    if (ready > 0 && fds[0].revents != 0) {
      const ssize_t got = read(fd, buffer.data(), buffer.size());
      if (got == 0) return Ok();
      if (got < 0 && errno != EINTR) return Fail(Code::kUnavailable, std::strerror(errno));
      if (got > 0) output.append(buffer.data(), static_cast<std::size_t>(got));
      if (output.size() > 2 * kMaxOutput) output.erase(0, output.size() - kMaxOutput);
    } else if (std::chrono::steady_clock::now() >= deadline) {
      return Fail(Code::kDeadlineExceeded, "did not end in time");
    }
  }
}

}  // namespace

Result<CommandResult> RunCommand(const std::vector<std::string>& argv, SteadyTime deadline,
                                 int cancel) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(Code::kUnavailable, std::strerror(errno));
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const Result<pid_t> pid = Spawn(argv, writer.get());
  writer.Reset();
  if (!pid) return Forward(pid.error());

  CommandResult result;
  const Status drained = Drain(reader.get(), deadline, cancel, result.output);
  if (!drained) kill(*pid, SIGKILL);
  int status = 0;
  pid_t waited = 0;
  do {
    waited = waitpid(*pid, &status, 0);
  } while (waited < 0 && errno == EINTR);
  if (!drained) return Forward(drained.error(), argv[0]);
  if (waited != *pid) return Fail(Code::kUnavailable, "its exit status is lost", argv[0]);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (result.output.size() > kMaxOutput) {
    result.output.erase(0, result.output.size() - kMaxOutput);
  }
  return result;
}

}  // namespace swarmgate::proxy
