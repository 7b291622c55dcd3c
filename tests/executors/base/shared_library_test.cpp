#include "executors/base/shared_library.h"

#include "executors/base/curl_library.h"
#include "tests/support/catch.h"

using namespace drydock;

TEST_CASE("shared library: a function of one that is there", "[shared_library]") {
  SharedLibrary library("libm.so.6");
  double (*root)(double) = nullptr;
  library.get(root, "sqrt");
  REQUIRE(library.problem().empty());
  CHECK(root(9) == 3);
}

TEST_CASE("shared library: what is missing is named", "[shared_library]") {
  SharedLibrary none("libnowhere.so.7");
  void (*function)() = nullptr;
  none.get(function, "anything");
  CHECK(function == nullptr);
  CHECK(none.problem().find("libnowhere.so.7") != std::string::npos);

  SharedLibrary library("libm.so.6");
  library.get(function, "no_such_function");
  CHECK(function == nullptr);
  CHECK(library.problem().find("no_such_function") != std::string::npos);
}

TEST_CASE("shared library: libcurl has all that is asked of it", "[shared_library]") {
  const auto curl = curl_library();
  REQUIRE(curl.ok());
  CHECK((*curl)->version_info(CURLVERSION_NOW)->version_num >= 0x075500);
}
