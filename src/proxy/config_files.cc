#include "swarmgate/proxy/config_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "proxy/unix_exchange.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::proxy {
namespace {

constexpr std::array<const char*, 3> kFolders = {"conf", "maps", "certs"};
constexpr const char* kStaged = "staged";
constexpr const char* kTemporary = ".tmp";

tl::unexpected<Error> DiskError(const std::string& path) {
  return Fail(Code::kUnavailable, std::strerror(errno), path);
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// "conf/x.cfg", "maps/x.map", "certs/x.pem", "certs/x.pem.ocsp" or the list, and nothing that
/// leads elsewhere.
bool IsOurs(const std::string& path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string::npos || path.find('/', slash + 1) != std::string::npos) return false;
  const std::string folder = path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  return !name.empty() && name.front() != '.' &&
         ((folder == "conf" && EndsWith(name, ".cfg")) ||
          (folder == "maps" && EndsWith(name, ".map")) ||
          (folder == "certs" && (EndsWith(name, ".pem") || EndsWith(name, ".pem.ocsp"))) ||
          path == haproxy::kCertificateList);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { (void)closedir(directory); }
};

/// Names of the entries; none when the directory is missing.
Result<std::vector<std::string>> List(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (!directory) {
    if (errno == ENOENT) return names;
    return DiskError(path);
  }
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) break;
    const std::string name(static_cast<const char*>(entry->d_name));
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) return DiskError(path);
  std::sort(names.begin(), names.end());
  return names;
}

class Writer {
 public:
  explicit Writer(std::optional<gid_t> reader) : reader_(reader) {}

  Status Folder(const std::string& path) const {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      if (mkdir(path.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST) {
        return DiskError(path.substr(0, at));
      }
    }
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return DiskError(path);
    if (!reader_) return Ok();
    if (chown(path.c_str(), static_cast<uid_t>(-1), *reader_) != 0 ||
        chmod(path.c_str(), 0750) != 0) {
      return DiskError(path);
    }
    return Ok();
  }

  [[nodiscard]] Status File(const std::string& path, const std::string& content) const {
    // Somebody may be reading a file of this name, which is another one then.
    (void)unlink(path.c_str());
    const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.valid()) return DiskError(path);
    std::string_view rest = content;
    while (!rest.empty()) {
      const ssize_t written = write(fd.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return DiskError(path);
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (!reader_) return Ok();
    if (fchown(fd.get(), static_cast<uid_t>(-1), *reader_) != 0 || fchmod(fd.get(), 0640) != 0) {
      return DiskError(path);
    }
    return Ok();
  }

  /// HAProxy skips names that do not end in ".cfg", so that a left-over does no harm.
  [[nodiscard]] Status Replace(const std::string& path, const std::string& content) const {
    const std::string temporary = path + kTemporary;
    const Status written = File(temporary, content);
    if (!written) {
      (void)unlink(temporary.c_str());
      return written;
    }
    // A rename onto a file has ext4 write the new one out at once, which costs more than all the
    // rest of a change; an exchange of the two has not. Whoever reads the old one goes on with it.
    if (renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
      (void)unlink(temporary.c_str());
      return Ok();
    }
    // There is none yet, or the file system does not know how.
    if (rename(temporary.c_str(), path.c_str()) != 0) return DiskError(path);
    return Ok();
  }

 private:
  std::optional<gid_t> reader_;
};

Status RemoveTree(const std::string& root) {
  for (const char* folder : kFolders) {
    const std::string path = root + "/" + folder;
    const auto names = List(path);
    if (!names) return Forward(names.error());
    for (const std::string& name : *names) {
      if (unlink((path + "/" + name).c_str()) != 0 && errno != ENOENT) {
        return DiskError(path + "/" + name);
      }
    }
    if (rmdir(path.c_str()) != 0 && errno != ENOENT) return DiskError(path);
  }
  if (rmdir(root.c_str()) != 0 && errno != ENOENT) return DiskError(root);
  return Ok();
}

Result<std::string> ReadFile(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return DiskError(path);
  std::string content;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got == 0) return content;
    if (got < 0 && errno != EINTR) return DiskError(path);
    if (got > 0) content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

DiskConfigFiles::DiskConfigFiles(ConfigFilesOptions options) : options_(std::move(options)) {}

Status DiskConfigFiles::Write(const haproxy::Files& changed,
                              const std::vector<std::string>& removed) {
  for (const auto& [path, content] : changed) {
    if (!IsOurs(path)) return Fail(Code::kInvalidArgument, "not a file of HAProxy", path);
  }
  const Writer writer(options_.reader);
  const Status root = writer.Folder(options_.files_dir);
  if (!root) return root;
  for (const char* folder : kFolders) {
    const std::string path = options_.files_dir + "/" + folder;
    const Status made = writer.Folder(path);
    if (!made) return made;
    if (swept_) continue;
    const auto names = List(path);
    if (!names) return Forward(names.error());
    for (const std::string& name : *names) {
      if (EndsWith(name, kTemporary)) (void)unlink((path + "/" + name).c_str());
    }
  }
  swept_ = true;
  for (const auto& [path, content] : changed) {
    const Status written = writer.Replace(options_.files_dir + "/" + path, content);
    if (!written) return written;
  }
  for (const std::string& path : removed) {
    if (!IsOurs(path)) return Fail(Code::kInvalidArgument, "not a file of HAProxy", path);
    const std::string full = options_.files_dir + "/" + path;
    if (unlink(full.c_str()) != 0 && errno != ENOENT) return DiskError(full);
  }
  return Ok();
}

Result<haproxy::Files> DiskConfigFiles::Load() {
  haproxy::Files files;
  for (const char* folder : kFolders) {
    const auto names = List(options_.files_dir + "/" + folder);
    if (!names) return Forward(names.error());
    for (const std::string& name : *names) {
      const std::string path = std::string(folder) + "/" + name;
      if (!IsOurs(path)) continue;
      auto content = ReadFile(options_.files_dir + "/" + path);
      if (!content) return Forward(content.error());
      files.emplace(path, std::move(*content));
    }
  }
  return files;
}

Result<std::string> DiskConfigFiles::Stage(const haproxy::Files& files) {
  const std::string root = options_.files_dir + "/" + kStaged;
  const Status removed = RemoveTree(root);
  if (!removed) return Forward(removed.error());
  const Writer writer(options_.reader);
  for (const char* folder : kFolders) {
    const Status made = writer.Folder(root + "/" + folder);
    if (!made) return Forward(made.error());
  }
  for (const auto& [path, content] : files) {
    if (!IsOurs(path)) return Fail(Code::kInvalidArgument, "not a file of HAProxy", path);
    const Status written = writer.File(root + "/" + path, content);
    if (!written) return Forward(written.error());
  }
  return root;
}

}  // namespace swarmgate::proxy
