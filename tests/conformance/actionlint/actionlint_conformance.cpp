// Lints actionlint's test data and compares the places of the findings, file by file; the wording is ours.
// Prints the score. Fails when a case disagrees that is not listed in disagreements.txt, or agrees although
// it is. Skipped (77) when the data is absent.

#include "executors/base/process.h"
#include "parser/lint/lint.h"
#include "runner/lint/lint_settings.h"
#include "runner/lint/script_checker.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace {

namespace fs = std::filesystem;
using drydock::parser::Diagnostics;
using nlohmann::json;

constexpr int k_skipped = 77;

using Place = std::tuple<std::string, int, int>;  // file name, line, column

std::optional<std::string> read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || !fs::is_regular_file(path)) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// Whether every program the case needs is installed here.
bool has_tools(const json& test) {
  const auto& tools = test["needs_tools"];
  return std::all_of(tools.begin(), tools.end(), [](const json& tool) {
    const auto name = tool.get<std::string>();
    return drydock::find_program(name) || drydock::find_program(name + "3");
  });
}

std::string path_of(const std::string& name) {
  return drydock::find_program(name).value_or("");
}

drydock::runner::ScriptChecker& checker() {
  const auto pyflakes = path_of("pyflakes");
  static drydock::runner::ScriptChecker instance(path_of("shellcheck"),
                                                 pyflakes.empty() ? path_of("pyflakes3") : pyflakes);
  return instance;
}

Diagnostics lint_file(const fs::path& path, const fs::path& root, const std::string& shown, bool with_tools) {
  drydock::parser::lint::LintOptions options;
  if (with_tools) {
    options.check_script = [](std::string_view shell, std::string_view script) {
      return checker().check(shell, script);
    };
  }
  options.read_file = [&](std::string_view relative) { return read(root / relative); };
  return drydock::parser::lint::lint(read(path).value_or(""), shown, options);
}

/// A project's workflows, or the one file of the case.
std::vector<fs::path> inputs_of(const fs::path& input) {
  std::vector<fs::path> files;
  if (!fs::is_directory(input)) return {input};
  for (const auto& entry : fs::recursive_directory_iterator(input)) {
    const auto extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".yml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Comparison {
  std::set<Place> missing, surplus;
  std::map<Place, std::string> messages;
  bool agrees() const { return missing.empty() && surplus.empty(); }
};

Comparison compare(const json& test, const fs::path& data) {
  Comparison result;
  const auto input = data / test["input"].get<std::string>();
  const bool is_project = fs::is_directory(input);
  drydock::runner::LintSettings settings;
  if (test.contains("config") && test["config"].is_string()) {
    const auto file = data / test["config"].get<std::string>();
    settings = drydock::runner::read_lint_settings(read(file).value_or(""), file.string()).value();
  }
  for (const auto& path : inputs_of(input)) {
    const auto shown = is_project ? "workflows/" + fs::relative(path, input).string()
                                  : test["display_path"].get<std::string>();
    auto findings = lint_file(path, data / test["project_root"].get<std::string>(), shown, !test["needs_tools"].empty());
    drydock::runner::drop_ignored(findings, settings, shown);
    for (const auto& finding : findings) {
      const Place place{shown, finding.range.start.line, finding.range.start.column};
      result.surplus.insert(place);
      result.messages[place] += "\n      " + finding.message + " [" + finding.rule + "]";
    }
  }
  const auto found = result.surplus;
  for (const auto& expected : test["expected"]) {
    const bool anywhere = expected["line"].is_null() || expected["line"] == 0;
    if (anywhere) {  // no place is named: any finding will do
      if (found.empty()) result.missing.insert({"", 0, 0});
      result.surplus.clear();
      continue;
    }
    const Place place{expected["file"], expected["line"], expected["col"]};
    if (!found.contains(place)) result.missing.insert(place);
    result.surplus.erase(place);
    if (!found.contains(place))
      result.messages[place] = "\n      expected: " + expected["text"].get<std::string>();
  }
  return result;
}

void report(const std::string& id, const Comparison& result) {
  std::cout << "DISAGREES " << id << "\n";
  const auto list = [&](const char* what, const std::set<Place>& places) {
    for (const auto& place : places) {
      const auto& [file, line, column] = place;
      const auto message = result.messages.find(place);
      std::cout << "    " << what << " " << file << ":" << line << ":" << column
                << (message == result.messages.end() ? "" : message->second) << "\n";
    }
  };
  list("missing", result.missing);
  list("surplus", result.surplus);
}

/// Lines "id: reason".
std::map<std::string, std::string> known_disagreements(const char* path) {
  std::map<std::string, std::string> known;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (!line.empty() && line[0] != '#' && colon != std::string::npos)
      known[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return known;
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path data = argc > 1 ? argv[1] : "";
  std::ifstream cases(data / "derived" / "actionlint.cases.json");
  if (!cases) {
    std::cout << "actionlint: skipped, no data at " << data << "\n";
    return k_skipped;
  }
  const auto known = known_disagreements(argc > 2 ? argv[2] : "");
  int agree = 0, total = 0, wrong = 0, untried = 0;
  for (const auto& test : json::parse(cases)) {
    if (!has_tools(test)) {
      ++untried;
      continue;
    }
    ++total;
    const auto id = test["id"].get<std::string>();
    const auto result = compare(test, data);
    if (result.agrees()) ++agree;
    if (result.agrees() && known.contains(id)) {
      ++wrong;
      std::cout << "AGREES NOW, take it off the list: " << id << "\n";
    } else if (!result.agrees() && !known.contains(id)) {
      ++wrong;
      report(id, result);
    }
  }
  std::cout << "actionlint: " << agree << " of " << total << " agree (" << known.size()
            << " known disagreements, " << untried << " left out for want of shellcheck or pyflakes)\n";
  return wrong == 0 && total > 0 ? 0 : 1;
}
