#include "parser/lint/rule.h"

namespace drydock::parser::lint {

void check_builds(LintContext&) {}

}  // namespace drydock::parser::lint
