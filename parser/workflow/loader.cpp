#include "parser/workflow/loader.h"

#include "parser/workflow/call_rules.h"
#include "parser/workflow/converter.h"
#include "parser/workflow/template_reader.h"

#include <algorithm>

namespace drydock::parser::workflow {

namespace {

class Loader {
 public:
  explicit Loader(const Options& options) : options_(options) {}

  Loaded load(std::string_view text, std::string file) {
    Loaded loaded;
    loaded.workflow = read(text, std::move(file), options_.document);
    if (loaded.workflow && !failed() && options_.resolve) calls(*loaded.workflow, 1);
    loaded.issues = std::move(issues_);
    return loaded;
  }

 private:
  bool failed() const {
    return std::any_of(issues_.begin(), issues_.end(), [](const Issue& issue) { return issue.severity == Severity::error; });
  }

  std::optional<Workflow> read(std::string_view text, std::string file, const yaml::Document* document = nullptr) {
    TemplateLimits limits;
    limits.max_file_size = options_.max_file_size;
    limits.max_result_size = options_.max_result_size;
    limits.max_depth = options_.max_depth;
    limits.used_bytes = used_bytes_;
    auto tree = document == nullptr ? read_template(text, workflow_schema(), limits) : read_template(*document, workflow_schema(), limits);
    used_bytes_ = tree.bytes;
    std::optional<Workflow> workflow;
    if (tree.root && tree.root->is_mapping()) {
      soften_dispatch_keys(*tree.root, tree.issues);
      workflow = Converter(tree.issues).workflow(*tree.root, file);
      limit_jobs(*workflow, tree.issues);
    }
    take(std::move(tree.issues), file);
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

  void limit_jobs(const Workflow& workflow, Issues& issues) {
    for (const auto& job : workflow.jobs) {
      if (++jobs_ != options_.max_jobs + 1 || options_.max_jobs <= 0) continue;
      issues.push_back({Stage::model, Severity::error, {}, job.range.start, job.range, "schema",
                        "Workflows may not contain more than " + std::to_string(options_.max_jobs) +
                            " jobs across all referenced files", {}, {}});
    }
  }

  void calls(Workflow& workflow, int depth);
  void call(const Workflow& caller, Job& job, int depth);
  void take(Issues issues, const std::string& file);
  void name_caller(std::size_t first, const std::string& file, Position place);

  const Options& options_;
  Issues issues_;
  std::size_t used_bytes_ = 0;
  int jobs_ = 0;
};

/// "./x" of a workflow of another repository lies in that repository, at the same ref.
std::string full_reference(const std::string& uses, const std::string& caller) {
  if (!uses.starts_with("./")) return uses;
  const auto at = caller.find('@');
  const auto slash = caller.find('/', caller.find('/') + 1);
  if (at == std::string::npos || slash == std::string::npos || slash > at) return uses;
  return caller.substr(0, slash + 1) + uses.substr(2) + caller.substr(at);
}

void Loader::calls(Workflow& workflow, int depth) {
  for (auto& job : workflow.jobs) {
    if (!job.is_call()) continue;
    call(workflow, job, depth);
    if (failed()) return;
  }
}

void Loader::call(const Workflow& caller, Job& job, int depth) {
  if (depth > options_.max_call_depth) {
    issues_.push_back({Stage::call, Severity::error, caller.file, {}, job.uses->range, "schema",
                       "Nested reusable workflow depth exceeded " + std::to_string(options_.max_call_depth) + ".", {}, {}});
    return;
  }
  const auto reference = full_reference(job.uses->text, caller.file);
  const auto text = options_.resolve(reference);
  if (!text) return;
  const auto before = issues_.size();
  auto called = read(*text, reference);
  if (called && !failed()) {
    Issues here, there;
    check_call(job, *called, here, there);
    check_call_permissions(job, *called, options_.permissions_policy, here);
    pass_permissions(job, *called);
    take(std::move(there), reference);
    take(std::move(here), caller.file);
  }
  name_caller(before, caller.file, job.uses->range.start);
  if (!called || failed()) return;
  calls(*called, depth + 1);
  job.called = std::make_shared<const Workflow>(std::move(*called));
}

void Loader::take(Issues issues, const std::string& file) {
  for (auto& issue : issues) {
    issue.file = file;
    issues_.push_back(std::move(issue));
  }
}

void Loader::name_caller(std::size_t first, const std::string& file, Position place) {
  for (auto i = first; i < issues_.size(); ++i) {
    if (issues_[i].file == file) continue;
    issues_[i].caller = "In " + file + " (Line: " + std::to_string(place.line) + ", Col: " + std::to_string(place.column) +
                        "): Error from called workflow ";
  }
}

}  // namespace

Loaded load_workflow(std::string_view text, std::string file_name, const Options& options) {
  return Loader(options).load(text, std::move(file_name));
}

}  // namespace drydock::parser::workflow
