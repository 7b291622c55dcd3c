#pragma once
// Result<T>: an operation's value, or a coded Error that gathers context on its way up.
// Owns nothing else; not thread-safe (a plain value).
// A wrong file of the user's is a parser::Diagnostic, and a failing step is data: neither is an Error.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace drydock {

/// What went wrong, as far as a caller must tell it apart. The code chooses retry and exit status.
enum class ErrorCode {
  usage,                // the command line or an action's input is wrong
  invalid_input,        // a file, a reference, a manifest cannot be understood
  invalid_source,       // a workflow or Dockerfile is wrong or missing
  not_found,            // a file, blob, tag, platform is not there
  unsupported,          // understood, and refused by name
  permission,           // the operating system refused
  io,                   // the operating system failed (disk full, broken pipe, …)
  environment,          // this machine lacks something: runtime, emulator, user namespaces
  corrupted,            // content does not have the digest or form it must have
  registry_auth,        // 401 or 403 after all credentials were tried
  registry_refused,     // any other permanent answer of a registry
  network,              // transient failure that outlasted its retries
  failed,               // a command ran and failed (the build's RUN, a tool)
  cancelled,            // asked to stop
  timeout,
  internal,             // a promise of our own code was broken
};

/// Stable name for JSON, history and counters.
std::string_view name_of(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;               // what happened, with the name of the thing
  std::string mend;                  // what the user can do; empty when nothing is known
  std::vector<std::string> context;  // innermost first: "while …"

  /// Adds what was being attempted; the innermost comes first.
  Error&& while_(std::string doing) && { context.push_back(std::move(doing)); return std::move(*this); }
  Error&& with_mend(std::string how) && { mend = std::move(how); return std::move(*this); }

  /// "message (while a; while b). mend" on one line.
  std::string to_string() const;
};

inline Error make_error(ErrorCode code, std::string message, std::string mend = {}) {
  return Error{code, std::move(message), std::move(mend), {}};
}

/// "<what>: <strerror(errno_value)>", coded permission, not_found or io.
Error errno_error(std::string what, int errno_value);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace drydock

#define DRYDOCK_CONCAT_(a, b) a##b
#define DRYDOCK_CONCAT(a, b) DRYDOCK_CONCAT_(a, b)

/// DRYDOCK_TRY(expr): returns the error of a Status or Result from the enclosing function.
#define DRYDOCK_TRY(expr)                                              \
  do {                                                                 \
    if (auto drydock_status_ = (expr); !drydock_status_.ok()) {        \
      return std::move(drydock_status_).error();                       \
    }                                                                  \
  } while (false)

/// DRYDOCK_ASSIGN(auto x, expr): x = value of a Result, or returns its error.
#define DRYDOCK_ASSIGN(target, expr) DRYDOCK_ASSIGN_(target, expr, DRYDOCK_CONCAT(drydock_result_, __LINE__))
#define DRYDOCK_ASSIGN_(target, expr, temp)           \
  auto temp = (expr);                                 \
  if (!temp.ok()) return std::move(temp).error();     \
  target = std::move(temp).value()
