#include "parser/workflow/matrix.h"

#include <algorithm>
#include <optional>

namespace drydock::parser::workflow {

namespace {

using expression::Items;
using expression::Kind;
using expression::Object;
using expression::Value;

/// Every literal of the filter equals what the combination has there, by GitHub's loose comparison.
bool matches(const Value& filter, const Value& value) {
  if (filter.kind() == Kind::object) {
    const auto& members = filter.object();
    return std::all_of(members.begin(), members.end(),
                       [&](const Object::Member& member) { return matches(member.value, value.member(member.name)); });
  }
  if (filter.kind() == Kind::array) {
    const auto& items = filter.items();
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!matches(items[i], value.item(static_cast<double>(i)))) return false;
    }
    return true;
  }
  return expression::equal(value, filter);
}

/// What names the job: the scalars at any depth, in order.
void add_names(const Value& value, std::string& names) {
  if (value.kind() == Kind::object) {
    for (const auto& member : value.object()) add_names(member.value, names);
  } else if (value.kind() == Kind::array) {
    for (const auto& item : value.items()) add_names(item, names);
  } else if (const auto text = value.to_string(); !text.empty()) {
    names += (names.empty() ? "" : ", ") + text;
  }
}

struct Include {
  Object filter;  // keys that are vectors
  Object extra;   // all others
  bool matched = false;
};

class Builder {
 public:
  MatrixExpansion run(const Value& matrix) {
    if (matrix.kind() != Kind::object) return failed("The matrix must be a mapping");
    for (const auto& [name, value] : matrix.object()) {
      if (expression::equal_ignoring_case(name, "include") || expression::equal_ignoring_case(name, "exclude")) continue;
      if (value.kind() != Kind::array) return failed("Matrix vector '" + name + "' must be a list");
      if (value.items().empty()) return failed("Matrix vector '" + name + "' does not contain any values");
      vectors_.set(name, value);
    }
    if (auto problem = add_includes(matrix.member("include")); !problem.empty()) return failed(std::move(problem));
    if (auto problem = add_excludes(matrix.member("exclude")); !problem.empty()) return failed(std::move(problem));
    if (vectors_.empty() && includes_.empty()) return failed("Matrix must define at least one vector");
    return expand();
  }

 private:
  static MatrixExpansion failed(std::string problem) { return {{}, {}, std::move(problem)}; }

  std::string add_includes(const Value& list) {
    if (list.is_null()) return {};
    if (list.kind() != Kind::array) return "Matrix include must be a list";
    for (const auto& item : list.items()) {
      if (item.kind() != Kind::object) return "Matrix include item must be a mapping";
      Include include;
      for (const auto& [name, value] : item.object()) {
        (vectors_.find(name) != nullptr ? include.filter : include.extra).set(name, value);
      }
      if (include.filter.empty() && include.extra.empty()) return "Matrix include mapping does not contain any values";
      includes_.push_back(std::move(include));
    }
    return {};
  }

  std::string add_excludes(const Value& list) {
    if (list.is_null()) return {};
    if (list.kind() != Kind::array) return "Matrix exclude must be a list";
    for (const auto& item : list.items()) {
      if (item.kind() != Kind::object) return "Matrix exclude item must be a mapping";
      if (item.object().empty()) return "Matrix exclude filter must not be empty";
      for (const auto& [name, value] : item.object()) {
        if (vectors_.find(name) == nullptr) {
          return "Matrix exclude key '" + name + "' does not match any key within the matrix";
        }
      }
      excludes_.push_back(item);
    }
    return {};
  }

  std::optional<std::size_t> product() const {
    if (vectors_.empty()) return 0;
    std::size_t size = 1;
    for (const auto& vector : vectors_) {
      size *= vector.value.items().size();
      if (size > k_most_products) return std::nullopt;
    }
    return size;
  }

  MatrixExpansion expand() {
    const auto size = product();
    if (!size) return failed(too_many());
    for (std::size_t index = 0; index < *size; ++index) {
      combination(index, *size);
      if (result_.combinations.size() > k_max_matrix_jobs) return failed(too_many());
    }
    for (const auto& include : includes_) {
      if (!include.matched) alone(include);
    }
    if (result_.combinations.size() > k_max_matrix_jobs) return failed(too_many());
    return std::move(result_);
  }

  void combination(std::size_t index, std::size_t size) {
    Object combination;
    for (const auto& [name, vector] : vectors_) {
      size /= vector.items().size();
      combination.set(name, vector.items()[index / size % vector.items().size()]);
    }
    const Value value(combination);
    for (const auto& exclude : excludes_) {
      if (matches(exclude, value)) return;
    }
    std::string names;
    add_names(value, names);
    for (auto& include : includes_) {
      if (!matches(Value(include.filter), value)) continue;
      include.matched = true;
      for (const auto& [name, extra] : include.extra) combination.set(name, extra);
    }
    add(std::move(combination), std::move(names));
  }

  void alone(const Include& include) {
    Object combination = include.filter;
    for (const auto& [name, extra] : include.extra) combination.set(name, extra);
    std::string names;
    add_names(Value(combination), names);
    add(std::move(combination), std::move(names));
  }

  void add(Object combination, std::string names) {
    result_.combinations.emplace_back(std::move(combination));
    result_.suffixes.push_back(names.empty() ? std::string{} : " (" + names + ")");
  }

  static std::string too_many() {
    return "The strategy's matrix gives more than the " + std::to_string(k_max_matrix_jobs) + " jobs that are allowed";
  }

  // More combinations than this are not worth filtering: exclude could never bring them below the limit in time.
  static constexpr std::size_t k_most_products = 100'000;

  Object vectors_;
  std::vector<Include> includes_;
  std::vector<Value> excludes_;
  MatrixExpansion result_;
};

}  // namespace

MatrixExpansion expand_matrix(const Value& matrix) { return Builder().run(matrix); }

}  // namespace drydock::parser::workflow
