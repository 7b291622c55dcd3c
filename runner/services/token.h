#pragma once
// Tokens and signed addresses of one run: JSON web tokens under a key that lives as long as the run's services do,
// and addresses of blobs with an end and a signature. Thread-safe (the key never changes).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "executors/base/json.h"
#include "executors/base/result.h"
#include "executors/base/time.h"

namespace drydock::runner {

enum class BlobAccess { read, write };

class TokenKey {
 public:
  /// From the system's random source; error environment when it gives nothing.
  static Result<TokenKey> make();

  /// HS256 over the claims.
  std::string sign(const Json& claims) const;
  /// The claims of a token that this key signed and that has not ended ("exp"); an error says what is wrong with it.
  Result<Json> verify(std::string_view token, Time now) const;

  /// "/blob/artifact/7?se=1795451233&sp=r&sig=…".
  std::string sign_path(const std::string& path, BlobAccess access, Time end) const;
  /// What the query of a call must say for `path`; an error is told to the client.
  Status check_path(const std::string& path, const std::string& access, const std::string& end,
                    const std::string& signature, BlobAccess wanted, Time now) const;

 private:
  explicit TokenKey(std::string key) : key_(std::move(key)) {}
  std::string mac(std::string_view text) const;

  std::string key_;
};

/// Hard to guess: 2 * bytes hex digits.
Result<std::string> random_name(std::size_t bytes);

std::int64_t unix_seconds(Time time);

}  // namespace drydock::runner
