#pragma once
// Untrusted: values of the github context that anybody may write, and so must not be pasted into scripts.
// Pure.

#include "parser/expression/expression.h"

#include <cstddef>
#include <string>
#include <vector>

namespace drydock::parser::lint {

struct UntrustedRead {
  std::size_t offset = 0;          // bytes in the expression
  std::vector<std::string> paths;  // "github.event.issue.title"; several behind a `.*`
};

/// Readings inside contains(), startsWith() and endsWith() are harmless and left out.
std::vector<UntrustedRead> untrusted_reads(const expression::Ast& ast);

}  // namespace drydock::parser::lint
