#pragma once
// The rules, each in a file of its own. A rule looks at one file and reports; it never stops another one.
// Internal to this room.

#include "parser/lint/context.h"

namespace drydock::parser::lint {

// On the YAML.
void check_shape(LintContext& context);

// On the typed model.
void check_expressions(LintContext& context);
void check_ids(LintContext& context);
void check_needs(LintContext& context);
void check_matrix(LintContext& context);
void check_runner_labels(LintContext& context);
void check_shell_names(LintContext& context);
void check_credentials(LintContext& context);
void check_conditions(LintContext& context);
void check_deprecated_commands(LintContext& context);
void check_variable_names(LintContext& context);
void check_actions(LintContext& context);
void check_workflow_calls(LintContext& context);
void check_scripts(LintContext& context);
void check_builds(LintContext& context);

}  // namespace drydock::parser::lint
