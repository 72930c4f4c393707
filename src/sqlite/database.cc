#include "sqlite/database.h"

#include <utility>

namespace swarmgate::sqlite {

Code CodeOf(int sqlite_code) {
  const int primary = sqlite_code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? Code::kCorrupt
                                                               : Code::kUnavailable;
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  code_ = sqlite3_prepare_v2(database.handle(), sql, -1, &statement, nullptr);
  statement_.reset(statement);
}

Statement& Statement::Bind(int index, std::string_view text) {
  if (code_ == SQLITE_OK) {
    code_ = sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_TRANSIENT,
                                SQLITE_UTF8);
  }
  return *this;
}

Statement& Statement::Bind(int index, std::int64_t number) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_.get(), index, number);
  return *this;
}

Result<bool> Statement::Step() {
  if (code_ != SQLITE_OK) return database_.Failure(code_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  code_ = code;
  return database_.Failure(code);
}

Status Statement::Run() {
  Result<bool> row = true;
  while (row && *row) row = Step();
  if (!row) return Forward(row.error());
  code_ = sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  return Ok();
}

std::string Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::int64_t Statement::Number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  auto database = std::make_unique<Database>();
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database->handle_.reset(handle);
  if (code != SQLITE_OK) return Forward(database->Failure(code).value(), path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, 1000);
  return database;
}

Status Database::Exec(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failure(code);
  return Ok();
}

Result<std::int64_t> Database::QueryNumber(const char* sql) {
  Statement statement(*this, sql);
  Result<bool> row = statement.Step();
  if (!row) return Forward(row.error());
  return *row ? statement.Number(0) : 0;
}

tl::unexpected<Error> Database::Failure(int code) const {
  const char* text = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  return Fail(CodeOf(code), text);
}

Result<std::unique_ptr<Transaction>> Transaction::Begin(Database& database, bool durable) {
  // Only outside of a transaction may this be changed.
  Status mode = database.Exec(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  if (!mode) return Forward(mode.error());
  Status begun = database.Exec("BEGIN IMMEDIATE");
  if (!begun) return Forward(begun.error());
  return std::unique_ptr<Transaction>(new Transaction(database));
}

Transaction::~Transaction() {
  // A transaction that SQLite has rolled back by itself answers with an error: nothing is lost.
  if (open_) (void)database_.Exec("ROLLBACK");
}

Status Transaction::Commit() {
  Status done = database_.Exec("COMMIT");
  if (done) open_ = false;
  return done;
}

}  // namespace swarmgate::sqlite
