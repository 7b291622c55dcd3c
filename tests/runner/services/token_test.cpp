#include "runner/services/token.h"

#include "executors/base/base64.h"
#include "runner/services/wire.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

TokenKey new_key() {
  auto key = TokenKey::make();
  REQUIRE(key.ok());
  return std::move(*key);
}

const Time k_token_now = Time(std::chrono::seconds(1'800'000'000));

}  // namespace

TEST_CASE("a token is taken by the key that signed it, until it ends") {
  const auto key = new_key();
  const auto token = key.sign({{"scp", "Actions.Results:a:b"}, {"exp", 1'800'000'010}});
  const auto claims = key.verify(token, k_token_now);
  REQUIRE(claims.ok());
  CHECK(claims->at("scp") == "Actions.Results:a:b");
  CHECK_FALSE(key.verify(token, k_token_now + std::chrono::seconds(10)).ok());
  CHECK_FALSE(new_key().verify(token, k_token_now).ok());
}

TEST_CASE("forged tokens are refused") {
  const auto key = new_key();
  const auto token = key.sign({{"job", "a"}, {"exp", 1'900'000'000}});
  const auto signature = token.substr(token.rfind('.'));
  const auto other = encode_base64(R"({"job":"b","exp":1900000000})", Base64::url);
  const std::string rows[] = {
      "", ".", "..", "a.b", token.substr(0, token.size() - 1), token + "A", token + ".", "x" + token,
      token.substr(0, token.find('.')) + "." + other + signature,
      encode_base64(R"({"alg":"none","typ":"JWT"})", Base64::url) + "." + other + ".",
      encode_base64(R"({"alg":"none","typ":"JWT"})", Base64::url) + token.substr(token.find('.')),
      key.sign({{"job", "a"}}),  // without an end
  };
  for (const auto& row : rows) {
    CAPTURE(row);
    CHECK_FALSE(key.verify(row, k_token_now).ok());
  }
}

TEST_CASE("a signed address is good for its path, its kind of access and its time") {
  const auto key = new_key();
  const auto address = key.sign_path("/blob/upload/x", BlobAccess::write, k_token_now + std::chrono::seconds(5));
  const auto part = [&](const std::string& name) {
    const auto start = address.find(name + "=") + name.size() + 1;
    return address.substr(start, address.find('&', start) - start);
  };
  const auto end = part("se"), access = part("sp"), signature = part("sig");
  CHECK(key.check_path("/blob/upload/x", access, end, signature, BlobAccess::write, k_token_now).ok());
  CHECK_FALSE(key.check_path("/blob/upload/y", access, end, signature, BlobAccess::write, k_token_now).ok());
  CHECK_FALSE(key.check_path("/blob/upload/x", access, end, signature, BlobAccess::read, k_token_now).ok());
  CHECK_FALSE(key.check_path("/blob/upload/x", "r", end, signature, BlobAccess::read, k_token_now).ok());
  CHECK_FALSE(key.check_path("/blob/upload/x", access, "1900000000", signature, BlobAccess::write, k_token_now).ok());
  CHECK_FALSE(key.check_path("/blob/upload/x", access, end, "", BlobAccess::write, k_token_now).ok());
  CHECK_FALSE(key.check_path("/blob/upload/x", access, end, signature, BlobAccess::write, k_token_now + std::chrono::seconds(5)).ok());
}

TEST_CASE("small encodings") {
  CHECK(http_date(Time(std::chrono::seconds(784111777))) == "Sun, 06 Nov 1994 08:49:37 GMT");
  struct Row {
    std::string text;
    bool plain;
  };
  for (const auto& row : {Row{"ahoy", true}, Row{"grün ⚓ 🚢", true}, Row{"a\nb", false}, Row{std::string("a\0b", 3), false},
                          Row{"\xff", false}, Row{"\xc3", false}, Row{"\xe2\x9a", false}, Row{"\xf0\x9f\x9a", false}, Row{"\x7f", false}}) {
    CAPTURE(row.text);
    CHECK(is_plain_text(row.text) == row.plain);
  }
}
