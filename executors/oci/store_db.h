#pragma once
// Database: SQLite as the store needs it: WAL, cached prepared statements, nested transactions.
// Internal to the store's views. Thread-safe: one connection, one lock, held by a Query or Transaction while it lives.

#include "executors/base/result.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace drydock::oci {

class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::string& path, std::chrono::milliseconds busy_timeout);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that return nothing.
  Status execute(const std::string& sql);
  std::int64_t last_id() const;
  /// Rows changed by the last statement.
  int changes() const;

 private:
  friend class Query;
  friend class Transaction;
  Database() = default;
  Error failure(std::string_view doing) const;

  std::string path_;
  sqlite3* handle_ = nullptr;
  mutable std::recursive_mutex mutex_;
  std::map<const char*, sqlite3_stmt*> statements_;  // free ones, by the literal's address
  int depth_ = 0;
  bool doomed_ = false;
};

/// One use of a statement. `sql` must be a literal. bind in order, then run or step.
class Query {
 public:
  Query(Database& database, const char* sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(std::int64_t value);
  Query& bind(std::string_view value);
  Query& bind_null();
  template <class T>
  Query& bind(const std::optional<T>& value) {
    return value ? bind(*value) : bind_null();
  }

  /// To the end; rows are ignored.
  Status run();
  /// True when there is a row.
  Result<bool> step();
  /// From the start again, with new values.
  void again();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  Database& database_;
  std::unique_lock<std::recursive_mutex> lock_;
  const char* sql_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

/// Writes nothing until commit; an inner one belongs to the outer one. Takes the write lock at once.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Status begin();
  Status commit();

 private:
  Database& database_;
  std::unique_lock<std::recursive_mutex> lock_;
  bool open_ = false;
};

/// Milliseconds since 1970.
std::int64_t now_ms();

}  // namespace drydock::oci
