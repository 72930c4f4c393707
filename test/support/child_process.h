// Processes that a test starts, watches and ends, by their ids and nothing else.
#ifndef SWARMGATE_TEST_SUPPORT_CHILD_PROCESS_H_
#define SWARMGATE_TEST_SUPPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace swarmgate::testing {

struct ChildOptions {
  std::vector<std::string> argv;
  /// Added to (or replacing) what this process has.
  std::vector<std::pair<std::string, std::string>> environment;
  /// Path of the network namespace to run in; empty: the caller's.
  std::string network;
  /// Where standard output and error go; empty: a file of its own.
  std::string output_file;
  /// What the process reads; empty: /dev/null.
  std::string input;
  /// Instead of `input`: a pipe that Write() fills and that ends with this object.
  bool input_pipe = false;
};

/// A child in a process group of its own. The destructor ends it.
class ChildProcess {
 public:
  /// Throws std::runtime_error when it cannot be started at all; a program that
  /// does not exist ends with exit code 127.
  explicit ChildProcess(const ChildOptions& options);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  bool Running();
  /// Exit code, or 128 + signal, once it has ended within `limit`.
  std::optional<int> Wait(std::chrono::milliseconds limit);
  void Signal(int signal);
  /// SIGTERM, and SIGKILL to the whole group when it still runs after `limit`.
  /// The exit code, as Wait().
  int Terminate(std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// SIGKILL to this one process, reaped.
  void Kill();

  /// REQUIRES: input_pipe. False when the process does not read any more.
  bool Write(const std::string& text);

  /// Everything that it has printed so far.
  [[nodiscard]] std::string Output() const;
  /// The last lines of Output(), for the message of a failed test.
  [[nodiscard]] std::string Tail(size_t lines = 40) const;
  /// True as soon as Output() contains `text`.
  bool WaitForOutput(const std::string& text, std::chrono::milliseconds limit);

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::optional<int> exit_code_;
  std::string output_file_;
};

struct CommandResult {
  int exit_code = -1;
  std::string output;  // standard output and error
};

/// Runs a command to its end; it is killed after `limit` (exit code 137).
CommandResult RunCommand(const ChildOptions& options,
                         std::chrono::milliseconds limit = std::chrono::seconds(30));

/// Whether a program of this name is in PATH.
bool HaveProgram(const std::string& name);

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_CHILD_PROCESS_H_
