#include "parser/workflow/schema.h"

#include "parser/workflow/schema_tables.h"

#include <array>
#include <limits>
#include <stdexcept>

namespace drydock::parser::workflow {

namespace {

struct Name {
  std::string_view word;  // as in the tables
  int least = -1;         // arguments of a function; -1: a context
  int most = -1;
};

constexpr int k_many = std::numeric_limits<int>::max();

// A bit of Allowed each. `failure*` takes job ids, as it may in a job's `if`.
constexpr std::array k_names = {
    Name{"github"}, Name{"inputs"}, Name{"vars"}, Name{"needs"}, Name{"strategy"}, Name{"matrix"},
    Name{"secrets"}, Name{"steps"}, Name{"job"}, Name{"runner"}, Name{"env"}, Name{"jobs"},
    Name{"hashFiles", 1, 255}, Name{"always", 0, 0}, Name{"cancelled", 0, 0}, Name{"success", 0, 0},
    Name{"failure", 0, 0}, Name{"success*", 0, k_many}, Name{"failure*", 0, k_many},
};

Allowed bit_of(std::string_view word) {
  for (std::size_t i = 0; i < k_names.size(); ++i) {
    if (k_names[i].word == word) return Allowed{1} << i;
  }
  throw std::logic_error("schema: unknown context " + std::string(word));
}

}  // namespace

const Property* MappingRule::find(std::string_view name) const {
  for (const auto& property : properties) {
    if (property.name == name) return &property;
  }
  return nullptr;
}

expression::Scope scope_for(Allowed allowed) {
  expression::Scope scope;
  for (std::size_t i = 0; i < k_names.size(); ++i) {
    if ((allowed >> i & 1) == 0) continue;
    auto word = k_names[i].word;
    if (word.ends_with('*')) word.remove_suffix(1);
    if (k_names[i].least < 0) {
      scope.add_name(word);
    } else {
      scope.add_function(word, {k_names[i].least, k_names[i].most});
    }
  }
  return scope;
}

/// Notation, a definition a line or more, ended by `;`:
///   name = A | B            one of; a name before it is defined is fine
///   'word'                  this string;  A+ means A or a list of A;  [A] a list
///   { key: A, key!: A, *: A, **: A }   a mapping; `!` required; `*` any non-empty key, `**` any key
///   name = A @ github env   expressions may use these, and what is allowed above
class SchemaCompiler {
 public:
  SchemaCompiler(Schema& schema, std::string_view text) : schema_(schema), text_(text) {}

  void run() {
    add_basics();
    for (next(); !token_.empty(); next()) statement();
    done_.assign(alternatives_.size(), false);
    for (std::size_t id = 0; id < alternatives_.size(); ++id) flatten(static_cast<DefinitionId>(id));
  }

 private:
  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }

  DefinitionId make() {
    schema_.definitions_.emplace_back();
    alternatives_.emplace_back();
    return static_cast<DefinitionId>(schema_.definitions_.size() - 1);
  }

  Definition& at(DefinitionId id) { return schema_.definitions_[static_cast<std::size_t>(id)]; }

  DefinitionId named(std::string_view name) {
    const auto found = schema_.names_.find(name);
    if (found != schema_.names_.end()) return found->second;
    const auto id = make();
    schema_.names_[name] = id;
    return id;
  }

  void add_basics() {
    at(named("null")).null = true;
    at(named("boolean")).boolean = true;
    at(named("number")).number = true;
    at(named("string")).strings.push_back({});
    at(named("text")).strings.push_back({{}, true});
    const auto any = named("any");
    const auto sequence = named("sequence");
    const auto mapping = named("mapping");
    at(sequence).item = any;
    auto& rule = schema_.rules_.emplace_back(std::make_unique<MappingRule>());
    rule->loose_key = named("string");
    rule->loose_value = any;
    at(mapping).mappings.push_back(rule.get());
    for (const auto name : {"null", "boolean", "number", "string", "sequence", "mapping"}) {
      alternatives_[static_cast<std::size_t>(any)].push_back(named(name));
    }
  }

