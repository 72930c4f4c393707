#include "sqlite/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "swarmgate/base/log.h"

namespace swarmgate::sqlite {
namespace {

std::string UtcStamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

}  // namespace

Status File::EnsureOpen() {
  if (database_) return Ok();
  // SQLite would create it readable for all.
  const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return Fail(Code::kUnavailable, std::strerror(errno), path_);
  ::close(file);
  Result<std::unique_ptr<Database>> opened = Database::Open(path_);
  if (!opened) return Forward(opened.error());
  Database& database = **opened;
  Result<std::int64_t> version = database.QueryNumber("PRAGMA user_version");
  if (!version) return Forward(version.error(), path_);
  if (*version > version_) {
    return Fail(Code::kUnavailable,
                "the file was written by a newer version (schema " + std::to_string(*version) +
                    ", this program knows " + std::to_string(version_) + "); it is left as it is",
                path_);
  }
  Status ready =
      database.Exec("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-256");
  if (ready) ready = database.Exec(schema_);
  if (ready && *version < version_) {
    ready = database.Exec(("PRAGMA user_version=" + std::to_string(version_)).c_str());
  }
  if (!ready) return Forward(ready.error(), path_);
  database_ = std::move(*opened);
  return Ok();
}

void File::SetAside() {
  database_.reset();
  const std::string stem = path_ + ".damaged-" + UtcStamp();
  std::string aside = stem;
  for (int i = 2; ::access(aside.c_str(), F_OK) == 0; ++i) {
    aside = stem + "-" + std::to_string(i);
  }
  const bool renamed = std::rename(path_.c_str(), aside.c_str()) == 0;
  for (const char* suffix : {"-wal", "-shm"}) {
    // Missing is fine; one that stayed would be taken for the new file's.
    if (std::rename((path_ + suffix).c_str(), (aside + suffix).c_str()) != 0) {
      (void)std::remove((path_ + suffix).c_str());
    }
  }
  LogEvent(LogLevel::kError, "STORE_DAMAGED",
           renamed ? "the store's file is damaged and was set aside; a new one is started"
                   : "the store's file is damaged and could not be renamed",
           {{"file", path_}, {"aside", aside}});
}

}  // namespace swarmgate::sqlite
