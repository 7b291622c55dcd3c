#include "parser/yaml/complaint.h"

namespace drydock::parser::yaml {

namespace {

struct Mend {
  std::string_view problem, mend;
};

constexpr Mend k_mends[] = {
    {"mapping values are not allowed in this context",
     "put a value that holds ': ' or ends with ':' in quotes, or begin the mapping on a line of its own"},
    {"block sequence entries are not allowed in this context", "begin the list on a line of its own"},
    {"did not find expected key", "check the indentation of this line and of those before it"},
    {"did not find expected '-' indicator", "check the indentation: items of a list begin in one column"},
    {"could not find expected ':'", "write 'key: value', or check the indentation"},
    {"did not find expected ',' or ']'", "close the list with ']'"},
    {"did not find expected ',' or '}'", "close the mapping with '}', or put ${{ … }} in quotes"},
    {"found unknown escape character", "use single quotes, or write the backslash twice"},
    {"did not find expected comment or line break", "put a value that begins with '|' or '>' in quotes"},
    {"found undefined tag handle", "put a value that begins with '!' in quotes, or in ${{ }}"},
    {"did not find expected whitespace or line break", "put the value in quotes"},
    {"did not find expected alphabetic or numeric character", "put a value that begins with '*' or '&' in quotes"},
    {"found duplicate %YAML directive", "leave the line out"},
};

std::string_view mend_of(std::string_view problem) {
  for (const auto& known : k_mends) {
    if (known.problem == problem) return known.mend;
  }
  return {};
}

bool is_tab(const Complaint& complaint) {
  return complaint.problem.starts_with("found a tab character") ||
         (complaint.problem.starts_with("found character that cannot start") &&
          complaint.rest.starts_with('\t'));
}

}  // namespace

bool is_about_beginning(const Complaint& complaint) {
  return complaint.context == "while scanning a quoted scalar" &&
         complaint.problem.starts_with("found unexpected");
}

Explanation explain(const Complaint& complaint) {
  if (is_tab(complaint))
    return {"A tab is used for indentation; YAML allows spaces only", "write spaces instead of the tab"};
  if (is_about_beginning(complaint))
    return {"Not valid YAML: the quoted text that begins here is not closed", {}};
  if (complaint.problem.starts_with("found character that cannot start") && !complaint.rest.empty()) {
    const std::string first(complaint.rest.substr(0, 1));
    return {"Not valid YAML: a value cannot begin with '" + first + "'", "put the value in quotes"};
  }
  std::string message = "Not valid YAML: " + std::string(complaint.problem);
  if (!complaint.context.empty()) message += " " + std::string(complaint.context);
  return {std::move(message), std::string(mend_of(complaint.problem))};
}

}  // namespace drydock::parser::yaml
