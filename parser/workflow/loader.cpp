#include "parser/workflow/loader.h"

#include "parser/expression/value.h"
#include "parser/workflow/converter.h"
#include "parser/workflow/template_reader.h"

#include <algorithm>

namespace drydock::parser::workflow {

namespace {

using expression::equal_ignoring_case;

class Loader {
 public:
  explicit Loader(const Options& options) : options_(options) {}

  Loaded load(std::string_view text, std::string file) {
    Loaded loaded;
    loaded.workflow = read(text, std::move(file));
    if (loaded.workflow && !failed() && options_.resolve) calls(*loaded.workflow, 1);
    loaded.issues = std::move(issues_);
    return loaded;
  }

 private:
  bool failed() const {
    return std::any_of(issues_.begin(), issues_.end(), [](const Issue& issue) { return issue.severity == Severity::error; });
  }

  std::optional<Workflow> read(std::string_view text, std::string file) {
    TemplateLimits limits;
    limits.max_file_size = options_.max_file_size;
    limits.max_result_size = options_.max_result_size;
    limits.max_depth = options_.max_depth;
    limits.used_bytes = used_bytes_;
    auto tree = read_template(text, workflow_schema(), limits);
    used_bytes_ = tree.bytes;
    std::optional<Workflow> workflow;
    if (tree.root) {
      if (tree.root->is_mapping()) {
        soften_dispatch_keys(*tree.root, tree.issues);
        Converter converter(tree.issues);
        workflow = converter.workflow(*tree.root, file);
      }
    }
    for (auto& issue : tree.issues) {
      issue.file = file;
      issues_.push_back(std::move(issue));
    }
    return workflow;
  }

  /// GitHub's service ignores keys it does not know right below workflow_dispatch.
  void soften_dispatch_keys(const Token& root, Issues& issues) const {
    if (options_.unknown_dispatch_keys == UnknownDispatchKeys::refused) return;
    const auto* on = root.find("on");
    const auto* dispatch = on == nullptr ? nullptr : on->find("workflow_dispatch");
    if (dispatch == nullptr || !dispatch->is_mapping()) return;
    for (auto& issue : issues) {
      const bool inside = issue.at >= dispatch->range.start && issue.at < dispatch->range.end;
      const bool is_key = issue.at.column == dispatch->range.start.column;
      if (inside && is_key && issue.message.starts_with("Unexpected value '")) issue.severity = Severity::warning;
    }
  }

  void calls(Workflow& workflow, int depth);

  const Options& options_;
  Issues issues_;
  std::size_t used_bytes_ = 0;
};

void Loader::calls(Workflow&, int) {}

}  // namespace

Loaded load_workflow(std::string_view text, std::string file_name, const Options& options) {
  return Loader(options).load(text, std::move(file_name));
}

}  // namespace drydock::parser::workflow
