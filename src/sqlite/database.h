// A thin, checked face of the SQLite C API: statements that are finalised, errors that become
// Error. Only what the store needs.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "swarmgate/base/error.h"

namespace swarmgate::sqlite {

/// kCorrupt for SQLITE_CORRUPT and SQLITE_NOTADB, kUnavailable for everything else.
Code CodeOf(int sqlite_code);

class Database;

/// One prepared statement, used once or in a loop (Run resets it).
class Statement {
 public:
  Statement(Database& database, const char* sql);

  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, std::int64_t number);

  /// True: a row is there. Errors are kept in `error`.
  Result<bool> Step();
  /// Steps a statement without rows to its end, then makes it ready for other values.
  Status Run();

  [[nodiscard]] std::string Text(int column) const;
  [[nodiscard]] std::int64_t Number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int code_;  ///< of the first failure
};

class Database {
 public:
  /// Opens or creates the file. Errors: kUnavailable, kCorrupt.
  static Result<std::unique_ptr<Database>> Open(const std::string& path);

  Status Exec(const char* sql);
  Result<std::int64_t> QueryNumber(const char* sql);
  /// Rows that the last statement changed.
  [[nodiscard]] std::int64_t changes() const { return sqlite3_changes(handle_.get()); }
  [[nodiscard]] tl::unexpected<Error> Failure(int code) const;
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// Rolls back at its end unless Commit succeeded.
class Transaction {
 public:
  /// `durable`: on the disk when Commit returns.
  static Result<std::unique_ptr<Transaction>> Begin(Database& database, bool durable);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(database) {}
  Database& database_;
  bool open_ = true;
};

}  // namespace swarmgate::sqlite
