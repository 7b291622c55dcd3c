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
