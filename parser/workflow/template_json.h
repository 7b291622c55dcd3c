#pragma once
// GitHub's own "template JSON" of a workflow, for conformance suites and `drydock debug parse-workflow`. Pure.

#include "parser/workflow/reader.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>

namespace drydock::parser::workflow {

enum class SourceInfo { left_out, kept };

/// GitHub has two readers whose JSON differs: the service's (input types) and the editor's (events).
enum class Dialect { service, editor };

struct TemplateOptions {
  SourceInfo source = SourceInfo::left_out;
  Dialect dialect = Dialect::service;
  Options read;
};

/// From the options of a conformance case: include-source, permissions-policy, max-result-size,
/// max-nested-reusable-workflows-depth, and skip, which tells the reader a case is for. Unknown keys are ignored.
TemplateOptions template_options(const nlohmann::json& options);

/// {"jobs": …} or {"errors": [{"Message": "<file> (Line: L, Col: C): …"}]}; `references` are the texts of called
/// workflows by their `uses`.
nlohmann::ordered_json template_json(std::string_view text, const std::string& file_name,
                                     const std::map<std::string, std::string>& references, const TemplateOptions& options);

}  // namespace drydock::parser::workflow
