#include "parser/dockerfile/check_report.h"

#include <utility>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

VariableNames names_in(std::string_view list) {
  VariableNames names;
  for (const auto& name : split(list, ',')) names.emplace(trim(name));
  return names;
}

}  // namespace

ParsedCheckConfig parse_check_config(std::string_view text) {
  ParsedCheckConfig result;
  if (trim(text).empty()) return result;
  for (const auto& option : split(trim(text), ';')) {
    const auto equals = option.find('=');
    const auto key = trim(std::string_view(option).substr(0, equals));
    const auto value = equals == std::string::npos ? std::string_view{} : trim(std::string_view(option).substr(equals + 1));
    auto& config = result.config;
    if (equals != std::string::npos && key == "skip") {
      if (value == "all") {
        config.skip_all = true;
      } else {
        config.skip.merge(names_in(value));
      }
    } else if (equals != std::string::npos && key == "experimental") {
      if (value == "all") {
        config.experimental_all = true;
      } else {
        config.experimental.merge(names_in(value));
      }
    } else if (key == "error" && (lower(value) == "true" || value == "1")) {
      config.error = true;
    } else if (key == "error" && (lower(value) == "false" || value == "0")) {
      config.error = false;
    } else {
      result.error = "invalid check option \"" + option + "\"";
      return result;
    }
  }
  return result;
}

CheckConfig CheckReport::merged(const std::vector<std::string>& comments) const {
  for (const auto& comment : comments) {
    const auto equals = comment.find('=');
    if (equals == std::string::npos || lower(trim(std::string_view(comment).substr(0, equals))) != "check") continue;
    const auto value = trim(std::string_view(comment).substr(equals + 1));
    auto own = parse_check_config(value.substr(0, value.find(' ')));
    if (!own.error.empty()) return config_;
    auto config = config_;
    config.skip_all = config.skip_all || own.config.skip_all;
    config.experimental_all = config.experimental_all || own.config.experimental_all;
    config.skip.merge(own.config.skip);
    config.experimental.merge(own.config.experimental);
    return config;
  }
  return config_;
}

void CheckReport::push(std::string_view rule, Range range, std::string message, std::string mend) {
  found_.push_back({config_.error ? Severity::error : Severity::warning, ast_.file, range, std::string(rule),
                    std::move(message), std::move(mend)});
}

void CheckReport::find(std::string_view rule, Range range, const std::vector<std::string>& comments,
                       std::string message, std::string mend) {
  const auto config = merged(comments);
  if (config.skip_all || config.skip.count(rule) > 0) return;
  push(rule, range, std::move(message), std::move(mend));
}

void CheckReport::find_experimental(std::string_view rule, Range range, const std::vector<std::string>& comments,
                                    std::string message, std::string mend) {
  const auto config = merged(comments);
  if (!config.experimental_all && config.experimental.count(rule) == 0) return;
  push(rule, range, std::move(message), std::move(mend));
}

void CheckReport::add(Diagnostics errors) {
  for (auto& error : errors) found_.push_back(std::move(error));
}

Diagnostics CheckReport::take() && {
  sort_unique(found_);
  return std::move(found_);
}

}  // namespace drydock::parser::dockerfile
