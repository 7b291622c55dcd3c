#include "executors/oci/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <vector>

namespace drydock::oci {
namespace {

constexpr std::string_view k_prefix = "sha256:";
constexpr std::size_t k_hex_size = 64;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  if (!text.starts_with(k_prefix)) {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && colon > 0 && text.substr(0, colon) == "sha512") {
      return make_error(ErrorCode::unsupported,
                        "digest \"" + std::string(text) + "\" uses sha512; only sha256 is supported");
    }
    return make_error(ErrorCode::invalid_input,
                      "\"" + std::string(text) + "\" is not a digest: expected sha256:<64 hex digits>");
  }
  const auto hex = text.substr(k_prefix.size());
  if (hex.size() != k_hex_size || !is_lower_hex(hex)) {
    return make_error(
        ErrorCode::invalid_input,
        "\"" + std::string(text) + "\" is not a digest: expected 64 lower-case hex digits after sha256:");
  }
  return Digest(std::string(text));
}

Digest Digest::from_bytes(const std::array<unsigned char, 32>& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text(k_prefix);
  text.reserve(k_prefix.size() + k_hex_size);
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return Digest(std::move(text));
}

std::string_view Digest::algorithm() const {
  return empty() ? std::string_view{} : std::string_view("sha256");
}

std::string_view Digest::hex() const {
  return empty() ? std::string_view{} : std::string_view(text_).substr(k_prefix.size());
}

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() {
    if (!evp || EVP_DigestInit_ex(evp, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  }
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  update(bytes.data(), bytes.size());
}

void Sha256::update(const void* bytes, std::size_t size) {
  EVP_DigestUpdate(context_->evp, bytes, size);
  size_ += size;
}

Digest Sha256::finish() {
  std::array<unsigned char, 32> bytes{};
  EVP_DigestFinal_ex(context_->evp, bytes.data(), nullptr);
  EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr);
  size_ = 0;
  return Digest::from_bytes(bytes);
}

Digest digest_of(std::string_view bytes) {
  std::array<unsigned char, 32> out{};
  EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha256(), nullptr);
  return Digest::from_bytes(out);
}

Result<Digest> digest_of_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("cannot open " + path, errno);
  Sha256 hasher;
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int why = errno;
      ::close(fd);
      return errno_error("cannot read " + path, why);
    }
    if (count == 0) break;
    hasher.update(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(fd);
  return hasher.finish();
}

}  // namespace drydock::oci
