#pragma once
// GitHub's filter patterns for branches, tags and paths: * ** ? + [] ! and backslash. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::workflow {

/// Whether the whole of `text` matches; a leading `!` of the pattern is not looked at here.
bool glob_match(std::string_view pattern, std::string_view text);

/// In order: a pattern includes, a `!pattern` excludes, the last that matches decides.
bool filter_matches(const std::vector<std::string>& patterns, std::string_view text);

/// Empty when the pattern is well formed, else what is wrong with it.
std::string glob_problem(std::string_view pattern);

}  // namespace drydock::parser::workflow
