#pragma once
// How findings are printed: text with the source line, JSON, SARIF 2.1.0, GitHub's annotations. Pure.

#include "parser/diagnostics/diagnostic.h"

#include <map>
#include <string>

namespace drydock::parser::lint {

/// The text of each file by its name, to show lines of.
using Sources = std::map<std::string, std::string>;

std::string format_text(const Diagnostics& findings, const Sources& sources);

/// One array of {file, line, column, rule, severity, message}; "[]" when clean.
std::string format_json(const Diagnostics& findings);

std::string format_sarif(const Diagnostics& findings, const std::string& version);

/// A workflow command each: "::error file=…,line=…,col=…,title=…::message".
std::string format_github(const Diagnostics& findings);

}  // namespace drydock::parser::lint
