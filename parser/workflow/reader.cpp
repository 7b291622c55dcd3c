#include "parser/workflow/reader.h"

#include "parser/workflow/loader.h"

namespace drydock::parser::workflow {

ReadResult read_workflow(std::string_view text, std::string file_name, const Options& options) {
  auto loaded = load_workflow(text, std::move(file_name), options);
  ReadResult result;
  result.workflow = std::move(loaded.workflow);
  for (const auto& issue : loaded.issues) result.diagnostics.push_back(to_diagnostic(issue));
  sort_unique(result.diagnostics);
  return result;
}

}  // namespace drydock::parser::workflow
