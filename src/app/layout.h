// Where an instance keeps its things below DATA_DIR, and the checks that are made before anything
// is started: may we write there, may HAProxy's user read there, does another instance work there,
// are the ports free.
#pragma once

#include <string>

#include "swarmgate/app/options.h"
#include "swarmgate/base/error.h"

namespace swarmgate::app {

struct Layout {
  std::string data_dir;
  std::string state_dir;        ///< <data>/state: the store and the cookie key; ours alone
  std::string files_dir;        ///< <data>/haproxy: conf/ and maps/, read by HAProxy's user
  std::string run_dir;          ///< sockets
  std::string lock;             ///< held by the supervisor
  std::string controller_lock;  ///< held by the controller
};

[[nodiscard]] Layout LayoutOf(const Options& options);

/// Creates what is missing, with the modes that keep secrets ours and configuration readable by
/// HAProxy's user. Errors: kUnavailable, kInvalidArgument (a directory on the way that HAProxy's
/// user cannot enter), kNotFound (user).
[[nodiscard]] Status PrepareLayout(const Layout& layout, const Options& options);

/// A lock that ends with its holder.
class FileLock {
 public:
  /// Waits until `deadline` while another process holds it. Errors: kConflict, with the holder's
  /// pid where it is known; kUnavailable.
  [[nodiscard]] static Result<FileLock> Take(const std::string& path, SteadyTime deadline);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

/// Is this port free for listening? HAProxy itself would share it with another HAProxy of the same
/// user (SO_REUSEPORT), and each would get a part of the requests. Errors: kConflict, kRejected
/// (not allowed), kInvalidArgument (not an address of this machine).
[[nodiscard]] Status CheckBindable(const haproxy::Bind& bind);

/// What this instance is called among replicas, made once: "<host name>-<8 hex digits>". A copy of
/// the directory on another machine is another one. Errors: kUnavailable.
[[nodiscard]] Result<std::string> LoadInstanceId(const Layout& layout, const std::string& host);

/// The secret behind sticky cookies: 32 hex digits, made once. Errors: kUnavailable.
[[nodiscard]] Result<std::string> LoadCookieKey(const Layout& layout);

}  // namespace swarmgate::app
