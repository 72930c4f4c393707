// Starting, finding and stopping the HAProxy master: what the supervisor needs, and nothing of the
// controller. Nothing here keeps state or starts threads; HAProxy does not notice when the process
// that started it dies.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/haproxy/image.h"

namespace swarmgate::proxy {

/// An account of the machine, with its supplementary groups.
struct UserIds {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};
/// Errors: kNotFound.
[[nodiscard]] Result<UserIds> LookupUser(const std::string& name);

/// How to start HAProxy.
struct HaproxyCommand {
  std::string binary = "haproxy";  ///< a path, or a name that is looked up in PATH
  std::string files_dir;           ///< as haproxy::Settings
  std::string run_dir;             ///< as haproxy::Settings; must exist (PrepareRunDir)
  /// Runs as this user, with nothing but the right to bind ports below 1024 (ambient
  /// CAP_NET_BIND_SERVICE) and with no_new_privs. Only root can ask for it. Absent: as the caller.
  std::optional<std::string> user;
  std::uint64_t max_open_files = 0;  ///< 0: the hard limit, but at most 262,144
};

/// "<binary> -W -S <run>/master.sock,… -f <files>/conf": pure.
[[nodiscard]] std::vector<std::string> HaproxyArguments(const HaproxyCommand& command);

/// Where the sockets and HAProxy's own output are.
[[nodiscard]] std::string RuntimeSocket(const std::string& run_dir);  ///< <run_dir>/runtime.sock
[[nodiscard]] std::string MasterSocket(const std::string& run_dir);   ///< <run_dir>/master.sock
[[nodiscard]] std::string HaproxyLog(const std::string& run_dir);     ///< <run_dir>/haproxy.log

/// Creates the directory, or corrects it: mode 0700, owned by `user` when one is given (root may
/// enter anyway). Errors: kUnavailable; kInvalidArgument when the path is too long for a unix
/// socket.
[[nodiscard]] Status PrepareRunDir(const std::string& run_dir,
                                   const std::optional<std::string>& user);

/// Starts the master in a session of its own and returns its pid as soon as the program was
/// executed; it serves when HaproxyAnswers. It inherits no descriptor; its output goes to
/// HaproxyLog (a file, so that no pipe can break), which is started anew when it is larger than 1
/// MiB. With a broken configuration the master ends by itself: HaproxyLogTail says why. Errors:
/// kNotFound (binary, user), kInvalidArgument (a user without being root), kUnavailable, kInternal.
[[nodiscard]] Result<pid_t> StartHaproxy(const HaproxyCommand& command);

/// The last lines of HAProxy's output, printable, at most `limit` bytes; empty when there are none.
[[nodiscard]] std::string HaproxyLogTail(const std::string& run_dir, std::size_t limit = 2000);

/// Runs `<binary> -v`. Errors: kNotFound, kRejected (too old), kCorrupt, kDeadlineExceeded.
[[nodiscard]] Result<haproxy::Version> ProbeVersion(const std::string& binary, SteadyTime deadline);

/// Does a worker answer on the runtime socket? Takes up to a second when it hangs.
[[nodiscard]] bool HaproxyAnswers(const std::string& run_dir);

/// The master that listens on the master socket, for adoption and for the signals below.
/// Errors: kUnavailable when none does.
[[nodiscard]] Result<pid_t> FindMaster(const std::string& run_dir);

/// SIGUSR1: stop listening, end requests in flight, then end. SIGTERM: end now. Errors: kNotFound
/// (gone).
[[nodiscard]] Status SoftStopHaproxy(pid_t master);
[[nodiscard]] Status HardStopHaproxy(pid_t master);

/// True when the process is gone (reaps it when it is our child and ended). Never blocks.
[[nodiscard]] bool HaproxyEnded(pid_t master);

/// Soft stop; from `graceful_until` on a hard stop, and SIGKILL shortly before `deadline`; waits
/// until it has ended. Errors: kDeadlineExceeded.
[[nodiscard]] Status StopHaproxy(pid_t master, SteadyTime graceful_until, SteadyTime deadline);

}  // namespace swarmgate::proxy
