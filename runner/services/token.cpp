#include "runner/services/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>

#include "executors/base/base64.h"
#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::size_t k_key_bytes = 32;

std::string_view name_of(BlobAccess access) { return access == BlobAccess::read ? "r" : "w"; }

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Error refused(std::string why) { return make_error(ErrorCode::permission, std::move(why)); }

std::string to_sign(const std::string& path, std::string_view access, std::string_view end) {
  return "blob\n" + path + "\n" + std::string(access) + "\n" + std::string(end);
}

Result<std::string> random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) != 1) {
    return make_error(ErrorCode::environment, "the system gives no random numbers");
  }
  return bytes;
}

}  // namespace

std::int64_t unix_seconds(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Result<std::string> random_name(std::size_t bytes) {
  DRYDOCK_ASSIGN(const auto random, random_bytes(bytes));
  return hex(random);
}

Result<TokenKey> TokenKey::make() {
  DRYDOCK_ASSIGN(auto key, random_bytes(k_key_bytes));
  return TokenKey(std::move(key));
}

std::string TokenKey::mac(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string TokenKey::sign(const Json& claims) const {
  const std::string head = encode_base64(R"({"alg":"HS256","typ":"JWT"})", Base64::url) + "." + encode_base64(dump_json(claims), Base64::url);
  return head + "." + encode_base64(mac(head), Base64::url);
}

Result<Json> TokenKey::verify(std::string_view token, Time now) const {
  const auto first = token.find('.'), last = token.rfind('.');
  if (first == std::string_view::npos || last == first) return refused("the token is no JSON web token");
  const auto signature = decode_base64(token.substr(last + 1), Base64::url);
  if (!signature || !same(*signature, mac(token.substr(0, last)))) return refused("the token is not of this run");
  const auto text = decode_base64(token.substr(first + 1, last - first - 1), Base64::url);
  if (!text) return refused("the token cannot be read");
  DRYDOCK_ASSIGN(auto claims, parse_json(*text, "the token"));
  if (json_or<std::int64_t>(claims, "exp", 0) <= unix_seconds(now)) return refused("the token has expired");
  return claims;
}

std::string TokenKey::sign_path(const std::string& path, BlobAccess access, Time end) const {
  const auto until = std::to_string(unix_seconds(end));
  return path + "?se=" + until + "&sp=" + std::string(name_of(access)) + "&sig=" +
         encode_base64(mac(to_sign(path, name_of(access), until)), Base64::url);
}

Status TokenKey::check_path(const std::string& path, const std::string& access, const std::string& end,
                            const std::string& signature, BlobAccess wanted, Time now) const {
  const auto given = decode_base64(signature, Base64::url);
  if (!given || !same(*given, mac(to_sign(path, access, end)))) return refused("the signature does not match");
  std::int64_t until = 0;
  std::from_chars(end.data(), end.data() + end.size(), until);
  if (until <= unix_seconds(now)) return refused("the address has expired");
  if (access != name_of(wanted)) return refused("the address is not for this kind of access");
  return {};
}

}  // namespace drydock::runner
