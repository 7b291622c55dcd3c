#include "runner/cli/called_workflows.h"

#include "executors/base/fs.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

const std::string k_file = "/.github/workflows/x.yml";

void write(const std::string& root, const std::string& text) {
  REQUIRE(make_directories(root + "/.github/workflows").ok());
  REQUIRE(write_file_atomic(root + k_file, text).ok());
}

}  // namespace

TEST_CASE("where the text of a called workflow comes from") {
  auto dir = TempDir::create().value();
  const std::string own = dir.path() + "/own", v1 = dir.path() + "/v1", any = dir.path() + "/any", store = dir.path() + "/store";
  for (const auto& root : {own, v1, any, store}) write(root, "# " + root.substr(root.rfind('/') + 1));
  std::vector<std::string> asked;
  const FetchRepository fetch = [&](const std::string& repository, const std::string& ref) -> Result<std::optional<std::string>> {
    asked.push_back(repository + "@" + ref);
    if (repository == "org/down") return make_error(ErrorCode::network, "the server does not answer");
    if (repository == "org/far") return std::optional<std::string>();
    return std::optional(store);
  };
  CalledWorkflows called(own, {{"org/shared", "v1", v1}, {"Org/Any", "", any}}, fetch);
  struct Row {
    const char *uses, *text;
  };
  const Row rows[] = {
      {"./.github/workflows/x.yml", "# own"},
      {"./.github/workflows/y.yml", nullptr},
      {"org/shared/.github/workflows/x.yml@v1", "# v1"},
      {"org/shared/.github/workflows/x.yml@v2", "# store"},
      {"org/any/.github/workflows/x.yml@main", "# any"},
      {"org/any/../../own/.github/workflows/x.yml@main", nullptr},
      {"org/more/.github/workflows/x.yml@main", "# store"},
      {"org/more/.github/workflows/y.yml@main", nullptr},
      {"org/far/.github/workflows/x.yml@main", nullptr},
      {"org/down/.github/workflows/x.yml@main", nullptr},
      {"nonsense", nullptr},
  };
  for (const auto& row : rows) {
    INFO(row.uses);
    const auto text = called.text(row.uses);
    REQUIRE(text.has_value() == (row.text != nullptr));
    if (text) CHECK(*text == row.text);
  }
  CHECK(asked.front() == "org/shared@v2");
  REQUIRE(called.failures().size() == 1);
  CHECK(called.failures()[0].find("org/down/.github/workflows/x.yml@main cannot be fetched: the server does not answer") != std::string::npos);
  CHECK(called.texts().at("./.github/workflows/x.yml") == "# own");
}

TEST_CASE("--action-source") {
  auto dir = TempDir::create().value();
  const auto good = parse_repository_source("o/r@v1=" + dir.path());
  REQUIRE(good.ok());
  CHECK(good->repository == "o/r");
  CHECK(good->ref == "v1");
  CHECK(good->path == dir.path());
  CHECK(parse_repository_source("o/r=" + dir.path())->ref.empty());
  for (const char* text : {"o/r", "o=/tmp", "/r=/tmp", "o/=/tmp", "o/r/s=/tmp", "o/r=/no/such/directory"}) {
    INFO(text);
    CHECK(parse_repository_source(text).error().code == ErrorCode::usage);
  }
}
