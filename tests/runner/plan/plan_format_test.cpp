#include <set>
#include <sstream>

#include "executors/base/fs.h"
#include "runner/plan/plan.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

void collect(const OrderedJson& json, std::set<std::string>& keys) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      keys.insert(key);
      collect(value, keys);
    }
  } else if (json.is_array()) {
    for (const auto& item : json) collect(item, keys);
  }
}

/// The names between backquotes in the first column of the page's tables.
std::set<std::string> documented(const std::string& page) {
  std::set<std::string> names;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const auto column = line.substr(0, line.find('|', 1));
    for (auto start = column.find('`'); start != std::string::npos;) {
      const auto end = column.find('`', start + 1);
      names.insert(column.substr(start + 1, end - start - 1));
      start = column.find('`', end + 1);
    }
  }
  return names;
}

/// Has something of everything.
Plan full_plan() {
  const Place place{"w.yml", 1, 1};
  PlannedStep step{.number = "1", .values = {{.name = "run", .text = "a", .place = place}, {.name = "shell", .depends_on = {"x"}}}};
  step.build = PlannedBuild{.legs = {{.leg = "linux/arm64", .platform = {"linux", "arm64"}}}};
  PlannedJob called{.id = "inner", .legs = {{.key = "call/inner", .containers = {PlannedContainer{}}, .steps = {step}}}};
  PlannedJob job{.id = "call", .calls = "./c.yml", .legs = {{.key = "call", .inputs = {{.name = "a"}}, .jobs = {called}}}};
  Plan plan;
  plan.workflows.push_back({.file = "w.yml", .jobs = {job}});
  plan.problems.emplace_back();
  return plan;
}

}  // namespace

TEST_CASE("the page on the JSON names what is printed, and nothing else") {
  const auto page = read_file(std::string(DRYDOCK_SOURCE_DIR) + "/docs/formats/plan.md");
  REQUIRE(page.ok());
  std::set<std::string> printed;
  collect(to_json(full_plan()), printed);
  CHECK(documented(*page) == printed);
  CHECK(page->find("This is schema " + std::to_string(Plan::k_schema) + ".") != std::string::npos);
}
