#include "app/layout.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "swarmgate/base/strings.h"
#include "swarmgate/proxy/process.h"

namespace swarmgate::app {
namespace {

std::string ErrnoText() { return std::strerror(errno); }

/// Creates a directory and its parents; the last one gets `mode` only when it is new or `enforce`.
Status MakeDirectory(const std::string& path, mode_t mode, bool enforce) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return Fail(Code::kUnavailable, "cannot create " + path + ": " + error.message());
  if (mkdir(path.c_str(), mode) == 0 || enforce) {
    // mkdir's mode is subject to the umask.
    if (chmod(path.c_str(), mode) == 0) return Ok();
  } else if (errno == EEXIST) {
    struct stat info {};
    if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return Ok();
    return Fail(Code::kUnavailable, path + " is not a directory");
  }
  return Fail(Code::kUnavailable, "cannot create " + path + ": " + ErrnoText());
}

bool MayEnter(const struct stat& info, const proxy::UserIds& user) {
  if (user.uid == 0) return true;
  if (info.st_uid == user.uid) return (info.st_mode & S_IXUSR) != 0;
  const bool in_group = info.st_gid == user.gid || std::find(user.groups.begin(), user.groups.end(),
                                                             info.st_gid) != user.groups.end();
  if (in_group) return (info.st_mode & S_IXGRP) != 0;
  return (info.st_mode & S_IXOTH) != 0;
}

/// Can HAProxy's user walk down to `directory`?
Status CheckReachable(const std::string& directory, const std::string& user_name,
                      const char* option) {
  const auto user = proxy::LookupUser(user_name);
  if (!user) {
    return Fail(Code::kNotFound, "HAPROXY_USER=" + user_name +
                                     ": there is no such user; install HAProxy's package, or name "
                                     "an unprivileged user");
  }
  std::filesystem::path walked;
  for (const std::filesystem::path& part : std::filesystem::path(directory)) {
    walked /= part;
    struct stat info {};
    if (stat(walked.c_str(), &info) != 0) {
      return Fail(Code::kUnavailable, walked.string() + ": " + ErrnoText());
    }
    if (!MayEnter(info, *user)) {
      return Fail(Code::kInvalidArgument, std::string(option) + "=" + directory + ": user " +
                                              user_name + ", as which HAProxy runs, cannot enter " +
                                              walked.string() + "; choose another " + option +
                                              ", or chmod o+x " + walked.string());
    }
  }
  return Ok();
}

std::string ReadSmallFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return {};
  std::array<char, 128> buffer{};
  const ssize_t size = read(file, buffer.data(), buffer.size());
  close(file);
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

bool IsHex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Layout LayoutOf(const Options& options) {
  Layout layout;
  layout.data_dir = options.data_dir;
  layout.state_dir = options.data_dir + "/state";
  layout.files_dir = options.data_dir + "/haproxy";
  layout.run_dir = options.run_dir;
  layout.lock = options.data_dir + "/lock";
  layout.controller_lock = options.data_dir + "/controller.lock";
  return layout;
}

Status PrepareLayout(const Layout& layout, const Options& options) {
  const bool shared = options.haproxy_user.has_value();
  if (const Status made = MakeDirectory(layout.data_dir, shared ? 0711 : 0700, false); !made) {
    return Fail(made.error().code, "DATA_DIR=" + layout.data_dir + ": " + made.error().message);
  }
  if (access(layout.data_dir.c_str(), W_OK | X_OK) != 0) {
    return Fail(Code::kUnavailable, "DATA_DIR=" + layout.data_dir +
                                        ": not writable; choose another DATA_DIR (" + ErrnoText() +
                                        ")");
  }
  if (const Status made = MakeDirectory(layout.state_dir, 0700, true); !made) return made;
  if (const Status made = proxy::PrepareRunDir(layout.run_dir, options.haproxy_user); !made) {
    return Fail(made.error().code, "RUN_DIR=" + layout.run_dir + ": " + made.error().message);
  }
  if (!options.haproxy_user) return Ok();
  if (const Status good = CheckReachable(layout.data_dir, *options.haproxy_user, "DATA_DIR");
      !good) {
    return good;
  }
  return CheckReachable(layout.run_dir, *options.haproxy_user, "RUN_DIR");
}

Result<FileLock> FileLock::Take(const std::string& path, SteadyTime deadline) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return Fail(Code::kUnavailable, "cannot open " + path + ": " + ErrnoText());
  FileLock lock(file);
  while (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Fail(Code::kUnavailable, "cannot lock " + path + ": " + ErrnoText());
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      const std::string pid(Trim(ReadSmallFile(path)));
      return Fail(Code::kConflict,
                  ParseUint(pid, 1U << 30U) ? "held by process " + pid : "held by another process");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(file, 0) != 0 || pwrite(file, pid.data(), pid.size(), 0) < 0) {
    // Only a help for people: a full disk must not keep us from starting.
    errno = 0;
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status CheckBindable(const haproxy::Bind& bind) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  sockaddr* address = nullptr;
  socklen_t size = 0;
  const std::string text = bind.address == "*" ? "0.0.0.0" : bind.address;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(bind.port);
    address = reinterpret_cast<sockaddr*>(&v4);
    size = sizeof v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(bind.port);
    address = reinterpret_cast<sockaddr*>(&v6);
    size = sizeof v6;
  } else {
    return Fail(Code::kInvalidArgument, "'" + Printable(text, 60) + "' is not an address");
  }
  const int probe = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return Fail(Code::kUnavailable, "no socket: " + ErrnoText());
  const int on = 1;
  // Connections of a former run that linger are no obstacle, a listener is.
  (void)setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound = ::bind(probe, address, size) == 0;
  const int why = errno;
  close(probe);
  if (bound) return Ok();
  const std::string where = text + ":" + std::to_string(bind.port);
  if (why == EADDRINUSE) {
    return Fail(Code::kConflict, "another program listens on " + where);
  }
  if (why == EACCES) return Fail(Code::kRejected, "not allowed to bind " + where);
  return Fail(Code::kInvalidArgument, "cannot bind " + where + ": " + std::strerror(why));
}

namespace {

/// The hex digits that `name` keeps, made up the first time.
Result<std::string> LoadOrMake(const Layout& layout, const char* name, std::size_t digits) {
  const std::string path = layout.state_dir + "/" + name;
  if (const std::string kept(Trim(ReadSmallFile(path))); IsHex(kept, digits)) return kept;
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Fail(Code::kInternal, "no random bytes: " + ErrnoText());
  }
  std::string key;
  for (const unsigned char byte : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    key.push_back(kDigits[byte >> 4U]);
    key.push_back(kDigits[byte & 15U]);
  }
  key.resize(digits);
  const std::string fresh = path + ".new";
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const std::string text = key + "\n";
  const bool written = file >= 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  const std::string why = ErrnoText();
  if (file >= 0) close(file);
  if (!written || rename(fresh.c_str(), path.c_str()) != 0) {
    return Fail(Code::kUnavailable, "cannot write " + path + ": " + why);
  }
  return key;
}

}  // namespace

Result<std::string> LoadCookieKey(const Layout& layout) {
  return LoadOrMake(layout, "cookie_key", 32);
}

Result<std::string> LoadInstanceId(const Layout& layout, const std::string& host) {
  const auto digits = LoadOrMake(layout, "instance", 8);
  if (!digits) return Forward(digits.error());
  return host + "-" + *digits;
}

}  // namespace swarmgate::app
