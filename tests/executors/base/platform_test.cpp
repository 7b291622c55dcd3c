#include "executors/base/platform.h"

#include "tests/support/catch.h"

using namespace drydock;

namespace {
Platform of(const std::string& text) {
  auto platform = parse_platform(text);
  REQUIRE(platform.ok());
  return *platform;
}
}  // namespace

TEST_CASE("platforms are parsed and normalised") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"linux/amd64", "linux/amd64"},
      {"linux/x86_64", "linux/amd64"},
      {"amd64", "linux/amd64"},
      {"linux/amd64/v1", "linux/amd64"},
      {"linux/amd64/v3", "linux/amd64/v3"},
      {"linux/arm64/v8", "linux/arm64"},
      {"linux/aarch64", "linux/arm64"},
      {"Linux/ARM64", "linux/arm64"},
      {"linux/arm", "linux/arm/v7"},
      {"linux/arm/v6", "linux/arm/v6"},
      {"linux/arm/6", "linux/arm/v6"},
      {"linux/armhf", "linux/arm/v7"},
      {"linux/armel", "linux/arm/v6"},
      {"linux/arm/v8", "linux/arm64"},
      {"linux/i386", "linux/386"},
      {"linux/riscv64", "linux/riscv64"},
      {"macos/arm64", "darwin/arm64"},
      {"s390x", "linux/s390x"},
  };
  for (const auto& [text, expected] : table) {
    INFO(text);
    CHECK(of(text).to_string() == expected);
  }
  CHECK(of("linux").architecture == host_platform().architecture);
}

TEST_CASE("malformed platforms are refused") {
  for (const auto* text : {"", "linux/", "/amd64", "linux/arm/v7/x", "linux/am d64", "toaster"}) {
    INFO(text);
    const auto result = parse_platform(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::usage);
    CHECK(result.error().mend.find("linux/arm/v7") != std::string::npos);
  }
}

TEST_CASE("platform lists keep their order and drop repeats") {
  const auto list = parse_platforms("linux/arm64, linux/amd64\nlinux/x86_64,\n");
  REQUIRE(list.ok());
  REQUIRE(list->size() == 2);
  CHECK((*list)[0].to_string() == "linux/arm64");
  CHECK((*list)[1].to_string() == "linux/amd64");
  CHECK(parse_platforms("")->empty());
}

TEST_CASE("what runs without an emulator") {
  CHECK(runs_natively(of("linux/amd64"), of("linux/amd64")));
  CHECK(runs_natively(of("linux/386"), of("linux/amd64")));
  CHECK_FALSE(runs_natively(of("linux/amd64/v3"), of("linux/amd64")));
  CHECK_FALSE(runs_natively(of("linux/arm64"), of("linux/amd64")));
  CHECK_FALSE(runs_natively(of("linux/arm/v7"), of("linux/arm64")));
  CHECK(runs_natively(of("linux/arm/v6"), of("linux/arm/v7")));
  CHECK_FALSE(runs_natively(of("windows/amd64"), of("linux/amd64")));
}

TEST_CASE("ranking of offered platforms") {
  const auto v7 = of("linux/arm/v7");
  CHECK(match_rank(of("linux/arm/v7"), v7) > match_rank(of("linux/arm/v6"), v7));
  CHECK(match_rank(of("linux/arm/v6"), v7) > match_rank(of("linux/arm/v5"), v7));
  CHECK(match_rank(of("linux/arm/v5"), v7) > 0);
  CHECK(match_rank(of("linux/arm/v7"), of("linux/arm/v6")) == 0);
  CHECK(match_rank(of("linux/amd64"), of("linux/arm64")) == 0);
  CHECK(match_rank(of("linux/amd64"), of("linux/amd64/v2")) > 0);
  CHECK(match_rank(of("linux/amd64/v2"), of("linux/amd64")) == 0);
  CHECK(match_rank({"linux", "arm64", "v8", ""}, of("linux/arm64")) ==
        match_rank(of("linux/arm64"), of("linux/arm64")));
  CHECK(match_rank({"unknown", "unknown", "", ""}, of("linux/amd64")) == 0);
}
