#pragma once
// Digest: the name of a piece of content, "sha256:<64 hex digits>". A plain value; an empty one names
// nothing. Sha256 hashes incrementally (hardware instructions through OpenSSL). One hasher belongs to one
// thread at a time.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "executors/base/result.h"

namespace drydock::oci {

class Digest {
 public:
  Digest() = default;

  /// Only sha256 in lower-case hex is accepted; anything else is invalid_input with the text in the message.
  static Result<Digest> parse(std::string_view text);
  static Digest from_bytes(const std::array<unsigned char, 32>& bytes);

  bool empty() const { return text_.empty(); }
  /// "sha256:<hex>", or "" when empty.
  const std::string& to_string() const { return text_; }
  std::string_view algorithm() const;
  std::string_view hex() const;
  /// The first 12 hex digits, for people.
  std::string_view short_hex() const { return hex().substr(0, 12); }

  friend bool operator==(const Digest&, const Digest&) = default;
  friend std::strong_ordering operator<=>(const Digest&, const Digest&) = default;

 private:
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  void update(const void* bytes, std::size_t size);
  /// The digest of all that was given since the start or the last finish(); the hasher then starts anew.
  Digest finish();
  std::uint64_t size() const { return size_; }

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  std::uint64_t size_ = 0;
};

Digest digest_of(std::string_view bytes);
/// Streams the file through a hasher.
Result<Digest> digest_of_file(const std::string& path);

}  // namespace drydock::oci

template <>
struct std::hash<drydock::oci::Digest> {
  std::size_t operator()(const drydock::oci::Digest& digest) const noexcept {
    return std::hash<std::string>{}(digest.to_string());
  }
};
