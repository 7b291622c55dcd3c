// Any text as a workflow file: YAML, GitHub's reader with calls that lead back to the text itself, every rule.
// It must end, within the limits of time and memory that tests/fuzz/run sets.

#include "parser/lint/format.h"
#include "parser/lint/lint.h"
#include "parser/workflow/reader.h"

#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drydock::parser;
  const std::string text(reinterpret_cast<const char*>(data), size);
  workflow::Options options;
  options.resolve = [&](std::string_view) { return text; };
  workflow::read_workflow(text, "w.yml", options);
  lint::LintOptions linting;
  linting.read_file = [&](std::string_view) { return text; };
  const auto findings = lint::lint(text, "w.yml", linting);
  lint::format_text(findings, {{"w.yml", text}});
  lint::format_json(findings);
  return 0;
}
