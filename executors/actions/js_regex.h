#pragma once
// JavaScript regular expressions, for patterns in inputs. std::regex's ECMAScript grammar with what it lacks
// translated (named groups, flag s) or refused (lookbehind, \p{…}, flags u and v). Pure; the texts are short.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::actions {

/// What String.match gives: the whole match and the groups, a group that took no part being nothing; with flag g
/// all whole matches. No value when nothing matches.
using JsMatch = std::vector<std::optional<std::string>>;
Result<std::optional<JsMatch>> js_match(const std::string& text, const std::string& pattern, std::string_view flags = {});

}  // namespace drydock::actions
