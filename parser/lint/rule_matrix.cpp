#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <algorithm>
#include <map>

namespace drydock::parser::lint {

namespace {

using workflow::Token;

constexpr std::string_view k_rule = "matrix";

std::string shown(const Token& value) {
  std::string text;
  if (value.is_sequence()) {
    for (const auto& item : value.items) text += (text.empty() ? "" : ", ") + shown(item);
    return "[" + text + "]";
  }
  if (value.is_mapping()) {
    for (const auto& [key, entry] : value.entries)
      text += (text.empty() ? "" : ", ") + ("\"" + key.source + "\": ") + shown(entry);
    return "{" + text + "}";
  }
  return "\"" + value.source + "\"";
}

const Token* find(const Token& mapping, const Token& key) {
  const auto wanted = lower(key.source);
  for (const auto& [name, value] : mapping.entries) {
    if (lower(name.source) == wanted) return &value;
  }
  return nullptr;
}

bool is_scalar(const Token& value) {
  return !value.is_mapping() && !value.is_sequence();
}

bool equal(const Token& a, const Token& b) {
  if (is_scalar(a) || is_scalar(b)) return is_scalar(a) && is_scalar(b) && a.source == b.source;
  if (a.kind != b.kind || a.items.size() != b.items.size() || a.entries.size() != b.entries.size())
    return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!equal(a.items[i], b.items[i])) return false;
  }
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const workflow::Entry& entry) {
    const auto* other = find(b, entry.key);
    return other != nullptr && equal(entry.value, *other);
  });
}

bool has_expression(const Token& value) {
  return is_scalar(value) && has_template(value.source);
}

/// Whether `pattern` of an exclude fits the value: part of it, for mappings. What is not known yet fits.
bool fits(const Token& value, const Token& pattern) {
  if (has_expression(value) || has_expression(pattern)) return true;
  if (is_scalar(value) || is_scalar(pattern))
    return is_scalar(value) && is_scalar(pattern) && value.source == pattern.source;
  if (value.kind != pattern.kind || value.items.size() != pattern.items.size()) return false;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (!fits(value.items[i], pattern.items[i])) return false;
  }
  return std::all_of(pattern.entries.begin(), pattern.entries.end(), [&](const workflow::Entry& entry) {
    const auto* other = find(value, entry.key);
    return other != nullptr && fits(*other, entry.value);
  });
}

struct Values {
  std::vector<const Token*> known;
  bool open = false;  // more come from an expression
};

void check_duplicates(LintContext& context, const Token& key, const Token& row) {
  for (std::size_t i = 0; i < row.items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (has_expression(row.items[i]) || !equal(row.items[i], row.items[j])) continue;
      context.report(
          k_rule, row.items[i].range.start,
          "value " + shown(row.items[i]) + " stands twice in \"" + key.source + "\" of the matrix");
      break;
    }
  }
}

void check_exclude(LintContext& context, const Token& exclude, const std::map<std::string, Values>& rows) {
  for (const auto& item : exclude.items) {
    for (const auto& [key, pattern] : item.entries) {
      if (has_template(key.source)) continue;
      const auto row = rows.find(lower(key.source));
      if (row == rows.end()) {
        std::vector<std::string> names;
        for (const auto& known : rows) names.push_back(known.first);
        context.report(k_rule, key.range.start, "\"" + key.source + "\" of \"exclude\" is not in the matrix",
                       "the matrix has " + quoted_list(names));
        continue;
      }
      const auto& values = row->second;
      const bool any = values.open || std::any_of(values.known.begin(), values.known.end(),
                                                  [&, &pattern = pattern](const Token* v) { return fits(*v, pattern); });
      if (any) continue;
      std::string list;
      for (const auto* value : values.known) list += (list.empty() ? "" : ", ") + shown(*value);
      context.report(k_rule, pattern.range.start,
                     shown(pattern) + " of \"exclude\" fits no value of \"" + key.source + "\"",
                     "its values are " + list);
    }
  }
}

void check(LintContext& context, const Token& matrix) {
  std::map<std::string, Values> rows;
  bool open = false;
  const Token *include = nullptr, *exclude = nullptr;
  for (const auto& [key, value] : matrix.entries) {
    if (key.source == "include") {
      include = &value;
    } else if (key.source == "exclude") {
      exclude = &value;
    } else if (has_template(key.source)) {
      open = true;
    } else {
      check_duplicates(context, key, value);
      auto& row = rows[lower(key.source)];
      row.open = has_expression(value);
      for (const auto& item : value.items) row.known.push_back(&item);
    }
  }
  if (include != nullptr) {
    open |= has_expression(*include);
    for (const auto& item : include->items) {
      open |= has_expression(item);
      for (const auto& [key, value] : item.entries) rows[lower(key.source)].known.push_back(&value);
    }
  }
  if (exclude == nullptr || open) return;
  check_exclude(context, *exclude, rows);
}

}  // namespace

void check_matrix(LintContext& context) {
  for (const auto& job : context.workflow->jobs) {
    if (job.strategy && job.strategy->matrix && job.strategy->matrix->is_mapping())
      check(context, *job.strategy->matrix);
  }
}

}  // namespace drydock::parser::lint
