// The one place on the machine where tests leave anything.
//
// Every test program gets a folder of its own under /tmp/swarmgate-test, marked
// with its process id. A program that was killed cannot clean up after itself;
// the next one does it: processes that belong to the folder are ended by their
// ids, control groups and files are removed. Nothing that was not started by a
// test of this project is ever touched.
#ifndef SWARMGATE_TEST_SUPPORT_TEST_ROOT_H_
#define SWARMGATE_TEST_SUPPORT_TEST_ROOT_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace swarmgate::testing {

/// The environment variable that marks every process that a test starts; its
/// value is the folder of the test program.
inline constexpr char kOwnerVariable[] = "SWARMGATE_TEST_OWNER";

/// The folder of this test program, made at the first call (which also removes
/// what dead test programs left behind) and removed when the program ends.
/// Thread: any.
const std::string& ProgramDir();

/// The name of the control group that belongs to this program's containers.
std::string ControlGroupName();

/// A folder below ProgramDir() that is removed with the object.
class TempDir {
 public:
  /// `name` only makes the path easier to recognise.
  explicit TempDir(const std::string& name = "dir");
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The path of `name` in this folder.
  [[nodiscard]] std::string File(const std::string& name) const { return path_ + "/" + name; }
  /// Leaves the folder in place when the program goes on (it still goes with
  /// the program's folder).
  void Keep() { keep_ = true; }

 private:
  std::string path_;
  bool keep_ = false;
};

/// The whole content; empty when there is no such file.
std::string ReadFile(const std::string& path);

/// Replaces the file. Throws std::runtime_error when that is impossible.
void WriteFile(const std::string& path, const std::string& content);

/// Running processes whose command line or SWARMGATE_TEST_OWNER mentions
/// `path`: with the folder of a test, all the processes that it started,
/// wherever they were reparented. Never contains the caller.
std::vector<pid_t> ProcessesOf(const std::string& path);

/// Sends SIGKILL to every process of ProcessesOf(path) until none is left
/// or five seconds have passed.
void KillProcessesOf(const std::string& path);

/// The command line of a process with blanks between the words; empty when it
/// does not run.
std::string CommandLineOf(pid_t pid);

/// The direct children of a process.
std::vector<pid_t> ChildrenOf(pid_t pid);

/// Removes the (empty) control groups called `name` in every hierarchy.
void RemoveControlGroups(const std::string& name);

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_TEST_ROOT_H_
