// GitHub's own expression cases against eval-batch. Prints "expressions: N of M agree"; fails on any
// disagreement; exit status 77 (skipped) without the data.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "parser/expression/eval_batch.h"

namespace {

using nlohmann::json;

bool agrees(const json& expected, const json& actual) {
  const auto& error = expected["expect_error"];
  if (error.is_null()) {
    return actual.contains("kind") && actual["kind"] == expected["expect"]["kind"] &&
           actual["value"] == expected["expect"]["value"];
  }
  if (!actual.contains("error") || actual["error"]["phase"] != error["kind"]) return false;
  return actual["error"]["message"].get<std::string>().find(error["value"].get<std::string>()) !=
         std::string::npos;
}

}  // namespace

int main() {
  constexpr int k_skipped = 77;
  const char* folder = std::getenv("DRYDOCK_CONFORMANCE");
  const std::string path = std::string(folder ? folder : "") + "/derived/expressions.cases.jsonl";
  std::ifstream file(path);
  if (!file) {
    std::cout << "expressions: skipped, no data at " << path << " (set DRYDOCK_CONFORMANCE)\n";
    return k_skipped;
  }
  std::vector<json> cases;
  std::stringstream input, output;
  for (std::string line; std::getline(file, line);) {
    cases.push_back(json::parse(line));
    input << line << '\n';  // its "expr" and "contexts" are what eval-batch reads
  }
  if (!drydock::parser::expression::run_eval_batch(input, output)) return EXIT_FAILURE;

  std::size_t agreed = 0;
  for (const auto& expected : cases) {
    std::string line;
    std::getline(output, line);
    const auto actual = json::parse(line);
    if (agrees(expected, actual)) {
      ++agreed;
      continue;
    }
    std::cout << expected["id"].get<std::string>() << ": " << expected["expr"] << "\n  expected "
              << (expected["expect_error"].is_null() ? expected["expect"] : expected["expect_error"])
              << "\n  actual   " << line << '\n';
  }
  std::cout << "expressions: " << agreed << " of " << cases.size() << " agree\n";
  return agreed == cases.size() && !cases.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}
