// A database file of ours: opened when it is first needed, and set aside when it is damaged, so
// that a new one can be begun.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sqlite/database.h"
#include "swarmgate/base/error.h"

namespace swarmgate::sqlite {

class File {
 public:
  /// `schema`: creates what is not there. `version`: bumped with every change that an older program
  /// could not read.
  File(std::string path, const char* schema, std::int64_t version)
      : path_(std::move(path)), schema_(schema), version_(version) {}

  /// Errors: kUnavailable, kCorrupt (not set aside yet).
  Status EnsureOpen();
  /// Renames the file, with those beside it, and tells so.
  void SetAside();
  /// REQUIRES: open.
  [[nodiscard]] Database& database() { return *database_; }

 private:
  std::string path_;
  const char* schema_;
  std::int64_t version_;
  std::unique_ptr<Database> database_;
};

}  // namespace swarmgate::sqlite
