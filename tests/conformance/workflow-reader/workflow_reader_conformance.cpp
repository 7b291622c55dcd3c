// Compares the template JSON of every case with the expected one. Prints the score; fails on a disagreement.
// Cases called stale by the data are left out. Skipped (77) when the data is absent.

#include "parser/workflow/template_json.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <map>
#include <string>

namespace {

using nlohmann::json;

constexpr int k_skipped = 77;

json actual_of(const json& test) {
  std::map<std::string, std::string> references;
  for (const auto& reference : test["referenced_workflows"]) references[reference["ref"]] = reference["content"];
  const auto options = drydock::parser::workflow::template_options(test["options"]);
  const auto text = test["input"].get<std::string>();
  const auto printed = drydock::parser::workflow::template_json(text, test["file_name"], references, options);
  return json::parse(printed.dump());
}

void report(const std::string& id, const json& expected, const json& actual) {
  std::cout << "DISAGREES " << id << "\n";
  for (const auto& step : json::diff(expected, actual)) std::cout << "    " << step.dump() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "");
  if (!file) {
    std::cout << "workflow-reader: skipped, no data at " << (argc > 1 ? argv[1] : "(no path given)") << "\n";
    return k_skipped;
  }
  int agree = 0, total = 0, stale = 0;
  for (const auto& test : json::parse(file)) {
    if (test.value("known_stale", false)) {
      ++stale;
      continue;
    }
    ++total;
    const auto actual = actual_of(test);
    if (actual == test["expected"]) {
      ++agree;
    } else {
      report(test["id"], test["expected"], actual);
    }
  }
  std::cout << "workflow-reader: " << agree << " of " << total << " agree (" << stale << " stale left out)\n";
  return agree == total && total > 0 ? 0 : 1;
}
