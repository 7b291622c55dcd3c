#include "parser/lint/shape.h"

#include <algorithm>
#include <array>

namespace drydock::parser::lint {

using yaml::NodeKind;

namespace {

struct Scope {
  std::string_view name;
  std::string_view levels;  // what may be granted besides none
};

constexpr std::array k_scopes = {
    Scope{"actions", "read write"},         Scope{"artifact-metadata", "read write"},
    Scope{"attestations", "read write"},    Scope{"checks", "read write"},
    Scope{"contents", "read write"},        Scope{"deployments", "read write"},
    Scope{"discussions", "read write"},     Scope{"id-token", "write"},
    Scope{"issues", "read write"},          Scope{"models", "read"},
    Scope{"packages", "read write"},        Scope{"pages", "read write"},
    Scope{"pull-requests", "read write"},   Scope{"repository-projects", "read write"},
    Scope{"security-events", "read write"}, Scope{"statuses", "read write"}};

}  // namespace

void Shape::permissions(Id id) {
  constexpr std::string_view k_rule = "permissions";
  if (at(id).kind == NodeKind::scalar && !is_null(at(id))) {
    const auto& value = at(id).value;
    if (!string(id, Empty::refused) || value == "read-all" || value == "write-all") return;
    context_.report(k_rule, place(id), "\"" + value + "\" cannot be granted for all scopes",
                    "use read-all, write-all or {}");
    return;
  }
  for (const auto& pair : section("permissions", id, Empty::allowed)) {
    const auto* scope =
        std::find_if(k_scopes.begin(), k_scopes.end(), [&](const Scope& s) { return s.name == pair.id; });
    if (scope == k_scopes.end()) {
      std::vector<std::string> names;
      for (const auto& known : k_scopes) names.emplace_back(known.name);
      context_.report(k_rule, place(pair.key), "unknown permission scope \"" + pair.id + "\"",
                      "scopes are " + quoted_list(names));
    }
    if (!string(pair.value, Empty::refused)) continue;
    const auto& level = at(pair.value).value;
    const bool known = level == "read" || level == "write" || level == "none";
    if (known &&
        (scope == k_scopes.end() || level == "none" || scope->levels.find(level) != std::string_view::npos))
      continue;
    if (scope == k_scopes.end()) continue;
    context_.report(k_rule, place(pair.value), "permission \"" + pair.id + "\" cannot be \"" + level + "\"",
                    "use none or " + std::string(scope->levels));
  }
}

void Shape::env(Id id) {
  if (at(id).kind == NodeKind::scalar) return expression(id, "a mapping of variables");
  string_map("env", id);
}

void Shape::defaults(Id id) {
  bool has_run = false;
  for (const auto& pair : section("defaults", id, Empty::refused)) {
    if (pair.id != "run") {
      unexpected_key(pair, "\"defaults\"", {"run"});
      continue;
    }
    has_run = true;
    for (const auto& entry : section("run", pair.value, Empty::refused)) {
      if (entry.id == "shell" || entry.id == "working-directory") {
        string(entry.value, Empty::refused);
      } else {
        unexpected_key(entry, "\"run\"", {"shell", "working-directory"});
      }
    }
  }
  if (!has_run) error(id, "\"defaults\" needs \"run\"");
}

void Shape::concurrency(const Pair& pair) {
  if (at(pair.value).kind == NodeKind::scalar && !is_null(at(pair.value))) {
    string(pair.value, Empty::refused);
    return;
  }
  bool has_group = false;
  for (const auto& entry : section("concurrency", pair.value, Empty::refused)) {
    if (entry.id == "group") {
      has_group = true;
      string(entry.value, Empty::refused);
    } else if (entry.id == "cancel-in-progress") {
      boolean(entry.value);
    } else if (entry.id == "queue") {
      string(entry.value, Empty::refused);
    } else {
      unexpected_key(entry, "\"concurrency\"", {"cancel-in-progress", "group", "queue"});
    }
  }
  if (!has_group) error(pair.key, "\"concurrency\" needs the name of its \"group\"");
}

void Shape::environment(const Pair& pair) {
  if (at(pair.value).kind == NodeKind::scalar && !is_null(at(pair.value))) {
    string(pair.value, Empty::refused);
    return;
  }
  bool has_name = false;
  for (const auto& entry : section("environment", pair.value, Empty::refused)) {
    if (entry.id == "name" || entry.id == "url") {
      has_name |= entry.id == "name";
      string(entry.value, Empty::refused);
    } else if (entry.id == "deployment") {
      boolean(entry.value);
    } else {
      unexpected_key(entry, "\"environment\"", {"deployment", "name", "url"});
    }
  }
  if (!has_name) error(pair.key, "\"environment\" needs a \"name\"");
}

void Shape::strategy(Id id) {
  if (at(id).kind == NodeKind::scalar && is_expression(at(id).value)) return;
  for (const auto& entry : section("strategy", id, Empty::refused)) {
    if (entry.id == "matrix") {
      matrix(entry.value);
    } else if (entry.id == "fail-fast") {
      boolean(entry.value);
    } else if (entry.id == "max-parallel") {
      number(entry.value, "\"max-parallel\"", true);
    } else {
      unexpected_key(entry, "\"strategy\"", {"fail-fast", "matrix", "max-parallel"});
    }
  }
}

void Shape::combinations(std::string_view name, Id id) {
  if (at(id).kind == NodeKind::scalar) return expression(id, "a sequence of combinations");
  if (!sequence(name, id, Empty::refused)) return;
  for (const auto item : at(id).children) {
    if (at(item).kind == NodeKind::scalar) {
      expression(item, "a mapping");
    } else {
      mapping("an element of \"" + std::string(name) + "\"", item, Empty::refused, Case::ignored);
    }
  }
}

void Shape::matrix(Id id) {
  if (at(id).kind == NodeKind::scalar) return expression(id, "a mapping of the matrix");
  for (const auto& entry : section("matrix", id, Empty::refused, Case::ignored)) {
    if (entry.id == "include" || entry.id == "exclude") {
      combinations(entry.id, entry.value);
    } else if (at(entry.value).kind == NodeKind::scalar) {
      expression(entry.value, "a sequence of values");
    } else {
      sequence("matrix values", entry.value, Empty::refused);
    }
  }
}

void Shape::credentials(const Pair& pair) {
  if (at(pair.value).kind == NodeKind::scalar && is_expression(at(pair.value).value)) return;
  int found = 0;
  for (const auto& entry : section("credentials", pair.value, Empty::refused)) {
    if (entry.id == "username" || entry.id == "password") {
      ++found;
      string(entry.value, Empty::refused);
    } else {
      unexpected_key(entry, "\"credentials\"", {"password", "username"});
    }
  }
  if (found < 2) error(pair.key, "\"credentials\" needs both \"username\" and \"password\"");
}

void Shape::container(std::string_view name, const Pair& pair, bool is_service) {
  if (at(pair.value).kind == NodeKind::scalar) {
    string(pair.value, Empty::refused);
    return;
  }
  bool has_image = false;
  for (const auto& entry : section(name, pair.value, Empty::refused)) {
    if (entry.id == "image") {
      has_image = true;
      string(entry.value, Empty::refused);
    } else if (entry.id == "credentials") {
      credentials(entry);
    } else if (entry.id == "env") {
      env(entry.value);
    } else if (entry.id == "ports" || entry.id == "volumes") {
      if (!is_expression(at(entry.value).value))
        strings(entry.id, entry.value, Empty::allowed, Empty::refused);
    } else if (entry.id == "options" || (is_service && (entry.id == "entrypoint" || entry.id == "command"))) {
      string(entry.value, Empty::allowed);
    } else if (is_service) {
      unexpected_key(entry, "a service",
                     {"command", "credentials", "entrypoint", "env", "image", "options", "ports", "volumes"});
    } else {
      unexpected_key(entry, "\"container\"", {"credentials", "env", "image", "options", "ports", "volumes"});
    }
  }
  if (!has_image) error(pair.key, "\"" + std::string(name) + "\" needs an \"image\"");
}

void Shape::services(Id id) {
  if (at(id).kind == NodeKind::scalar && !is_null(at(id))) return expression(id, "a mapping of services");
  for (const auto& entry : section("services", id, Empty::refused, Case::ignored))
    container("services", entry, true);
}

void Shape::snapshot(const Pair& pair) {
  const auto kind = at(pair.value).kind;
  if (kind == NodeKind::scalar) {
    string(pair.value, Empty::refused);
    return;
  }
  if (kind != NodeKind::mapping) return error(pair.value, "\"snapshot\" must be a string or a mapping");
  bool has_name = false;
  for (const auto& entry : section("snapshot", pair.value, Empty::refused)) {
    has_name |= entry.id == "image-name";
    if (entry.id == "if" || entry.id == "image-name" || entry.id == "version") {
      string(entry.value, Empty::refused);
    } else {
      unexpected_key(entry, "\"snapshot\"", {"if", "image-name", "version"});
    }
  }
  if (!has_name) error(pair.key, "\"snapshot\" needs \"image-name\"");
}

void Shape::runs_on(Id id) {
  if (at(id).kind != NodeKind::mapping)
    return string_or_strings("runs-on", id, Empty::refused, Empty::refused);
  for (const auto& entry : section("runs-on", id, Empty::refused)) {
    if (entry.id == "labels") {
      string_or_strings("labels", entry.value, Empty::refused, Empty::refused);
    } else if (entry.id == "group") {
      string(entry.value, Empty::refused);
    } else {
      unexpected_key(entry, "\"runs-on\"", {"group", "labels"});
    }
  }
}

void Shape::timeout(Id id) {
  number(id, "\"timeout-minutes\"", false);
}

}  // namespace drydock::parser::lint
