#include "executors/oci/digest.h"

#include "tests/support/catch.h"

#include <unordered_set>

using drydock::ErrorCode;
using namespace drydock::oci;

namespace {
const std::string k_abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string k_nothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
}  // namespace

TEST_CASE("digests of known texts") {
  CHECK(digest_of("abc").to_string() == k_abc);
  CHECK(digest_of("").to_string() == k_nothing);
  Sha256 hasher;
  hasher.update("a");
  hasher.update("bc");
  CHECK(hasher.size() == 3);
  CHECK(hasher.finish().to_string() == k_abc);
  CHECK(hasher.finish().to_string() == k_nothing);
  CHECK_FALSE(digest_of_file("/nonexistent/file").ok());
}

TEST_CASE("digest parsing") {
  const auto digest = Digest::parse(k_abc);
  REQUIRE(digest.ok());
  CHECK(digest->algorithm() == "sha256");
  CHECK(digest->hex() == k_abc.substr(7));
  CHECK(digest->short_hex() == "ba7816bf8f01");
  CHECK(Digest().hex().empty());

  const std::vector<std::pair<std::string, ErrorCode>> bad = {
      {"", ErrorCode::invalid_input},
      {"sha256:", ErrorCode::invalid_input},
      {k_abc.substr(0, 70), ErrorCode::invalid_input},
      {k_abc + "0", ErrorCode::invalid_input},
      {"sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", ErrorCode::invalid_input},
      {"md5:d41d8cd98f00b204e9800998ecf8427e", ErrorCode::invalid_input},
      {"sha512:00", ErrorCode::unsupported},
  };
  for (const auto& [text, code] : bad) {
    INFO(text);
    const auto result = Digest::parse(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == code);
  }
}

TEST_CASE("digests order and hash") {
  std::unordered_set<Digest> set = {digest_of("abc"), digest_of("abc"), digest_of("")};
  CHECK(set.size() == 2);
  CHECK(digest_of("abc") < digest_of(""));
}
