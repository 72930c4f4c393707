#include "support/child_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "support/test_root.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

std::atomic<int> g_serial{0};

std::vector<std::string> MergedEnvironment(const ChildOptions& options) {
  std::vector<std::pair<std::string, std::string>> added = options.environment;
  added.emplace_back(kOwnerVariable, ProgramDir());
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& pair : added) replaced = replaced || pair.first == name;
    if (!replaced) merged.push_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& text : *strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Only system calls: the parent may have threads.
[[noreturn]] void BecomeChild(char** argv, char** envp, const char* network, int input,
                              int output) {
  setpgid(0, 0);
  if (*network != '\0') {
    const int fd = open(network, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) _exit(126);
  }
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  execvpe(argv[0], argv, envp);
  _exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const ChildOptions& options) : output_file_(options.output_file) {
  if (output_file_.empty()) {
    output_file_ = ProgramDir() + "/output-" + std::to_string(++g_serial);
  }
  std::string input_file = "/dev/null";
  if (!options.input.empty()) {
    input_file = output_file_ + ".in";
    WriteFile(input_file, options.input);
  }
  std::vector<std::string> argv_strings = options.argv;
  std::vector<std::string> env_strings = MergedEnvironment(options);
  std::vector<char*> argv = Pointers(&argv_strings);
  std::vector<char*> envp = Pointers(&env_strings);
  int pipe_ends[2] = {-1, -1};
  if (options.input_pipe && pipe2(pipe_ends, O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  input_ = pipe_ends[1];
  const int input =
      options.input_pipe ? pipe_ends[0] : open(input_file.c_str(), O_RDONLY | O_CLOEXEC);
  const int output = open(output_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (input < 0 || output < 0) throw std::runtime_error("cannot open " + output_file_);
  pid_ = fork();
  if (pid_ == 0) BecomeChild(argv.data(), envp.data(), options.network.c_str(), input, output);
  const int error = errno;
  close(input);
  close(output);
  if (pid_ < 0) throw std::system_error(error, std::generic_category(), "fork");
  // In the parent too, so that the group exists before anybody signals it.
  setpgid(pid_, pid_);
}

ChildProcess::~ChildProcess() {
  if (input_ >= 0) close(input_);
  Terminate();
}

bool ChildProcess::Write(const std::string& text) {
  return Running() && write(input_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool ChildProcess::Running() { return !Wait(std::chrono::milliseconds(0)).has_value(); }

std::optional<int> ChildProcess::Wait(std::chrono::milliseconds limit) {
  WaitUntil(
      [this] {
        if (exit_code_.has_value()) return true;
        int status = 0;
        const pid_t result = waitpid(pid_, &status, WNOHANG);
        if (result == pid_) {
          exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        } else if (result < 0 && errno == ECHILD) {
          exit_code_ = -1;
        }
        return exit_code_.has_value();
      },
      limit, std::chrono::milliseconds(2));
  return exit_code_;
}

void ChildProcess::Signal(int signal) {
  if (Running()) kill(pid_, signal);
}

int ChildProcess::Terminate(std::chrono::milliseconds limit) {
  Signal(SIGTERM);
  if (!Wait(limit).has_value()) {
    kill(-pid_, SIGKILL);
    Wait(std::chrono::seconds(10));
  }
  return exit_code_.value_or(-1);
}

void ChildProcess::Kill() {
  Signal(SIGKILL);
  Wait(std::chrono::seconds(10));
}

std::string ChildProcess::Output() const { return ReadFile(output_file_); }

std::string ChildProcess::Tail(size_t lines) const {
  const std::string output = Output();
  size_t at = output.size();
  for (size_t i = 0; i <= lines && at != std::string::npos && at > 0; ++i) {
    at = output.rfind('\n', at - 1);
  }
  return at == std::string::npos ? output : output.substr(at);
}

bool ChildProcess::WaitForOutput(const std::string& text, std::chrono::milliseconds limit) {
  return WaitUntil([&] { return Output().find(text) != std::string::npos; }, limit);
}

CommandResult RunCommand(const ChildOptions& options, std::chrono::milliseconds limit) {
  ChildProcess child(options);
  if (!child.Wait(limit).has_value()) child.Kill();
  return {child.Wait(std::chrono::milliseconds(0)).value_or(-1), child.Output()};
}

bool HaveProgram(const std::string& name) {
  const char* path = getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace swarmgate::testing
