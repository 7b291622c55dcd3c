#include "executors/base/base64.h"

#include "tests/support/catch.h"

using namespace drydock;

TEST_CASE("base64: the table of RFC 4648, and both alphabets", "[base64]") {
  struct Row {
    const char* bytes;
    const char* standard;
    const char* url;
  };
  const Row rows[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"fo\xff", "Zm//", "Zm__"},
      {"\xfb\xef", "++8=", "--8"},
  };
  for (const auto& row : rows) {
    CHECK(encode_base64(row.bytes) == row.standard);
    CHECK(encode_base64(row.bytes, Base64::url) == row.url);
    CHECK(decode_base64(row.standard) == row.bytes);
    CHECK(decode_base64(row.url, Base64::url) == row.bytes);
  }
  CHECK(decode_base64("Zg") == "f");
}

TEST_CASE("base64: what is none", "[base64]") {
  CHECK_FALSE(decode_base64("Zm__"));
  CHECK_FALSE(decode_base64("Zm 8="));
  CHECK_FALSE(decode_base64("Zm=8"));
  CHECK_FALSE(decode_base64("Zm//", Base64::url));
  CHECK_FALSE(decode_base64("Zg==", Base64::url));
}
