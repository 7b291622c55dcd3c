#include "parser/dockerfile/flags.h"

#include <algorithm>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

Wrong unknown_flag(std::string_view flag, std::string_view instruction, std::initializer_list<FlagSpec> specs) {
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back("--" + std::string(spec.name));
  const auto near = near_miss(flag, names, Case::sensitive);
  std::string mend = names.empty()   ? "leave it out: " + std::string(instruction) + " takes no flags"
                     : near.empty() ? "it takes " + join(names, ", ")
                                     : "did you mean " + near + "?";
  return {std::string(instruction) + " has no flag " + std::string(flag), std::move(mend), std::string(flag)};
}

std::string boolean_text(std::string_view flag, const std::optional<std::string>& value) {
  const auto text = value ? lower(*value) : "true";
  if (text == "true" || text == "false") return text;
  throw Wrong{"the flag " + std::string(flag) + " takes true or false, not \"" + *value + "\"",
              "write " + std::string(flag) + " or " + std::string(flag) + "=false", std::string(flag)};
}

}  // namespace

Flags::Flags(const std::vector<std::string>& words, std::string_view instruction,
             std::initializer_list<FlagSpec> specs) {
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const auto flag = word.substr(0, equals);
    const auto value = equals == std::string::npos ? std::nullopt : std::optional(word.substr(equals + 1));
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const FlagSpec& known) { return flag.substr(2) == known.name; });
    if (spec == specs.end()) throw unknown_flag(flag, instruction, specs);
    auto& values = values_[std::string(spec->name)];
    if (!values.empty() && spec->kind != FlagKind::list) {
      throw Wrong{"the flag " + flag + " is given twice", "keep one of them", flag};
    }
    if (spec->kind == FlagKind::boolean) {
      values.push_back(boolean_text(flag, value));
    } else if (!value) {
      throw Wrong{"the flag " + flag + " needs a value", "write " + flag + "=VALUE", flag};
    } else {
      values.push_back(*value);
    }
  }
}

std::string Flags::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second.front();
}

std::vector<std::string> Flags::list(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::optional<bool> Flags::boolean(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.front() == "true";
}

}  // namespace drydock::parser::dockerfile
