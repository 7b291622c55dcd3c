#pragma once
// LintContext: one file under lint, and where its findings go. Internal to this room; one thread each.

#include "parser/lint/lint.h"
#include "parser/workflow/model.h"
#include "parser/yaml/document.h"
#include "parser/yaml/places.h"

#include <string>
#include <string_view>

namespace drydock::parser::lint {

class LintContext {
 public:
  LintContext(std::string_view text, const std::string& file, const LintOptions& options,
              Diagnostics& findings)
      : options(options), places(text), file(file), findings_(findings) {}

  void report(std::string_view rule, Position at, std::string message, std::string mend = {});

  /// The place of a byte of a scalar's value (Token::source), through quotes, escapes and block indentation.
  Position place_in(const workflow::Token& token, std::size_t value_offset) const;

  const LintOptions& options;
  const yaml::Places places;
  const std::string& file;
  const yaml::Document* document = nullptr;
  const workflow::Workflow* workflow = nullptr;  // null when the file cannot be read at all

 private:
  std::size_t offset_of(Position at) const;

  Diagnostics& findings_;
};

/// "a", "b" and "c" in quotes, as messages list names.
std::string quoted_list(const std::vector<std::string>& names);

std::string lower(std::string_view text);

}  // namespace drydock::parser::lint
