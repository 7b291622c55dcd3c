#include "executors/base/text.h"

#include "tests/support/catch.h"

using namespace drydock;

TEST_CASE("text: lower case is that of ASCII", "[text]") {
  CHECK(lower("GHCR.io/Team") == "ghcr.io/team");
  CHECK(lower("Ä[@`{") == "Ä[@`{");
}

TEST_CASE("text: the first line that says something", "[text]") {
  CHECK(first_line("one") == "one");
  CHECK(first_line("one\ntwo") == "one");
  CHECK(first_line("one\r\ntwo") == "one");
  CHECK(first_line("\n  \t\n  one \ntwo") == "one ");
  CHECK(first_line(" \n\t") == "");
  CHECK(first_line("") == "");
}

TEST_CASE("text: sizes for people", "[text]") {
  const std::pair<std::uint64_t, const char*> sizes[] = {
      {0, "0 B"},          {999, "999 B"},          {1000, "1.0 kB"},           {999'949, "999.9 kB"},
      {999'950, "1.0 MB"}, {12'345'678, "12.3 MB"}, {1'500'000'000, "1.5 GB"}, {7'000'000'000'000, "7.0 TB"},
  };
  for (const auto& [bytes, text] : sizes) CHECK(size_text(bytes) == text);
}
