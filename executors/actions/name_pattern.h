#pragma once
// Names (of artifacts) against a pattern, as minimatch with its default options: `*` `?` `[…]`, braces, extended
// forms `@(a|b)` `?(…)` `*(…)` `+(…)` `!(…)`, a leading `!` for the opposite; a leading dot is matched by a dot alone.
// Names hold no slash. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::actions {

/// usage for a pattern that is too long or has too many alternatives.
Result<bool> name_matches(std::string_view pattern, std::string_view name);

/// "a{b,c}{1..3}" → "ab1", "ab2", …
Result<std::vector<std::string>> expand_braces(std::string_view pattern);

}  // namespace drydock::actions
