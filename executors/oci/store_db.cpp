#include "executors/oci/store_db.h"

#include <sqlite3.h>

namespace drydock::oci {

Result<std::unique_ptr<Database>> Database::open(const std::string& path, std::chrono::milliseconds busy_timeout) {
  std::unique_ptr<Database> database(new Database);
  database->path_ = path;
  // Our own lock covers every use of the connection, so SQLite's is left out.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &database->handle_, flags, nullptr) != SQLITE_OK) {
    auto error = database->failure("open it");
    return std::move(error).with_mend("check that this user may write there, or set DRYDOCK_HOME");
  }
  sqlite3_extended_result_codes(database->handle_, 1);
  sqlite3_busy_timeout(database->handle_, static_cast<int>(busy_timeout.count()));
  // A short process must not pay two fsyncs for being the last to close; the next checkpoint comes by itself.
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  DRYDOCK_TRY(database->execute("PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=512;"));
  return database;
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Status Database::execute(const std::string& sql) {
  std::lock_guard lock(mutex_);
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failure(sql.substr(0, 60));
  return {};
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_); }
int Database::changes() const { return sqlite3_changes(handle_); }

Error Database::failure(std::string_view doing) const {
  int code = handle_ ? sqlite3_errcode(handle_) & 0xff : SQLITE_NOMEM;
  auto kind = ErrorCode::io;
  if (code == SQLITE_PERM || code == SQLITE_READONLY || code == SQLITE_AUTH) kind = ErrorCode::permission;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) kind = ErrorCode::corrupted;
  if (code == SQLITE_BUSY) kind = ErrorCode::timeout;
  auto error = make_error(kind, "store database " + path_ + ": " + (handle_ ? sqlite3_errmsg(handle_) : "no memory") +
                                    " (on: " + std::string(doing) + ")");
  if (code == SQLITE_FULL) error.mend = "free disk space (drydock cache prune) and run again";
  if (kind == ErrorCode::corrupted) error.mend = "move the store away; only caches are lost";
  return error;
}

Query::Query(Database& database, const char* sql) : database_(database), lock_(database.mutex_), sql_(sql) {
  auto found = database_.statements_.find(sql);
  if (found != database_.statements_.end()) {
    statement_ = found->second;
    database_.statements_.erase(found);
    return;
  }
  sqlite3_prepare_v3(database_.handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
}

Query::~Query() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  if (!database_.statements_.emplace(sql_, statement_).second) sqlite3_finalize(statement_);
}

Query& Query::bind(std::int64_t value) {
  if (statement_) sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Query& Query::bind(std::string_view value) {
  if (statement_) {
    sqlite3_bind_text(statement_, ++bound_, value.data() ? value.data() : "", static_cast<int>(value.size()),
                      SQLITE_TRANSIENT);
  }
  return *this;
}

Query& Query::bind_null() {
  if (statement_) sqlite3_bind_null(statement_, ++bound_);
  return *this;
}

Status Query::run() {
  for (;;) {
    auto row = step();
    if (!row) return std::move(row).error();
    if (!*row) return {};
  }
}

Result<bool> Query::step() {
  if (!statement_) return database_.failure(sql_);
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_.failure(sql_);
}

void Query::again() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  bound_ = 0;
}

bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Query::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : "";
}

Transaction::Transaction(Database& database) : database_(database), lock_(database.mutex_) {}

Transaction::~Transaction() {
  if (!open_) return;
  // An inner transaction that was left by an error takes the outer one with it.
  if (--database_.depth_ > 0) {
    database_.doomed_ = true;
    return;
  }
  database_.doomed_ = false;
  sqlite3_exec(database_.handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Status Transaction::begin() {
  if (database_.depth_ == 0) DRYDOCK_TRY(database_.execute("BEGIN IMMEDIATE"));
  ++database_.depth_;
  open_ = true;
  return {};
}

Status Transaction::commit() {
  if (database_.depth_ > 1) {
    --database_.depth_;
    open_ = false;
    return {};
  }
  if (database_.doomed_) return make_error(ErrorCode::internal, "a part of a store transaction failed");
  DRYDOCK_TRY(database_.execute("COMMIT"));
  --database_.depth_;
  open_ = false;
  return {};
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace drydock::oci
