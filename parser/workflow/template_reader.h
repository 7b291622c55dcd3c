#pragma once
// Template reader: YAML and a schema make a token tree, with GitHub's errors, limits and order.
// Internal to this room. Pure; never throws.

#include "parser/workflow/issue.h"
#include "parser/workflow/schema.h"
#include "parser/workflow/token.h"
#include "parser/yaml/document.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace drydock::parser::workflow {

struct TemplateLimits {
  std::size_t max_file_size = 1024 * 1024;
  std::size_t max_result_size = 10 * 1024 * 1024;
  std::size_t max_nodes = 50'000;  // aliases expanded
  int max_depth = 50;
  std::size_t used_bytes = 0;  // by files read before; GitHub counts one budget for all
};

struct TemplateTree {
  std::optional<Token> root;  // none: the file could not be read at all
  Issues issues;
  std::size_t bytes = 0;
};

TemplateTree read_template(std::string_view text, const Schema& schema, const TemplateLimits& limits);
/// Of a text that is parsed already.
TemplateTree read_template(const yaml::Document& document, const Schema& schema, const TemplateLimits& limits);

}  // namespace drydock::parser::workflow