  void next() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
    const auto begin = position_;
    if (begin == text_.size()) {
      token_ = {};
      return;
    }
    if (text_[position_] == '\'') {
      position_ = text_.find('\'', begin + 1) + 1;
    } else if (is_word(text_[position_])) {
      while (position_ < text_.size() && is_word(text_[position_])) ++position_;
    } else {
      ++position_;
      if (text_.substr(begin, 2) == "**") ++position_;
    }
    token_ = text_.substr(begin, position_ - begin);
  }

  void expect(std::string_view token) {
    if (token_ != token) {
      throw std::logic_error("schema: expected " + std::string(token) + " before " + std::string(text_.substr(position_, 40)));
    }
    next();
  }

  void statement() {
    const auto id = named(token_);
    next();
    expect("=");
    const auto meaning = expression();  // may grow alternatives_
    alternatives_[static_cast<std::size_t>(id)].push_back(meaning);
    if (token_ == "@") {
      for (next(); token_ != ";"; next()) at(id).allowed |= context_word();
    }
    if (token_ != ";") expect(";");
  }

  Allowed context_word() {
    auto word = token_;
    if (position_ < text_.size() && text_[position_] == '*') {
      ++position_;
      word = text_.substr(static_cast<std::size_t>(word.data() - text_.data()), word.size() + 1);
    }
    return bit_of(word);
  }

  DefinitionId expression() {
    const auto first = atom();
    if (token_ != "|") return first;
    const auto id = make();
    alternatives_[static_cast<std::size_t>(id)].push_back(first);
    while (token_ == "|") {
      next();
      const auto other = atom();
      alternatives_[static_cast<std::size_t>(id)].push_back(other);
    }
    return id;
  }

  DefinitionId atom() {
    const auto id = primary();
    if (token_ != "+") return id;
    next();
    const auto list = make();
    at(list).item = id;
    const auto both = make();
    alternatives_[static_cast<std::size_t>(both)] = {id, list};
    return both;
  }

  DefinitionId primary() {
    if (token_ == "{") return mapping();
    if (token_ == "(" || token_ == "[") {
      const bool list = token_ == "[";
      next();
      const auto inner = expression();
      expect(list ? "]" : ")");
      if (!list) return inner;
      const auto id = make();
      at(id).item = inner;
      return id;
    }
    if (token_.starts_with('\'')) {
      const auto id = make();
      at(id).strings.push_back({token_.substr(1, token_.size() - 2), false});
      next();
      return id;
    }
    const auto id = named(token_);
    next();
    return id;
  }

  DefinitionId mapping() {
    const auto id = make();
    auto* rule = schema_.rules_.emplace_back(std::make_unique<MappingRule>()).get();
    for (next(); token_ != "}";) {
      const auto key = token_;
      next();
      const bool required = token_ == "!";
      if (required) next();
      expect(":");
      const auto type = expression();
      if (key == "*" || key == "**") {
        rule->loose_key = named(key == "*" ? "text" : "string");
        rule->loose_value = type;
      } else {
        rule->properties.push_back({key, type, required});
      }
      if (token_ == ",") next();
    }
    next();
    at(id).mappings.push_back(rule);
    return id;
  }

  void flatten(DefinitionId id) {
    if (done_[static_cast<std::size_t>(id)]) return;
    done_[static_cast<std::size_t>(id)] = true;
    for (const auto other : alternatives_[static_cast<std::size_t>(id)]) {
      flatten(other);
      auto& into = at(id);
      const auto& from = at(other);
      into.null |= from.null;
      into.boolean |= from.boolean;
      into.number |= from.number;
      into.strings.insert(into.strings.end(), from.strings.begin(), from.strings.end());
      into.mappings.insert(into.mappings.end(), from.mappings.begin(), from.mappings.end());
      into.allowed |= from.allowed;
      if (from.item != k_no_definition) into.item = from.item;
    }
  }

  Schema& schema_;
  std::string_view text_;
  std::size_t position_ = 0;
  std::string_view token_;
  std::vector<std::vector<DefinitionId>> alternatives_;
  std::vector<bool> done_;
};

Schema::Schema(std::string_view table) { SchemaCompiler(*this, table).run(); }

DefinitionId Schema::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? k_no_definition : found->second;
}

const Schema& workflow_schema() {
  static const Schema schema(k_workflow_table);
  return schema;
}

const Schema& action_schema() {
  static const Schema schema(k_action_table);
  return schema;
}

}  // namespace drydock::parser::workflow
