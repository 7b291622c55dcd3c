#include "executors/base/json.h"
#include "executors/base/time.h"
#include "tests/support/catch.h"

using namespace drydock;

TEST_CASE("JSON is parsed into a Result") {
  REQUIRE(parse_json(R"({"a":1})", "x").ok());
  const auto bad = parse_json("{\n  \"a\": oops\n}", "the manifest");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().code == ErrorCode::invalid_input);
  CHECK(bad.error().message.find("the manifest is not valid JSON at line 2, column") == 0);
  CHECK_FALSE(parse_json("", "x").ok());
  CHECK(dump_json(*parse_ordered_json(R"({"b":1,"a":2})", "x")) == R"({"b":1,"a":2})");
  CHECK(dump_json(Json("\xff")) == "\"\xEF\xBF\xBD\"");
}

TEST_CASE("typed getters") {
  const auto json =
      *parse_json(R"({"s":"x","n":5,"neg":-1,"b":true,"l":["a"],"null":null,"f":1.5,"mixed":[1]})", "x");
  CHECK(*json_get<std::string>(json, "s", "doc") == "x");
  CHECK(*json_get<int>(json, "neg", "doc") == -1);
  CHECK(*json_get<std::uint64_t>(json, "n", "doc") == 5);
  CHECK(*json_get<bool>(json, "b", "doc"));
  CHECK(*json_get<std::vector<std::string>>(json, "l", "doc") == std::vector<std::string>{"a"});
  CHECK_FALSE(json_find<std::string>(json, "none", "doc")->has_value());
  CHECK_FALSE(json_find<std::string>(json, "null", "doc")->has_value());
  CHECK(json_get<std::string>(json, "none", "doc").error().message == "doc: \"none\" is missing");
  CHECK(json_get<std::string>(json, "n", "doc").error().message == "doc: \"n\" must be a string");
  CHECK_FALSE(json_get<std::uint64_t>(json, "neg", "doc").ok());
  CHECK_FALSE(json_get<int>(json, "f", "doc").ok());
  CHECK_FALSE(json_get<std::vector<std::string>>(json, "mixed", "doc").ok());
  CHECK_FALSE(json_get<int>(Json::array(), "f", "doc").ok());
  CHECK(json_or(json, "n", std::string("fallback")) == "fallback");
}

TEST_CASE("RFC 3339") {
  using namespace std::chrono;
  const std::vector<std::pair<std::string, std::string>> table = {
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {"2024-02-29T23:59:59.999999999Z", "2024-02-29T23:59:59.999999999Z"},
      {"2024-05-01T12:30:00.120+02:00", "2024-05-01T10:30:00.12Z"},
      {"2024-05-01t12:30:00-00:30", "2024-05-01T13:00:00Z"},
      {"1969-12-31T23:59:59.5z", "1969-12-31T23:59:59.5Z"},
  };
  for (const auto& [text, expected] : table) {
    INFO(text);
    const auto time = parse_rfc3339(text);
    REQUIRE(time.ok());
    CHECK(format_rfc3339(*time, TimePrecision::nanoseconds) == expected);
  }
  const Time time{milliseconds(1'700'000'000'005)};
  CHECK(format_rfc3339(time) == "2023-11-14T22:13:20Z");
  CHECK(format_rfc3339(time, TimePrecision::milliseconds) == "2023-11-14T22:13:20.005Z");
  for (const auto* bad :
       {"", "2024-05-01", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-05-01T24:00:00Z",
        "2024-05-01T00:00:00", "2024-05-01T00:00:00.Z", "2024-05-01T00:00:00Zx"}) {
    INFO(bad);
    CHECK_FALSE(parse_rfc3339(bad).ok());
  }
}
