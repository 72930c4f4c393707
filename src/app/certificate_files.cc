#include "app/certificate_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "swarmgate/base/strings.h"
#include "swarmgate/certs/certificate.h"

namespace swarmgate::app {
namespace {

using model::CertificateFile;
using model::CertificateSource;

constexpr std::size_t kMaxStaple = 16U << 10U;

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool IsCertificateSecret(const std::string& name) {
  const std::string start = ToLower(name.substr(0, 5));
  return start == "cert-" || start == "cert_";
}

/// Names of the regular files (or links to some), sorted. A directory that is not there has none.
Result<std::vector<std::string>> List(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    std::error_code unknown;
    const std::string name = entries->path().filename().string();
    // A directory of Kubernetes or an editor's copy is no certificate.
    if (name.front() == '.' || name.back() == '~') continue;
    if (std::filesystem::is_directory(entries->path(), unknown)) continue;
    names.push_back(name);
  }
  if (error) return Fail(Code::kUnavailable, error.message(), directory);
  std::sort(names.begin(), names.end());
  return names;
}

/// A key that lies beside its certificate ("a.pem.key", or "a.key" of "a.pem") is read with it.
bool IsCompanion(const std::string& name) {
  for (const char* end : {".key", ".ocsp", ".sctl", ".issuer"}) {
    if (EndsWith(name, end)) return true;
  }
  return false;
}

void AddFile(const std::string& directory, const std::string& name, CertificateSource source,
             const std::vector<std::string>& names, std::vector<CertificateFile>& files) {
  CertificateFile file;
  file.source = source;
  file.name = name;
  file.path = directory + "/" + name;
  auto text = ReadSecretFile(file.path, certs::kMaxPem);
  if (!text) {
    file.problem = text.error().message;
    files.push_back(std::move(file));
    return;
  }
  const std::string stem = name.substr(0, name.rfind('.'));
  for (const std::string& key : {name + ".key", stem + ".key"}) {
    if (!std::binary_search(names.begin(), names.end(), key)) continue;
    const auto more = ReadSecretFile(directory + "/" + key, certs::kMaxPem);
    if (more) *text += "\n" + *more;
    break;
  }
  file.pem = model::Secret(std::move(*text));
  if (std::binary_search(names.begin(), names.end(), name + ".ocsp")) {
    auto staple = ReadSecretFile(directory + "/" + name + ".ocsp", kMaxStaple);
    if (staple) file.staple = model::Secret(std::move(*staple));
  }
  files.push_back(std::move(file));
}

void AddStamp(const std::string& path, std::string& stamp) {
  struct stat info {};
  stamp += path;
  if (stat(path.c_str(), &info) == 0) {
    for (const long long number :
         {static_cast<long long>(info.st_ino), static_cast<long long>(info.st_size),
          static_cast<long long>(info.st_mtim.tv_sec), static_cast<long long>(info.st_mtim.tv_nsec),
          static_cast<long long>(info.st_ctim.tv_sec),
          static_cast<long long>(info.st_ctim.tv_nsec)}) {
      stamp += ' ' + std::to_string(number);
    }
  }
  stamp += '\n';
}

Status WriteSecretFile(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written = file >= 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  const std::string why = std::strerror(errno);
  if (file >= 0) close(file);
  if (!written || rename(fresh.c_str(), path.c_str()) != 0) {
    return Fail(Code::kUnavailable, "cannot write " + path + ": " + why);
  }
  return Ok();
}

}  // namespace

std::string DiskCertificates::Stamp() {
  std::string stamp;
  for (const std::string& directory : {directory_, secrets_}) {
    const auto names = List(directory);
    if (!names) stamp += names.error().ToString() + "\n";
    if (!names) continue;
    for (const std::string& name : *names) AddStamp(directory + "/" + name, stamp);
  }
  return stamp;
}

Result<std::vector<CertificateFile>> DiskCertificates::Read() {
  std::vector<CertificateFile> files;
  const auto names = List(directory_);
  if (!names) return Forward(names.error());
  for (const std::string& name : *names) {
    if (!IsCompanion(name)) AddFile(directory_, name, CertificateSource::kFile, *names, files);
  }
  const auto secrets = List(secrets_);
  if (!secrets) return Forward(secrets.error());
  for (const std::string& name : *secrets) {
    if (IsCertificateSecret(name)) {
      AddFile(secrets_, name, CertificateSource::kSecret, {}, files);
    }
  }
  return files;
}

Result<std::string> ReadSecretFile(const std::string& path, std::size_t limit) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return Fail(Code::kUnavailable, std::strerror(errno), path);
  std::string text;
  std::array<char, 16384> buffer{};
  ssize_t size = 0;
  while (text.size() <= limit && (size = read(file, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  const int why = errno;
  close(file);
  if (size < 0) return Fail(Code::kUnavailable, std::strerror(why), path);
  if (text.size() > limit) {
    return Fail(Code::kInvalidArgument,
                "it is larger than " + std::to_string(limit >> 10U) + " KiB", path);
  }
  return text;
}

Result<std::string> LoadSelfSigned(const Layout& layout) {
  constexpr std::int64_t kRoom = 604800;  // a week
  const std::string path = layout.state_dir + "/self-signed.pem";
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  const auto kept = ReadSecretFile(path, certs::kMaxPem);
  if (kept) {
    const auto parsed = certs::Parse(
        {CertificateSource::kSelfSigned, "self-signed", path, model::Secret(*kept), ""});
    if (parsed && parsed->not_after > now + kRoom) return *kept;
  }
  auto made = certs::MakeSelfSigned(now);
  if (!made) return made;
  if (const Status written = WriteSecretFile(path, *made); !written) {
    return Forward(written.error());
  }
  return made;
}

}  // namespace swarmgate::app
